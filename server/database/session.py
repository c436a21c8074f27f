"""The session is bound to the request (or to a job): one ContextVar, and nothing else touches a session.

Repositories call `current_session()`; services show their transactions with `in_transaction(act, …)`, or
`@transactional` where the whole of an act is one; whoever calls a third party calls `release()` before.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar, Token
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from server.database.outage import is_gone, is_locked, is_outage

log = logging.getLogger("playbill.database")

Given = ParamSpec("Given")
Result = TypeVar("Result")
Sessions = async_sessionmaker[AsyncSession]

ATTEMPTS = 5
# A lock is waited for some seconds at a time (see engine.py and mysql.py); nobody waits for five of these.
PATIENCE_S = 5.0


class NoSession(RuntimeError):
    """Code that needs the database ran outside a request and outside `session_scope()`."""


class TransactionMisuse(RuntimeError):
    """A transaction inside a transaction, a write outside of one, or a third party called within one."""


class _Slot:
    """Where one request's session lives; made on first use, so a page that asks nothing opens none."""

    __slots__ = ("session", "sessions", "writing")

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.session: AsyncSession | None = None
        self.writing = False

    def open(self) -> AsyncSession:
        if self.session is None:
            self.session = self.sessions()
            _open.add(self)
            _tell_open(len(_open))
        return self.session

    async def close(self) -> None:
        session, self.session = self.session, None
        if session is None:
            return
        try:
            await _end(session.close())
        finally:
            _open.discard(self)
            _tell_open(len(_open))


async def _end(ending: Coroutine[Any, Any, None]) -> None:
    """Roll back and give the connection back, of a session that has failed or is not needed any more.

    Shielded: a second cancellation must not leave a connection checked out.
    """
    try:
        await asyncio.shield(ending)
    except DBAPIError as error:
        # The connection is gone with its transaction: nothing is lost, and what went before counts.
        if not is_outage(error):
            raise
        log.warning("database unavailable at the end of a session: %s", error.orig)


_slot: ContextVar[_Slot | None] = ContextVar("database_session", default=None)
_open: set[_Slot] = set()


def _tell_nobody(count: int) -> None:
    pass


_tell_open: Callable[[int], object] = _tell_nobody


def open_sessions() -> int:
    """How many sessions of this process are alive."""
    return len(_open)


def watch_open_sessions(tell: Callable[[int], object]) -> None:
    """Have `tell` called with the number of open sessions whenever it changes."""
    global _tell_open  # noqa: PLW0603 - one process, one figure
    _tell_open = tell


def bind(sessions: Sessions) -> Token[_Slot | None]:
    """Give the current request an own, still unopened session; `unbind` must follow.

    Sanic serves a keep-alive connection in one task, so without the reset in `unbind` the next
    request would start with this one's session.
    """
    return _slot.set(_Slot(sessions))


async def unbind(token: Token[_Slot | None]) -> None:
    slot = _slot.get()
    _slot.reset(token)
    if slot is not None:
        await slot.close()


@asynccontextmanager
async def session_scope(sessions: Sessions) -> AsyncIterator[None]:
    """A session for a job, a streamed answer or a command: whatever outlives or precedes a request."""
    token = bind(sessions)
    try:
        yield
    finally:
        await unbind(token)


@asynccontextmanager
async def scope_beside() -> AsyncIterator[None]:
    """A session of its own for what runs at the same time as the current one's work."""
    async with session_scope(_current_slot().sessions):
        yield


def _current_slot() -> _Slot:
    slot = _slot.get()
    if slot is None:
        raise NoSession("open a session_scope() first")
    return slot


def current_session() -> AsyncSession:
    return _current_slot().open()


async def release() -> None:
    """End the reading transaction and give its connection back, so that waiting costs nobody anything."""
    slot = _current_slot()
    if slot.writing:
        raise TransactionMisuse("release() inside a transaction")
    if slot.session is not None:
        await slot.session.reset()


def require_transaction() -> None:
    """Raise unless `transaction()` is open; whatever writes calls this first.

    Without one the same write is kept by SQLite (a savepoint of its own commits) and dropped by MariaDB.
    """
    if not _current_slot().writing:
        raise TransactionMisuse("write inside in_transaction(act, …) or a @transactional act")


def forbid_held_connection() -> None:
    """Raise if the current session holds a connection; third-party gateways call this first."""
    slot = _slot.get()
    if slot is not None and slot.session is not None and slot.session.in_transaction():
        raise TransactionMisuse("release() the connection before calling a third party")


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """One writing transaction: ends the reading one, commits on success, rolls back on any other exit.

    What matters must be read again inside. Never nested: an act is one transaction.
    """
    await release()
    slot = _current_slot()
    session = slot.open()
    async with session.info["writers"]:
        slot.writing = True
        try:
            await session.connection(execution_options={"writing": True})
            yield
            await session.commit()
        except BaseException:
            await _end(session.reset())  # cancellation included
            raise
        finally:
            slot.writing = False


async def in_transaction(
    act: Callable[Given, Awaitable[Result]], /, *given: Given.args, **named: Given.kwargs
) -> Result:
    """Run `act` with what it is given in a transaction, again from its start when the database asks for it.

    Deadlocks and lock time-outs roll back before the retry: after a time-out MariaDB keeps the
    transaction alive, and a COMMIT would store half of it. No retry begins later than PATIENCE_S.
    """
    patient_until = asyncio.get_running_loop().time() + PATIENCE_S
    for attempt in range(ATTEMPTS):
        try:
            async with transaction():
                return await act(*given, **named)
        except OperationalError as error:
            impatient = asyncio.get_running_loop().time() > patient_until
            if not is_locked(error) or attempt == ATTEMPTS - 1 or impatient:
                raise
        await asyncio.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 - spreads rivals
    raise AssertionError("unreachable")


def transactional(act: Callable[Given, Awaitable[Result]]) -> Callable[Given, Coroutine[Any, Any, Result]]:
    """Make the whole of an act one transaction, tried again as by `in_transaction`."""

    @wraps(act)
    async def run(*given: Given.args, **named: Given.kwargs) -> Result:
        return await in_transaction(act, *given, **named)

    return run


async def in_transaction_if_possible(
    act: Callable[Given, Awaitable[Result]], /, *given: Given.args, **named: Given.kwargs
) -> Result | None:
    """Run `act` in a transaction, once; None if the database takes no writes now, which is logged.

    For a note beside a page, such as when somebody was last seen: a full disk must not fail the reading. A
    database that says nothing at all does: to ask it again would double the wait.
    """
    try:
        async with transaction():
            return await act(*given, **named)
    except Exception as error:
        if not is_outage(error) or is_gone(error):
            raise
        log.warning("not written down: %s", str(error).partition("\n")[0])
        return None

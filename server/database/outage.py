"""Tells "the database is not there" from a bug."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

LOCK_WAIT_TIMEOUT, DEADLOCK, CHANGED_SINCE_READ = 1205, 1213, 1020
# Several locks one after the other, each below its limit (see mysql.py).
STATEMENT_TIMEOUT = 1969
# What a deadlock inside a savepoint is reported as: it took the whole transaction, the savepoint with it.
SAVEPOINT_GONE = 1305
# MySQL's own errors that tell of the server's state: cannot write, no space in the engine, too many
# connections, no entry, no such database, shutting down, no more space, lock time-out, deadlock, broken
# off, read-only, savepoint lost, killed, over its time.
MYSQL_STATES = {
    1020,
    1021,
    1026,
    1030,
    1040,
    1044,
    1045,
    1049,
    1053,
    1114,
    1158,
    1159,
    1160,
    1161,
    1205,
    1213,
    1290,
    1305,
    1927,
    1969,
}
MYSQL_CLIENT_ERRORS = 2000  # and above: not connected, connection lost


def is_outage(error: BaseException | None) -> bool:
    """True if a statement failed because of the database's state, not because of the statement."""
    while error is not None:
        if isinstance(error, PoolTimeout | InterfaceError | ConnectionError):
            return True
        if isinstance(error, OperationalError) and _is_state(error):
            return True
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return True
        error = error.__cause__
    return False


class NoTurn(PoolTimeout):
    """On SQLite: others write, one after the other. What only reads need not wait for them."""


def is_gone(error: BaseException | None) -> bool:
    """True if the database said nothing, or could not be reached: reading would fail like writing."""
    while error is not None:
        if isinstance(error, PoolTimeout | InterfaceError | ConnectionError):
            return not isinstance(error, NoTurn)
        if isinstance(error, DBAPIError) and (error.connection_invalidated or _is_unreachable(error)):
            return True
        error = error.__cause__
    return False


def _is_unreachable(error: DBAPIError) -> bool:
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return isinstance(code, int) and code >= MYSQL_CLIENT_ERRORS


def is_locked(error: DBAPIError) -> bool:
    """True if others' locks were in the way: the same may work when tried again from its start."""
    original = error.orig
    code = original.args[0] if original is not None and original.args else None
    lost = (LOCK_WAIT_TIMEOUT, DEADLOCK, CHANGED_SINCE_READ, SAVEPOINT_GONE, STATEMENT_TIMEOUT)
    return code in lost or "database is locked" in str(original)


def _is_state(error: OperationalError) -> bool:
    """Both drivers raise OperationalError for an unknown column, too: that one is a bug of ours."""
    original = error.orig
    code = original.args[0] if original is not None and original.args else None
    if isinstance(code, int):
        return code >= MYSQL_CLIENT_ERRORS or code in MYSQL_STATES
    # A file that was moved away comes back empty.
    empty = "no such table" in str(original)
    return empty or getattr(original, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR

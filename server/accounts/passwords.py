"""Passwords: argon2id, always off the event loop."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.database.session import release
from server.errors import PlaybillError
from server.i18n import N_

MIN_LENGTH, MAX_LENGTH = 10, 200

Answer = TypeVar("Answer")


class PasswordTooShort(PlaybillError):
    status = 422
    code = "password_too_short"
    field = "password"
    message = N_("Please choose at least 10 characters.")


_hasher = PasswordHasher()  # RFC 9106's second recommended set: 64 MiB, 3 passes, 4 lanes


# Each hash takes 64 MiB and a core: a few at a time, and not in the threads that others wait for.
HASHED_AT_ONCE = 2  # in one worker
_threads = ThreadPoolExecutor(max_workers=HASHED_AT_ONCE, thread_name_prefix="argon2")


async def _aside(act: Callable[..., Answer], *arguments: object) -> Answer:
    await release()  # whoever waits for a thread must not keep a connection meanwhile
    return await asyncio.get_running_loop().run_in_executor(_threads, act, *arguments)


async def hashed(password: str) -> str:
    return await _aside(_hasher.hash, _typed(password))


async def matches(password: str, stored: str | None) -> bool:
    """Whether `stored` is a hash of `password`. Without one the same work is done for nothing, so that the
    time of the answer does not tell whether there is an account."""
    return await _aside(_verify, _typed(password), stored)


def require_long_enough(password: str) -> None:
    if len(password) < MIN_LENGTH:
        raise PasswordTooShort


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _verify(password: str, stored: str | None) -> bool:
    try:
        return _hasher.verify(stored or _dummy(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _dummy() -> str:
    return _hasher.hash("nobody's password")


def _typed(password: str) -> str:
    # A Mac types 한 as three code points, a phone as one.
    return unicodedata.normalize("NFC", password)

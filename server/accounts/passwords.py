"""Passwords: argon2id, always off the event loop."""

import asyncio
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH, MAX_LENGTH = 10, 200

_hasher = PasswordHasher()  # RFC 9106's second recommended set: 64 MiB, 3 passes, 4 lanes


async def hashed(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, _typed(password))


async def matches(password: str, stored: str | None) -> bool:
    """Whether `stored` is a hash of `password`. Without one the same work is done for nothing, so that the
    time of the answer does not tell whether there is an account."""
    return await asyncio.to_thread(_verify, _typed(password), stored)


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

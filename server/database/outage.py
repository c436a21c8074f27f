"""Tells "the database is not there" from a bug."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout


def is_outage(error: BaseException | None) -> bool:
    """True if a statement failed because of the database's state, not because of the statement."""
    while error is not None:
        if isinstance(error, PoolTimeout | InterfaceError | OperationalError | ConnectionError):
            return True
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return True
        error = error.__cause__
    return False

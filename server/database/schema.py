"""Every table of the application, gathered for migrations and for tests."""

from server.database.base import Base

__all__ = ["metadata"]

metadata = Base.metadata

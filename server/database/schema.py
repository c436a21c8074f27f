"""Every table of the application, gathered for migrations and for tests."""

from importlib import import_module

from server.database.base import Base
from server.settings import ROOT

__all__ = ["metadata"]

# By looking, not by a list: a table that nobody gathered would be dropped by the next generated migration.
for _models in sorted((ROOT / "server").glob("*/models.py")):
    import_module(f"server.{_models.parent.name}.models")

metadata = Base.metadata

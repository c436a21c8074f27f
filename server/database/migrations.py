"""Migrations by alembic: run them, and ask whether they have been run."""

from functools import cache

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from alembic import command
from server.database.session import current_session
from server.settings import ROOT

NO_SUCH_TABLE = 1146


def config() -> Config:
    setup = Config(str(ROOT / "setup.cfg"))
    setup.set_main_option("script_location", str(ROOT / "alembic"))
    return setup


def migrate(revision: str = "head") -> None:
    """Bring the database of DATABASE_URL to `revision`."""
    command.upgrade(config(), revision)


@cache
def newest() -> str | None:
    return ScriptDirectory.from_config(config()).get_current_head()


async def is_current() -> bool:
    """Whether the database has every migration; raises what the database raises when it is down."""
    try:
        found = await current_session().scalar(text("SELECT version_num FROM alembic_version"))
    except (OperationalError, ProgrammingError) as error:
        missing = error.orig is not None and (
            error.orig.args[:1] == (NO_SUCH_TABLE,) or "no such table" in str(error.orig)
        )
        if not missing:
            raise
        return False
    return bool(found == newest())

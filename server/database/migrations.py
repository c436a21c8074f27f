"""Migrations by alembic: run them, and ask whether they have been run."""

import re
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from server.database.session import current_session
from server.settings import ROOT

# Alembic is imported where it runs: with every dialect that it knows it was a third of a worker's start.
if TYPE_CHECKING:
    from alembic.config import Config

NO_SUCH_TABLE = 1146
REVISION = re.compile(r"""^(down_|)revision = ["'](\w+)["']$""", re.MULTILINE)


def config() -> "Config":
    from alembic.config import Config

    setup = Config(str(ROOT / "setup.cfg"))
    setup.set_main_option("script_location", str(ROOT / "alembic"))
    return setup


def migrate(revision: str = "head") -> None:
    """Bring the database of DATABASE_URL to `revision`."""
    from alembic import command

    command.upgrade(config(), revision)


@cache
def newest() -> str:
    """The revision that no other one builds on."""
    made: set[str] = set()
    built_on: set[str] = set()
    for file in (ROOT / "alembic" / "versions").glob("*.py"):
        for is_below, name in REVISION.findall(file.read_text("utf-8")):
            (built_on if is_below else made).add(name)
    [head] = made - built_on
    return head


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

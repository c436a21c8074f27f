"""Every migration goes up and down, and what it makes is what the models say."""

import ast
import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect

from server.database.base import NAMING
from server.database.engine import create_engine
from server.database.schema import metadata
from server.settings import ROOT
from tests.conftest import run_playbill


@pytest.fixture
def empty_url(database_engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of this test's own."""
    if database_engine == "mariadb":
        url: str = request.getfixturevalue("mariadb").create_database(f"migrations_{tmp_path.name}")
        return url
    return f"sqlite+aiosqlite:///{tmp_path / 'playbill.db'}"


def alembic(url: str, *arguments: str, config: Path = ROOT / "setup.cfg") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", str(config), *arguments],
        cwd=ROOT,
        env={**os.environ, "PLAYBILL_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def names(url: str) -> dict[str, set[str]]:
    """Of every table: the names of its foreign keys, unique constraints and indexes."""

    def read(connection: Connection) -> dict[str, set[str]]:
        inspector = inspect(connection)
        return {
            table: {
                str(one["name"])
                for one in (
                    *inspector.get_foreign_keys(table),
                    *inspector.get_unique_constraints(table),
                    *inspector.get_indexes(table),
                )
            }
            for table in inspector.get_table_names()
        }

    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(read)
    finally:
        await engine.dispose()


async def test_up_down_and_up_again_without_drift(empty_url: str) -> None:
    await asyncio.to_thread(run_playbill, ["migrate"], {"PLAYBILL_DATABASE_URL": empty_url})
    up = await names(empty_url)
    await asyncio.to_thread(alembic, empty_url, "downgrade", "base")
    down = await names(empty_url)
    await asyncio.to_thread(run_playbill, ["migrate"], {"PLAYBILL_DATABASE_URL": empty_url})

    assert set(up) == {*metadata.tables, "alembic_version"}
    assert set(down) == {"alembic_version"}
    assert await names(empty_url) == up
    assert "No new upgrade operations detected" in await asyncio.to_thread(alembic, empty_url, "check")


async def test_every_constraint_is_named_by_the_convention(database_url: str) -> None:
    found = await names(database_url)
    found.pop("alembic_version")

    kinds = {kind.split("_", 1)[0] for kind in NAMING.values()}
    odd = [
        f"{table}: {name}"
        for table, its_names in found.items()
        for name in its_names
        if name.split("_", 1)[0] not in kinds or not name.split("_", 1)[1].startswith(table)
    ]
    assert odd == []


async def test_migrating_twice_changes_nothing(database_url: str) -> None:
    before = await names(database_url)
    await asyncio.to_thread(run_playbill, ["migrate"], {"PLAYBILL_DATABASE_URL": database_url})

    assert await names(database_url) == before


@pytest.mark.parametrize(
    "version", sorted((ROOT / "alembic" / "versions").glob("*.py")), ids=lambda path: path.stem
)
def test_a_migration_does_tomorrow_what_it_did_when_it_was_written(version: Path) -> None:
    """It imports nothing of the application, which goes on changing."""
    tree = ast.parse(version.read_text("utf-8"))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in imported} <= {"alembic", "sqlalchemy", "json"}


def test_so_does_one_that_is_generated(tmp_path: Path) -> None:
    scripts, config = tmp_path / "alembic", tmp_path / "alembic.cfg"
    shutil.copytree(ROOT / "alembic", scripts)
    config.write_text(f"[alembic]\nscript_location = {scripts}\npath_separator = os\n", "utf-8")
    url = f"sqlite+aiosqlite:///{tmp_path / 'playbill.db'}"
    alembic(url, "stamp", "head", config=config)

    alembic(url, "revision", "--autogenerate", "-m", "all of it", "--rev-id", "all", config=config)
    alembic(url, "upgrade", "head", config=config)

    (generated,) = scripts.glob("versions/all_*.py")
    assert "server" not in generated.read_text("utf-8")
    assert "No new upgrade operations detected" in alembic(url, "check", config=config)

"""Every migration goes up and down, and what it makes is what the models say."""

import ast
import asyncio
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from server.database.base import NAMING
from server.database.engine import create_engine
from server.database.migrations import config, newest
from server.database.schema import metadata
from server.settings import ROOT
from tests.commands import run_alembic, run_playbill


@pytest.fixture
def empty_url(database_engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of this test's own."""
    if database_engine == "mariadb":
        url: str = request.getfixturevalue("mariadb").create_database(f"migrations_{tmp_path.name}")
        return url
    return f"sqlite+aiosqlite:///{tmp_path / 'playbill.db'}"


def alembic(url: str, *arguments: str, config: Path = ROOT / "setup.cfg") -> str:
    return run_alembic(["-c", str(config), *arguments], {"PLAYBILL_DATABASE_URL": url})


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


def test_the_newest_migration_is_alembics_head() -> None:
    assert [newest()] == ScriptDirectory.from_config(config()).get_heads()


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


async def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            found = await connection.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []
    finally:
        await engine.dispose()


async def test_the_sweep_goes_on_where_it_was_when_its_lease_moves(empty_url: str) -> None:
    await asyncio.to_thread(alembic, empty_url, "upgrade", "0004")
    await ask(
        empty_url,
        "INSERT INTO sweep_state (name, holder, held_until, events_read_until)"
        " VALUES ('sweep', 'somebody', '2026-11-24 12:00:00.123456', 1790000000)",
    )

    await asyncio.to_thread(alembic, empty_url, "upgrade", "0005")
    moved = await ask(empty_url, "SELECT name, holder, `cursor` FROM job_leases")
    await asyncio.to_thread(alembic, empty_url, "downgrade", "0004")

    assert moved == [("sweep", "somebody", "1790000000")]
    assert await ask(empty_url, "SELECT name, holder, events_read_until FROM sweep_state") == [
        ("sweep", "somebody", 1790000000)
    ]


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


BEFORE_BASKETS = "0002"
TEXTS = ("title", "promise", "description", "learn", "teacher_name", "teacher_bio", "questions")
COURSE = {
    "id": "course",
    "slug": "first-night",
    "category_id": "category",
    "level": "beginner",
    "status": "published",
    "cover": "",
    "search_text": "",
    "lecture_count": 0,
    "duration_s": 0,
    "sold_count": 0,
} | dict.fromkeys(TEXTS, "{}")
ORDER = {
    "id": "order",
    "number": "AAAAA-BBBBB",
    "viewer_id": "viewer",
    "order_key_id": "viewer",
    "email": "guest@mail.example",
    "email_key": "guest@mail.example",
    "locale": "en",
    "ip_mac": "mac",
    "currency": "KRW",
    "amount": 33000,
    "status": "partially_refunded",
    "version": 2,
}
ITEM = {
    "id": "item",
    "order_id": "order",
    "course_id": "course",
    "position": 0,
    "course_title": "{}",
    "course_slug": "first-night",
    "amount": 33000,
    "refunded_amount": 1000,
}
PAYMENT = {
    "id": "payment",
    "order_id": "order",
    "attempt": 3,
    "intent_id": "pi_1",
    "amount": 33000,
    "currency": "KRW",
    "status": "succeeded",
    "declines": 1,
    "checks": 0,
}
REFUND = {
    "id": "refund",
    "stripe_id": "re_1",
    "order_id": "order",
    "payment_id": "payment",
    "amount": 1000,
    "currency": "KRW",
    "status": "succeeded",
}


async def _insert(engine: AsyncEngine, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    async with engine.begin() as connection:
        for table, row in rows:
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            await connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


async def _lengths(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as connection:
        return list(await connection.scalars(text("SELECT duration_s FROM courses")))


BEFORE_COMING = "0003"


async def test_a_course_loses_the_length_of_lectures_that_have_no_video(empty_url: str) -> None:
    environment = {"PLAYBILL_DATABASE_URL": empty_url}
    await asyncio.to_thread(run_playbill, ["migrate", "--revision", BEFORE_COMING], environment)
    at = "2026-11-01 12:00:00.000000"
    part = {"section_id": "section", "course_id": COURSE["id"], "title": "{}", "is_preview": 0}
    rows = [
        ("categories", {"id": "category", "slug": "kitchen", "name": "{}", "position": 0}),
        ("courses", COURSE | {"duration_s": 115, "created_at": at, "updated_at": at}),
        ("sections", {"id": "section", "course_id": COURSE["id"], "position": 0, "title": "{}"}),
        ("lectures", part | {"id": "one", "position": 0, "media_content_key": "key", "duration_s": 70}),
        ("lectures", part | {"id": "two", "position": 1, "media_content_key": "", "duration_s": 45}),
    ]
    engine = create_engine(empty_url)
    try:
        await _insert(engine, rows)
        await asyncio.to_thread(run_playbill, ["migrate"], environment)
        up = await _lengths(engine)
        await asyncio.to_thread(alembic, empty_url, "downgrade", BEFORE_COMING)
        down = await _lengths(engine)
    finally:
        await engine.dispose()

    assert (up, down) == ([70], [115])


async def test_orders_made_before_baskets_keep_what_they_are(empty_url: str) -> None:
    """One item and one payment each; the refund is of the item, and a secret may be out."""
    environment = {"PLAYBILL_DATABASE_URL": empty_url}
    await asyncio.to_thread(run_playbill, ["migrate", "--revision", BEFORE_BASKETS], environment)
    at = "2026-11-01 12:00:00.000000"
    rows: dict[str, dict[str, Any]] = {
        "viewers": {"id": "viewer", "created_at": at},
        "order_keys": {"id": "viewer", "created_at": at},
        "categories": {"id": "category", "slug": "kitchen", "name": "{}", "position": 0},
        "courses": COURSE | {"created_at": at, "updated_at": at},
        "orders": ORDER | {"created_at": at, "paid_at": at},
        "order_items": ITEM,
        "payments": PAYMENT | {"next_check_at": at, "created_at": at, "updated_at": at},
        "refunds": REFUND | {"created_at": at},
    }
    engine = create_engine(empty_url)
    try:
        await _insert(engine, rows.items())
        await asyncio.to_thread(run_playbill, ["migrate"], environment)
        async with engine.connect() as connection:
            item = (await connection.execute(text("SELECT list_amount, amount FROM order_items"))).one()
            payment = (
                await connection.execute(
                    text(
                        "SELECT attempt, tries, secret_out_at IS NOT NULL, succeeded_at IS NOT NULL, "
                        "last_declined_at IS NOT NULL FROM payments"
                    )
                )
            ).one()
            of_items = (
                await connection.execute(text("SELECT refund_id, order_item_id, amount FROM refund_items"))
            ).one()
            pressed = await connection.scalar(text("SELECT pressed_key_id FROM orders"))
        await asyncio.to_thread(alembic, empty_url, "downgrade", BEFORE_BASKETS)
        async with engine.connect() as connection:
            kept = await connection.scalar(text("SELECT amount FROM refunds"))
    finally:
        await engine.dispose()

    assert tuple(item) == (33000, 33000)
    assert tuple(payment) == (1, 3, 1, 1, 1)
    assert tuple(of_items) == ("refund", "item", 1000)
    assert (pressed, kept) == ("viewer", 1000)

"""An outage is told from a bug: a visitor gets 503 for the one, and the log a traceback for the other."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.database.engine import create_engine
from server.database.outage import is_outage
from server.database.session import current_session
from tests.ports import free_port


@pytest.mark.parametrize(
    "statement", ["SELECT nope FROM viewers", "SELEC 1", "INSERT INTO viewers VALUES (1)"]
)
async def test_a_wrong_statement_is_a_bug(session: None, statement: str) -> None:
    with pytest.raises(DBAPIError) as raised:
        await current_session().execute(text(statement))

    assert not is_outage(raised.value)


async def test_a_server_that_does_not_answer_is_an_outage() -> None:
    engine = create_engine(f"mysql+aiomysql://root@127.0.0.1:{free_port()}/playbill")
    with pytest.raises(DBAPIError) as raised:
        async with engine.connect():
            pass
    await engine.dispose()

    assert is_outage(raised.value)


async def test_a_file_that_cannot_be_opened_is_an_outage(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path / 'gone' / 'playbill.db'}")
    (tmp_path / "gone").rmdir()
    with pytest.raises(DBAPIError) as raised:
        async with engine.connect():
            pass
    await engine.dispose()

    assert is_outage(raised.value)

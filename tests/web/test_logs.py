"""What a log must not keep: whoever reads it could sign in as somebody else, or learn who is a customer."""

import logging
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from server.accounts import repository
from server.database.session import current_session
from server.tokens import new_token
from server.worker import hide_tokens
from tests.conftest import Site


@pytest.mark.parametrize(
    "failure", [RuntimeError("a bug"), OperationalError("SELECT 1", {}, ConnectionError("gone"))]
)
async def test_a_sign_in_link_that_fails_is_not_logged(
    site: Site,
    session: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
) -> None:
    async def fail(token_hash: str) -> None:
        raise failure

    monkeypatch.setattr(repository, "find_link", fail)
    token = new_token()

    answer = await site.client().get(f"/login/link/{token}")

    assert answer.status_code in (500, 503)
    assert "GET /login/link/<token:str>" in caplog.text
    assert token not in caplog.text


async def test_the_error_of_a_statement_shows_no_parameters(session: None) -> None:
    with pytest.raises(DBAPIError) as raised:
        await current_session().execute(
            text("SELECT * FROM nowhere WHERE a = :a"), {"a": "vera@mail.example"}
        )
    await current_session().reset()

    assert "vera" not in str(raised.value)


def test_sanics_own_complaints_name_no_token() -> None:
    record = logging.LogRecord("sanic.error", 40, "", 1, "uri: %s", ("'/login/link/s3cr3t-_?x=1'",), None)

    assert hide_tokens(record)
    assert record.getMessage() == "uri: '/login/link/…'"


def test_no_traceback_names_a_token() -> None:
    try:
        raise ValueError("Bad URL: http://[::1/login/link/s3cr3t-_")
    except ValueError:
        record = logging.LogRecord("sanic.error", 40, "", 1, "uncaught", (), sys.exc_info())

    assert hide_tokens(record)
    told = logging.Formatter().format(record)
    assert "s3cr3t" not in told
    assert "ValueError: Bad URL: http://[::1/login/link/…" in told

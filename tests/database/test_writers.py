"""Nothing is written, and no row locked, outside of a transaction: the code is read for it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.settings import ROOT

SERVER = ROOT / "server"
# These ask for the transaction themselves, also for the statement that `changed` is handed.
HELPERS = {"changed", "insert_once", "upsert"}
STATEMENTS = {"insert", "update", "delete"}
OF_A_SESSION = {"add", "add_all", "begin_nested", "delete", "flush", "merge"}


def modules() -> Iterator[Path]:
    """Whatever touches a session; the database package makes it, the stand-ins have data of their own."""
    for path in sorted(SERVER.rglob("*.py")):
        room = path.relative_to(SERVER).parts[0]
        if room not in ("database", "sandbox") and "current_session" in path.read_text("utf-8"):
            yield path


def writes_unguarded(source: str) -> list[str]:
    """The functions that write or lock without asking for a transaction."""
    functions = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    # One that only puts a statement together is judged where the statement is run.
    builders = {one.name for one in functions if isinstance(one, ast.FunctionDef) and _marks(one, set())}
    return [
        one.name
        for one in functions
        if isinstance(one, ast.AsyncFunctionDef)
        and (marks := _marks(one, builders))
        and "require_transaction" not in (called := set(_names_called(one)))
        and not (marks <= builders | {"update", "delete"} and called & HELPERS)
    ]


def _marks(function: ast.AST, builders: set[str]) -> set[str]:
    found = {name for name in _names_called(function) if name in STATEMENTS | builders}
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            method, owner = call.func.attr, ast.unparse(call.func.value)
            if method == "with_for_update" or (method in OF_A_SESSION and "session" in owner):
                found.add(method)
    return found


def _names_called(function: ast.AST) -> Iterator[str]:
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            yield call.func.id


def test_whatever_writes_asks_for_a_transaction() -> None:
    found = [
        f"{path.relative_to(SERVER).as_posix()}: {name}"
        for path in modules()
        for name in writes_unguarded(path.read_text("utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize(
    "body",
    [
        "await current_session().execute(insert(User).values(id=1))",
        "await current_session().execute(delete(User))",
        "return await current_session().scalar(select(User).with_for_update())",
        "current_session().add(User())",
        "await current_session().execute(mine())",
        "await current_session().execute(insert(User)); await changed(update(User))",
    ],
)
def test_a_write_that_does_not_ask_is_found(body: str) -> None:
    source = f"def mine():\n    return update(User)\n\nasync def write():\n    {body}\n"

    assert writes_unguarded(source) == ["write"]

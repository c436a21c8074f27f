"""Views ask first and render then."""

import ast
from collections.abc import Iterator
from pathlib import Path

from server.settings import ROOT


def pages_with_a_query_inside(path: Path) -> Iterator[int]:
    """The lines on which a call of `page(…)` waits for something among its arguments."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "page":
            yield from (inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.Await))


def test_no_page_is_begun_before_everything_is_asked() -> None:
    views = sorted((ROOT / "server").rglob("*.py"))

    broken = [
        f"{path.relative_to(ROOT)}:{line}" for path in views for line in pages_with_a_query_inside(path)
    ]

    assert broken == []


def test_a_query_inside_a_page_is_seen(tmp_path: Path) -> None:
    view = tmp_path / "views.py"
    view.write_text("async def show():\n    return page('x.html', rows=[one for one in await rows()])\n")

    assert list(pages_with_a_query_inside(view)) == [2]

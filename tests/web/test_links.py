"""No link is dead: the demo's shop, walked through as a stranger and as each role."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from html import unescape
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import pytest
import pytest_asyncio

from server.accounts import signing_in
from server.accounts.sign_ins import Browser
from server.database.session import release
from server.demo import people, seed
from server.web import cookies
from tests.conftest import Site
from tests.engines import on_sqlite

LINK = re.compile(r'<(?:a|link|img|script|form)\b[^>]*?\s(?:href|src|action)="([^"]*)"')
POSTED = re.compile(r'<form\b[^>]*\smethod="post"[^>]*>')
ANCHOR = re.compile(r'\sid="([^"]*)"')
KINDS = {"courses", "preview", "orders", "users", "alerts", "sections", "lectures", "link", "password"}
# Enough of pages that differ by an id or a filter only.
ALIKE = 12
MOST = 300


def shape(path: str) -> str:
    """Of a path without what names one course, lecture, order or person."""
    return "/".join(part if place < 2 or part in KINDS else "*" for place, part in enumerate(path.split("/")))


class Walk:
    """From page to page of one visitor; `dead` is what led nowhere, with the page that led there."""

    def __init__(self, client: httpx.AsyncClient, url: str, checked: set[str]) -> None:
        self.client = client
        self.url = url
        self.checked = checked  # pictures, styles, scripts, the same for everybody
        self.dead: list[str] = []
        self.shapes: Counter[str] = Counter()
        self.anchors: dict[str, set[str]] = {}
        self.wanted: list[tuple[str, str, str]] = []

    async def walk(self, *start: str) -> int:
        known = set(start)
        waiting = deque((path, "the address bar") for path in start)
        while waiting and len(self.anchors) < MOST:
            path, origin = waiting.popleft()
            answer = await self.client.get(path)
            if answer.status_code >= 400:
                self.dead.append(f"{origin} leads to {path}: {answer.status_code}")
                continue
            self.anchors[path] = set(ANCHOR.findall(answer.text))
            for target, anchor in self.links(path, answer):
                if anchor:
                    self.wanted.append((path, target, anchor))
                if target not in known and self.is_worth_it(target):
                    known.add(target)
                    waiting.append((target, path))
        for path, target, anchor in self.wanted:
            if target in self.anchors and anchor not in self.anchors[target]:
                self.dead.append(f"{path} leads to {target}#{anchor}, which is not there")
        return len(self.anchors)

    def links(self, path: str, answer: httpx.Response) -> Iterator[tuple[str, str]]:
        found = LINK.findall(POSTED.sub("", answer.text))
        if "location" in answer.headers:
            found.append(answer.headers["location"])
        for link in found:
            target, anchor = urldefrag(urljoin(self.url + path, unescape(link)))
            if target.startswith(self.url + "/"):
                yield target.removeprefix(self.url), anchor

    def is_worth_it(self, target: str) -> bool:
        path = urlsplit(target).path
        if path.startswith("/static/"):
            new = target not in self.checked
            self.checked.add(target)
            return new
        self.shapes[shape(path)] += 1
        return self.shapes[shape(path)] <= ALIKE


@pytest_asyncio.fixture(autouse=True)
async def shop(site: Site, session: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "PAST_ORDERS", seed.PAST_ORDERS[:4])  # the viewer's, guests', a refunded one
    await seed.seed_catalog()
    await people.seed_people()
    await seed.seed_orders()
    await release()


@on_sqlite
async def test_no_link_is_dead(site: Site) -> None:
    dead: dict[str, list[str]] = {}
    seen: dict[str, int] = {}
    checked: set[str] = set()
    for email in ["", *(email for email, _, _ in people.PEOPLE)]:
        client = site.client()
        if email:
            browser = Browser("127.0.0.1", "test", None)
            token = await signing_in.sign_in(email, people.PASSWORD, browser)
            await release()
            client.cookies.set(cookies.SIGN_IN, token)
        walk = Walk(client, site.url, checked)
        seen[email] = await walk.walk("/")
        dead[email] = walk.dead
    assert not any(dead.values()), dead
    assert all(count > 50 for count in seen.values()), seen

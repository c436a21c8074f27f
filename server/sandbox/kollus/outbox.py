"""Progress reports on their way to the site: in order, kept while it cannot be reached, doubled on demand."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Report:
    """One form post, addressed and filled in."""

    url: str
    form: tuple[tuple[str, str], ...]


class Outbox:
    """Reports not delivered yet. The site's answer is ignored: only a lost connection counts as failure."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        log: Callable[[str, Mapping[str, Any], Mapping[str, Any], int | None], None],
    ) -> None:
        self._http = http
        self._log = log
        self._waiting: deque[Report] = deque()
        self._draining = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, report: Report, copies: int = 1) -> None:
        self._waiting.extend([report] * copies)

    def clear(self) -> None:
        self._waiting.clear()

    async def flush(self, *, copies: int = 1, shuffle: bool = False) -> int:
        """Post all that waits, `copies` times each; return how many arrived.

        What cannot be delivered waits on, and with it what came later for the same address.
        """
        async with self._draining:
            if copies > 1 or shuffle:
                self._multiply(copies, shuffle=shuffle)
            delivered = 0
            unreachable: set[str] = set()
            for report in tuple(self._waiting):
                if report.url in unreachable:
                    continue
                if await self._post(report):
                    delivered += 1
                    with suppress(ValueError):  # a reset may have come in between
                        self._waiting.remove(report)
                else:
                    unreachable.add(report.url)
            return delivered

    def _multiply(self, copies: int, *, shuffle: bool) -> None:
        posts = [report for report in self._waiting for _ in range(copies)]
        if shuffle:
            random.shuffle(posts)
            if posts == sorted(posts, key=list(self._waiting).index):
                posts.reverse()  # a shuffle that changes nothing would test nothing
        self._waiting = deque(posts)

    async def _post(self, report: Report) -> bool:
        request = {"url": report.url, "form": dict(report.form)}
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                response = await self._http.post(
                    report.url,
                    content=urlencode(report.form),
                    headers={"content-type": "application/x-www-form-urlencoded"},
                )
        except (httpx.HTTPError, TimeoutError) as error:
            self._log("lms", request, {"error": repr(error)}, None)
            return False
        self._log("lms", request, {"status": response.status_code}, None)
        return True

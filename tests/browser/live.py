"""The whole shop as an operator runs it: `playbill` commands as processes, on free ports of this machine."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from server.settings import Settings
from server.standins import health_addresses
from tests.commands import run_playbill
from tests.conftest import Sandbox, environment_of, wait_for
from tests.factories import PASSWORD, eventually
from tests.http import HTTP

ADMIN = "ada@mail.example"
LINK = re.compile(r"\S+/login/link/\S+")


@contextlib.contextmanager
def running(arguments: Sequence[str], settings: Settings, log: Path) -> Iterator[None]:
    """A `playbill` command that goes on until the block is left; what it prints goes to `log`."""
    command = [sys.executable, "-m", "server.cli", *arguments]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            env={**os.environ, **environment_of(settings)},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


@dataclass(frozen=True)
class LiveShop:
    """A shop that runs, with its stand-ins, seen from outside."""

    url: str
    sandbox: Sandbox
    log: Path
    database_url: str

    def trouble(self, **settings: object) -> None:
        """What goes wrong between Stripe and the buyer's browser; nothing ends all of it."""
        HTTP.post(f"{self.sandbox.stripe_url}/_sandbox/browser", json=settings).raise_for_status()

    async def set_price(self, slug: str, currency: str, amount: int) -> None:
        """As an editor does it, and also to 0, which no editor can yet."""
        engine = create_async_engine(self.database_url)
        change = text(
            "UPDATE prices SET amount = :amount WHERE currency = :currency"
            " AND course_id = (SELECT id FROM courses WHERE slug = :slug)"
        )
        async with engine.begin() as connection:
            await connection.execute(change, {"amount": amount, "currency": currency, "slug": slug})
        await engine.dispose()

    def charges(self) -> int:
        """How many cards have been charged so far."""
        return sum(charge["status"] == "succeeded" for charge in self._at_stripe("charge"))

    def last_charge(self) -> dict[str, Any]:
        return self._at_stripe("charge")[-1]

    def approve_elsewhere(self, order_number: str) -> None:
        """Pass the 3-D Secure check of this order not in the page, but in the bank's own app."""
        intent = next(
            intent
            for intent in self._at_stripe("payment_intent")
            if intent["metadata"]["order_number"] == order_number
        )
        self.sandbox.stripe(f"3ds/{intent['id']}", client_secret=intent["client_secret"], outcome="complete")

    def _at_stripe(self, kind: str) -> list[dict[str, Any]]:
        overview = HTTP.get(f"{self.sandbox.stripe_url}/_sandbox/overview").raise_for_status().json()
        found: list[dict[str, Any]] = overview[kind]
        return found

    async def charged(self, count: int) -> None:
        """Wait until `count` cards have been charged."""
        await self._until(lambda: self.charges() >= count)

    async def link_mailed_to(self, email: str) -> str:
        """Wait for a mail with a sign-in link to this address; the last such link."""
        await self._until(lambda: bool(self._links(email)))
        return self._links(email)[-1]

    def _links(self, email: str) -> list[str]:
        texts = [mail["text"] for mail in self.sandbox.messages() if email in str(mail["to"])]
        return [found[0] for text in texts if (found := LINK.search(text))]

    async def _until(self, holds: Callable[[], bool]) -> None:
        async def look() -> bool:
            return holds()

        await eventually(look)

    def complaints(self) -> list[str]:
        """Lines of the server's log that an operator would have to look into."""
        said = self.log.read_text("utf-8").splitlines()
        return [line for line in said if re.search(r"\b(WARNING|ERROR|CRITICAL|Traceback|died)\b", line)]


@contextlib.contextmanager
def live_shop(settings: Settings) -> Iterator[LiveShop]:
    """`playbill serve` with its jobs, on a fresh database with the demo's catalog and one admin."""
    environment = environment_of(settings)
    run_playbill(["migrate"], environment)
    run_playbill(["seed"], environment)
    create_admin = ["create-admin", ADMIN, "--name=Ada", "--password-stdin"]
    run_playbill(create_admin, environment, typed=PASSWORD)
    log = settings.var_dir / "serve.log"
    with running(["sandbox"], settings, settings.var_dir / "sandbox.log"), running(["serve"], settings, log):
        wait_for([*health_addresses(settings), f"{settings.public_url}/readyz"])
        yield LiveShop(settings.public_url, Sandbox.of(settings), log, settings.database_url)


@contextlib.contextmanager
def live_demo(settings: Settings) -> Iterator[LiveShop]:
    """`playbill demo`: with its people and its past orders."""
    log = settings.var_dir / "demo.log"
    with running(["demo"], settings, log):
        wait_for([f"{settings.public_url}/readyz"], within_s=60)
        yield LiveShop(settings.public_url, Sandbox.of(settings), log, settings.database_url)

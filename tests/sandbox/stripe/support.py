"""A real stand-in process, a real webhook receiver, and waiting with a deadline."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import pytest
import stripe

from tests.http import sync_client
from tests.ports import free_port

SECRET_KEY = "sk_test_sandboxsecretkey"
PUBLISHABLE_KEY = "pk_test_sandboxpublishablekey"
WEBHOOK_SECRET = "whsec_sandbox"
VERSION = "2026-10-28.endive"
ROOT = Path(__file__).parents[3]

# The SDK hands httpx its bodies in the old way.
sdk_warning = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

T = TypeVar("T")
Json = dict[str, Any]


def eventually(look: Callable[[], T | None], seconds: float = 8.0) -> T:
    """Ask until the answer is true, and fail when it does not become so in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)  # the stand-in is another process: it is asked until it is so
    raise AssertionError("this did not happen in time")


class Sandbox:
    """One stand-in process and its control calls."""

    def __init__(self, *arguments: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "server.sandbox.stripe", "--port", str(self.port)]
        keys = ["--secret-key", SECRET_KEY, "--publishable-key", PUBLISHABLE_KEY]
        self._process = subprocess.Popen([*command, *keys, *arguments], cwd=ROOT)
        self.http = sync_client(base_url=self.url, timeout=20)
        eventually(self._is_ready, 20)

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, "the stand-in did not start"
        try:
            return self.http.get("/_sandbox/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        self.http.close()
        self._process.terminate()
        self._process.wait(10)

    def kill(self) -> None:
        self.http.close()
        self._process.kill()
        self._process.wait(10)

    def control(self, path: str, **body: Any) -> Any:
        answer = self.http.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self, path: str) -> Any:
        return self.http.get(f"/_sandbox/{path}").json()

    def settings(self, **changes: Any) -> None:
        self.control("settings", **changes)

    def event_types(self) -> list[str]:
        return [event["type"] for event in self.look("events")]

    def event(self, kind: str) -> Json:
        """The latest event of a type, awaited."""
        found: Json = eventually(
            lambda: next((one for one in reversed(self.look("events")) if one["type"] == kind), None)
        )
        return found

    def call(self, method: str, path: str, body: str = "", **headers: str) -> httpx.Response:
        """A call of the API, byte for byte, with the secret key."""
        usual = {
            "Authorization": f"Bearer {SECRET_KEY}",
            "Stripe-Version": VERSION,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        changed = {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.http.request(method, path, content=body, headers=changed)

    def browse(self, method: str, path: str, data: dict[str, str]) -> httpx.Response:
        """What Stripe.js in a buyer's browser sends."""
        data = {"key": PUBLISHABLE_KEY, **data}
        if method == "GET":
            return self.http.get(path, params=data)
        return self.http.post(path, data=data)

    def client(self, http_client: stripe.HTTPClient, retries: int = 0) -> stripe.StripeClient:
        addresses: Any = dict.fromkeys(("api", "files", "connect", "meter_events"), self.url)
        return stripe.StripeClient(
            SECRET_KEY,
            stripe_version=VERSION,
            base_addresses=addresses,
            http_client=http_client,
            max_network_retries=retries,
        )


@dataclass
class Delivered:
    """One webhook post as it came."""

    body: bytes
    headers: dict[str, str]

    @property
    def event(self) -> Json:
        event: Json = json.loads(self.body)
        return event


@dataclass
class Receiver:
    """A shop's webhook address: answers with `answers` one after the other, then 200."""

    answers: list[int] = field(default_factory=list)
    received: list[Delivered] = field(default_factory=list)

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # the sender was killed half-way: this is no delivery
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.received.append(Delivered(body, dict(self.headers)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Tests print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks/stripe"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def types(self) -> list[str]:
        return [one.event["type"] for one in self.received]

    def await_type(self, kind: str) -> Delivered:
        return eventually(lambda: next((one for one in self.received if one.event["type"] == kind), None))

from collections.abc import AsyncIterator, Iterator

import pytest
import stripe

from tests.sandbox.stripe.support import WEBHOOK_SECRET, Receiver, Sandbox


@pytest.fixture(scope="session")
def process() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    """The stand-in, knowing nothing."""
    process.control("reset")
    for endpoint in process.look("webhook_endpoints"):
        process.http.delete(f"/_sandbox/webhook_endpoints/{endpoint['id']}")
    return process


@pytest.fixture
async def http_client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[stripe.HTTPClient]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(stripe, "enable_telemetry", False)
    client = stripe.HTTPXClient(timeout=10)
    yield client
    await client.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
def client(sandbox: Sandbox, http_client: stripe.HTTPClient) -> stripe.StripeClient:
    """The official SDK, pointed at the stand-in."""
    return sandbox.client(http_client)


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    with Receiver() as receiver:
        sandbox.control("webhook_endpoints", url=receiver.url, secret=WEBHOOK_SECRET)
        yield receiver

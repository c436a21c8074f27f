"""What is asked of Stripe, how long an answer is waited for, and whose word is believed."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from server.checkout import service as checkout
from server.database.session import release
from server.integrations import stripe
from server.integrations.gateways import gateways, opened
from server.integrations.stripe import StripeGateway, StripeUnavailable
from server.integrations.stripe_facts import IntentState
from server.settings import Settings
from tests.conftest import Sandbox, Site
from tests.factories import create_course, deliver, intent_of, order_in, pay, signature_of

Transport = Callable[[httpx.AsyncHTTPTransport, httpx.Request], Awaitable[httpx.Response]]


@pytest_asyncio.fixture
async def browser(site: Site, session: None) -> httpx.AsyncClient:
    """In a shop with one course."""
    await create_course()
    return site.client()


@pytest.fixture
def calls(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Every call to Stripe as it goes out, retries too."""
    return lose(settings, monkeypatch, answers=0)


def lose(settings: Settings, monkeypatch: pytest.MonkeyPatch, *, answers: int) -> list[httpx.Request]:
    """Break off under the first `answers` to a new intent, when Stripe has made it; returns all calls."""
    calls: list[httpx.Request] = []
    ask: Transport = httpx.AsyncHTTPTransport.handle_async_request

    async def note(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        answer = await ask(transport, request)
        if request.url.port != settings.sandbox_stripe_port:
            return answer
        calls.append(request)
        creating = [call for call in calls if (call.method, call.url.path) == ("POST", "/v1/payment_intents")]
        if request not in creating or len(creating) > answers:
            return answer
        await answer.aclose()
        raise httpx.ReadError("the connection broke off", request=request)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", note)
    return calls


async def an_intent(gateway: StripeGateway) -> IntentState:
    return await gateway.create_intent(
        order_number="AAAAA-BBBBB", attempt=1, tries=0, amount=33000, currency="KRW", quote_digest="x"
    )


async def test_an_intent_is_asked_for_with_these_facts_and_no_others(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """No method that leaves the page, no customer, and no receipt but our own."""
    number = (await order_in(browser))["order"]

    quote = await checkout.quote(["first-night"], "KRW")
    (asked,) = sandbox.requests("POST", "/v1/payment_intents")
    assert asked["params"] == {
        "amount": "33000",
        "currency": "krw",
        "allowed_payment_method_types": ["card", "link"],
        "metadata": {"order_number": number, "app": "playbill", "attempt": "1", "quote": quote.digest},
        "description": f"Playbill {number}",
    }
    assert asked["headers"]["idempotency-key"] == f"order-{number}-1-0-33000krw"
    assert asked["headers"]["stripe-version"] == "2026-10-28.endive"


async def test_two_answers_lost_on_the_way_are_asked_for_again_under_the_same_key(
    browser: httpx.AsyncClient, sandbox: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(settings, monkeypatch, answers=2)

    order = await order_in(browser)

    asked = sandbox.requests("POST", "/v1/payment_intents")
    assert len(asked) == 3
    assert {one["headers"]["idempotency-key"] for one in asked} == {f"order-{order['order']}-1-0-33000krw"}
    made = [one for one in sandbox.events() if one["type"] == "payment_intent.created"]
    assert [one["data"]["object"]["id"] for one in made] == [intent_of(order)]


async def test_after_two_retries_nothing_more_is_tried(session: None, site: Site, sandbox: Sandbox) -> None:
    await sandbox.astripe("settings", api_fail="drop")

    with pytest.raises(StripeUnavailable):
        await an_intent(gateways().stripe)

    assert len(sandbox.requests("POST", "/v1/payment_intents")) == 3


async def test_an_answer_is_waited_for_ten_seconds(
    browser: httpx.AsyncClient, sandbox: Sandbox, calls: list[httpx.Request]
) -> None:
    intent = await pay(sandbox, await order_in(browser))
    await release()
    await gateways().stripe.fetch_whole(intent)

    assert len(calls) == 5
    waits = {seconds for call in calls for seconds in call.extensions["timeout"].values()}
    assert waits == {10}


async def test_no_answer_within_that_time_is_unavailable(
    session: None, site: Site, sandbox: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(stripe, "RETRIES", 0)
    gateway = StripeGateway(settings)
    await sandbox.astripe("settings", api_delay_ms=3000)

    with pytest.raises(StripeUnavailable):
        await an_intent(gateway)

    await gateway.close()


@pytest_asyncio.fixture
async def two_secrets(site: Site, settings: Settings) -> AsyncIterator[None]:
    """The site while the webhook's secret is replaced: it knows the new one and the old one."""
    changed = {"stripe_webhook_secrets": "whsec_new, whsec_old"}
    async with opened(Settings.model_validate(settings.model_dump() | changed)):
        yield


@pytest.mark.parametrize(("secret", "status"), [("whsec_new", 200), ("whsec_old", 200), ("whsec_third", 400)])
async def test_while_a_secret_is_replaced_both_are_believed_and_no_third(
    browser: httpx.AsyncClient, sandbox: Sandbox, two_secrets: None, secret: str, status: int
) -> None:
    await pay(sandbox, await order_in(browser))
    body = json.dumps(sandbox.event("payment_intent.succeeded")).encode()

    answer = await deliver(browser, body, signature_of(body, secret))

    assert answer.status_code == status

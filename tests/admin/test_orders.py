"""Support looks at an order and gives the money back; the overview and the alerts say what needs a person."""

import re
from datetime import datetime

import httpx
import pytest
from sqlalchemy import update

from server.accounts.models import Role
from server.admin import service
from server.admin.audit.wording import VALUES
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.alerts.records import (
    AmountDiffers,
    BoughtTwice,
    DisputeOpened,
    FraudWarned,
    MailStuck,
    NotSettled,
    PaidTwice,
    RefundFailed,
    RefundUnassigned,
)
from server.checkout import service as checkout
from server.checkout.models import Order
from server.clock import now
from server.database.session import current_session, session_scope, transaction
from server.mail.models import Mail, MailState
from server.mail.service import troubled
from server.tokens import new_id
from tests.conftest import Sandbox, Site
from tests.factories import bought, course, order_in, pay, post, signed_in, stock_site


async def sold(
    site: Site, sandbox: Sandbox, email: str = "guest@mail.example"
) -> tuple[httpx.AsyncClient, str]:
    """A support page in a browser, and the number of an order that a guest has paid."""
    await stock_site(site, [course("knife")])
    _, order = await bought(site, sandbox, "knife", email)
    client, _ = await signed_in(site, Role.SUPPORT)
    return client, str(order["order"])


async def test_an_order_shows_what_happened_and_is_refunded(site: Site, sandbox: Sandbox) -> None:
    client, number = await sold(site, sandbox)
    page = (await client.get(f"/admin/orders/{number}")).text
    for expected in (
        "Refund ₩33,000?",
        "access to 1 course closes",
        "guest@mail.example",
        "pi_",
        "4242",
        "Active",
    ):
        assert expected in page, expected

    answer = await post(client, f"/admin/orders/{number}/refund")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/orders/{number}")
    page = (await client.get(f"/admin/orders/{number}")).text
    for expected in ("Refunded", "re_", "Revoked"):
        assert expected in page, expected
    assert "/refund" not in page


async def test_a_refund_of_nothing_says_so_on_the_orders_page(site: Site, sandbox: Sandbox) -> None:
    client, number = await sold(site, sandbox)
    await post(client, f"/admin/orders/{number}/refund")
    answer = await post(client, f"/admin/orders/{number}/refund")
    assert answer.status_code == 409
    assert "nothing left to refund" in answer.text
    assert number in answer.text


async def test_orders_are_found_by_number_address_and_state(site: Site, sandbox: Sandbox) -> None:
    client, number = await sold(site, sandbox)
    for query in (f"q={number}", f"q={number.lower()}", "q=GUEST@mail", "status=paid", "status=nonsense", ""):
        assert number in (await client.get(f"/admin/orders?{query}")).text, query
    for query in ("q=other@mail.example", "status=refunded", "status=paid&page=2"):
        assert number not in (await client.get(f"/admin/orders?{query}")).text, query


async def paid(site: Site, at: datetime) -> None:
    """Let every order be paid at this time."""
    async with session_scope(site.app.ctx.sessions), transaction():
        await current_session().execute(update(Order).values(paid_at=at))


async def test_the_overview_counts_sales_and_troubles(
    site: Site, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, number = await sold(site, sandbox)
    noon = datetime.fromisoformat("2026-03-02T12:00:00+09:00")
    await paid(site, noon)
    monkeypatch.setattr(service, "now", lambda: noon)
    page = (await client.get("/admin")).text
    assert "<dt>Paid without access</dt><dd>0</dd>" in page
    assert "<dt>Orders paid today</dt><dd>1</dd>" in page
    assert page.count("₩33,000") == 3  # today, 30 days, and the latest order
    assert number in page


@pytest.mark.parametrize(("paid_at", "counted"), [("15:30", 1), ("14:30", 0)])
async def test_a_sale_counts_on_the_day_of_the_business_not_of_greenwich(
    site: Site, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, paid_at: str, counted: int
) -> None:
    """15:30 in Greenwich is half past midnight in Seoul: the first sale of the new day."""
    await sold(site, sandbox)
    await paid(site, datetime.fromisoformat(f"2026-03-01T{paid_at}+00:00"))
    monkeypatch.setattr(service, "now", lambda: datetime.fromisoformat("2026-03-02T00:40:00+09:00"))

    async with session_scope(site.app.ctx.sessions):
        assert (await service.sales_of_last_days(1)).orders == counted
        assert (await service.sales_of_last_days(2)).orders == 1


async def test_an_editor_sees_no_orders_on_the_overview(site: Site, sandbox: Sandbox) -> None:
    _, number = await sold(site, sandbox)
    editor, _ = await signed_in(site, Role.EDITOR)
    page = (await editor.get("/admin")).text
    assert "guest@mail.example" not in page
    assert number not in page
    assert "<dt>Published</dt><dd>1</dd>" in page


FACTS = (
    AmountDiffers(intent="pi_1", differs=["amount"], amount=100, currency="KRW"),
    NotSettled(intent="pi_1", type="payment_intent.succeeded", reason="unknown_order"),
    BoughtTwice(email="guest@mail.example"),
    PaidTwice(amount=33000, currency="KRW"),
    DisputeOpened(amount=33000, currency="KRW", reason="fraudulent"),
    RefundFailed(amount=33000, currency="KRW"),
    RefundUnassigned(amount=33000, currency="KRW"),
    FraudWarned(amount=33000, currency="KRW", reason="made_with_stolen_card"),
    MailStuck(reason="SMTPConnectError: refused"),
)


async def test_every_kind_of_alert_is_told_in_words_and_resolved(site: Site, sandbox: Sandbox) -> None:
    client, number = await sold(site, sandbox)
    async with session_scope(site.app.ctx.sessions):
        async with transaction():
            for facts in FACTS:
                await alerts.raise_alert(facts, facts.kind.value, order_number=number)
        raised = await alerts.open_alerts()
    page = (await client.get("/admin/alerts")).text
    assert {alert.kind for alert in raised} == set(AlertKind)
    assert "disputes ₩33,000 (fraudulent)" in page
    assert "amount_differs" not in page
    assert page.count("Mark as handled") == len(AlertKind)
    assert (
        f'Open alerts</dt><dd><a class="reach" href="/admin/alerts">{len(AlertKind)}</a>'
        in (await client.get("/admin")).text
    )
    assert "disputes ₩33,000" in (await client.get(f"/admin/orders/{number}")).text

    for alert in raised:
        assert (await post(client, f"/admin/alerts/{alert.id}/resolve")).status_code == 303
    assert "All is quiet" in (await client.get("/admin/alerts")).text
    assert (await post(client, f"/admin/alerts/{raised[0].id}/resolve")).status_code == 404


@pytest.mark.parametrize(("act", "state"), [("resend", MailState.WAITING), ("drop", MailState.DROPPED)])
@pytest.mark.parametrize("trouble", [MailState.FAILED, MailState.UNCERTAIN])
async def test_a_mail_in_trouble_is_sent_again_or_let_be(
    site: Site, act: str, state: MailState, trouble: MailState
) -> None:
    client, _ = await signed_in(site, Role.SUPPORT)
    mail_id, at = new_id(), now()
    async with session_scope(site.app.ctx.sessions), transaction():
        current_session().add(
            Mail(
                id=mail_id,
                once_key="receipt:1",
                recipient="guest@mail.example",
                subject="Your receipt",
                text="text",
                html="html",
                state=trouble,
                next_try_at=at,
                created_at=at,
            )
        )
    assert "“Your receipt” to guest@mail.example" in (await client.get("/admin/alerts")).text
    assert (await post(client, f"/admin/alerts/mails/{mail_id}", act=act)).status_code == 303
    async with session_scope(site.app.ctx.sessions):
        assert await troubled() == []
        stored = await current_session().get_one(Mail, mail_id)
        assert stored.state is state


@pytest.mark.parametrize("state", list(MailState))
async def test_an_order_and_the_audit_call_the_state_of_a_mail_by_one_word(
    site: Site, sandbox: Sandbox, state: MailState
) -> None:
    client, number = await sold(site, sandbox)
    async with session_scope(site.app.ctx.sessions), transaction():
        await current_session().execute(update(Mail).values(state=state))

    page = (await client.get(f"/admin/orders/{number}")).text

    mails = page.split('id="mails"')[1]
    assert re.findall(r'<span class="badge[^"]*">(.*?)</span>', mails) == [state.label]
    assert VALUES["mail.state"][state] == state.label


async def test_a_persons_page_shows_what_they_bought(site: Site, sandbox: Sandbox) -> None:
    await stock_site(site, [course("knife")])
    viewer, account = await signed_in(site, name="mina")
    order = await order_in(viewer, "knife")
    intent = await pay(sandbox, order)
    async with session_scope(site.app.ctx.sessions):
        await checkout.settle(intent)
    client, _ = await signed_in(site, Role.SUPPORT)
    page = (await client.get(f"/admin/users/{account.id}")).text
    assert page.count(order["order"]) >= 2  # beside the grant, and among the orders
    assert "Bought" in page
    assert f'href="/admin/users/{account.id}"' in (await client.get(f"/admin/orders/{order['order']}")).text

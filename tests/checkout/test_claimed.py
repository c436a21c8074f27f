"""A browser whose purchase is in an account by now is led to it, and told nobody's address."""

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select, update

from server.accounts import links
from server.checkout.models import Order, OrderItem, OrderStatus
from server.database.session import current_session, transaction
from server.mail.models import Mail
from tests.conftest import Sandbox, Site
from tests.factories import bought, create_account, mailed_link, post, sign_in

COURSE = "/courses/first-night"
SEND = "/checkout/first-night/sign-in-link"
SAYS = "You bought this. It is in your account now."
ADDRESS = "guest@mail.example"


@pytest_asyncio.fixture
async def claimed(shop: Site, sandbox: Sandbox) -> httpx.AsyncClient:
    """The browser that bought the course; its receipt's link was followed in another one."""
    buyer, _ = await bought(shop, sandbox, email=ADDRESS)
    link = await mailed_link(sandbox, ADDRESS)
    await post(shop.client(), link)
    return buyer


async def mails_so_far() -> int:
    await current_session().reset()
    return await current_session().scalar(select(func.count()).select_from(Mail)) or 0


@pytest.mark.parametrize("path", [COURSE, "/checkout/first-night"])
async def test_it_is_offered_a_sign_in_link_in_place_of_buying(claimed: httpx.AsyncClient, path: str) -> None:
    page = await claimed.get(path)

    assert page.status_code == 200
    assert SAYS in page.text
    assert "Send me a sign-in link" in page.text
    assert 'href="/checkout/first-night"' not in page.text
    assert ADDRESS not in page.text


async def test_the_link_goes_to_the_account_and_leads_to_the_course(
    claimed: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sent = await post(claimed, SEND)
    link = await mailed_link(sandbox, ADDRESS)
    followed = await post(claimed, link)
    watching = await claimed.get(followed.headers["location"])

    assert sent.status_code == 200
    assert ADDRESS not in sent.text
    assert watching.headers["location"].startswith("/learn/first-night/")


async def test_links_that_are_asked_for_again_and_again_are_braked(claimed: httpx.AsyncClient) -> None:
    answers = [await post(claimed, SEND) for _ in range(links.PER_ADDRESS_AND_IP + 1)]

    assert [answer.status_code for answer in answers] == [200] * links.PER_ADDRESS_AND_IP + [429]
    assert "it still works" in answers[-1].text
    assert ADDRESS not in answers[-1].text


async def test_after_a_refund_it_may_buy_again(claimed: httpx.AsyncClient) -> None:
    async with transaction():
        await current_session().execute(update(Order).values(status=OrderStatus.REFUNDED))
        await current_session().execute(update(OrderItem).values(refunded_amount=OrderItem.amount))

    assert 'href="/checkout/first-night"' in (await claimed.get(COURSE)).text
    assert (await post(claimed, SEND)).status_code == 404


async def test_another_account_in_that_browser_may_buy_for_itself(claimed: httpx.AsyncClient) -> None:
    await create_account("other@mail.example")
    await sign_in(claimed, "other@mail.example")

    assert 'href="/checkout/first-night"' in (await claimed.get(COURSE)).text


async def test_a_stranger_gets_no_mail_sent_and_costs_no_question_about_orders(
    claimed: httpx.AsyncClient, shop: Site
) -> None:
    mails = await mails_so_far()
    stranger = shop.client()

    with shop.statements() as statements:
        page = await stranger.get(COURSE)
    refused = await post(stranger, SEND)

    assert SAYS not in page.text
    assert not [one for one in statements if "orders" in one]
    assert refused.status_code == 404
    assert await mails_so_far() == mails

"""The mailed link claims what a guest bought; an address that somebody typed opens nothing."""

import re

import httpx
from sqlalchemy import func, select

from server.access.models import Grant
from server.accounts import service as accounts
from server.accounts.models import User
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.checkout import service as checkout
from server.database.session import current_session, transaction
from server.playback.models import Progress
from tests.conftest import Sandbox, Site
from tests.factories import bought, create_account, create_course, mailed_link, order_in, pay, post, sign_in


async def follow(client: httpx.AsyncClient, link: str) -> httpx.Response:
    return await post(client, link)


async def holders() -> list[str]:
    await current_session().reset()
    return list(await current_session().scalars(select(Grant.viewer_id)))


async def test_the_first_followed_link_makes_the_account_and_moves_the_purchase(
    shop: Site, sandbox: Sandbox
) -> None:
    buyer, order = await bought(shop, sandbox, email="New@mail.example")
    link = await mailed_link(sandbox, "New@mail.example")

    async with shop.client() as phone:
        answer = await follow(phone, link)
        course = await phone.get("/learn/first-night")
        receipt = await phone.get(f"/orders/{order['order']}")
    old_browser = await buyer.get(f"/orders/{order['order']}")

    account = await accounts.find_by_email("new@mail.example")
    assert account is not None and account.is_proven
    assert answer.status_code == 303
    assert course.headers["location"].startswith("/learn/first-night/")
    assert receipt.status_code == 200
    # Somebody else may sit at the old browser now: it has to sign in.
    assert old_browser.headers["location"].startswith("/login?next=/orders/")
    assert await holders() == [account.id]


async def test_opening_the_link_without_pressing_its_button_spends_nothing(
    shop: Site, sandbox: Sandbox
) -> None:
    await bought(shop, sandbox)
    link = await mailed_link(sandbox, "guest@mail.example")

    async with shop.client() as scanner, shop.client() as person, shop.client() as late:
        for _ in range(3):
            assert (await scanner.get(link)).status_code == 200
        assert (await follow(person, link)).status_code == 303
        assert (await late.get(link)).status_code == 404


async def test_a_stranger_who_knows_the_address_gets_nothing(shop: Site, sandbox: Sandbox) -> None:
    """Whoever types somebody's address at checkout pays for them and opens nothing of theirs."""
    victim = await create_account("victim@mail.example")
    await bought(shop, sandbox, email="another@mail.example")

    stranger, _ = await bought(shop, sandbox, email="victim@mail.example")
    seen = [(await stranger.get(path)).status_code for path in ("/account", "/learn", "/")]

    assert seen == [303, 200, 200]
    assert victim.id not in await holders()


async def test_who_signed_up_first_with_somebody_elses_address_gets_nothing(
    shop: Site, sandbox: Sandbox
) -> None:
    """An unproven account with a password and a sign-in: both end when the address is proven."""
    async with transaction():
        squatter = await accounts.open_unproven("owner@mail.example", "en")
    async with transaction():
        await current_session().execute(
            User.__table__.update().values(password_hash="$argon2id$whatever")  # type: ignore[attr-defined]
        )
    await bought(shop, sandbox, email="owner@mail.example")
    link = await mailed_link(sandbox, "owner@mail.example")

    async with shop.client() as owner:
        await follow(owner, link)

    await current_session().reset()
    user = (await current_session().scalars(select(User))).one()
    assert (user.id, user.password_hash) == (squatter.id, None)
    assert await holders() == [squatter.id]


async def test_signing_out_takes_the_order_key_along(shop: Site, sandbox: Sandbox) -> None:
    buyer, order = await bought(shop, sandbox)
    await post(buyer, "/logout")

    assert (await buyer.get(f"/orders/{order['order']}")).status_code == 404


async def test_two_guests_of_one_address_are_told_to_staff(shop: Site, sandbox: Sandbox) -> None:
    for _ in range(2):
        await bought(shop, sandbox, email="same@mail.example")

    await current_session().reset()
    assert [alert.kind for alert in await alerts.open_alerts()] == [AlertKind.BOUGHT_TWICE]


async def test_a_claim_moves_into_the_account_that_exists(shop: Site, sandbox: Sandbox) -> None:
    account = await create_account("vera@mail.example")
    await bought(shop, sandbox, email="VERA@mail.example")

    async with shop.client() as client:
        await follow(client, await mailed_link(sandbox, "VERA@mail.example"))

    assert await holders() == [account.id]
    assert await current_session().scalar(select(func.count()).select_from(User)) == 1


async def test_any_link_to_the_address_claims_what_waits(shop: Site, sandbox: Sandbox) -> None:
    await bought(shop, sandbox, email="guest@mail.example")
    async with shop.client() as client:
        await post(client, "/login/link", email="guest@mail.example")
        await follow(client, await mailed_link(sandbox, "guest@mail.example"))
        course = await client.get("/learn/first-night")

    assert course.headers["location"].startswith("/learn/first-night/")


async def test_progress_moves_with_the_purchase(shop: Site, sandbox: Sandbox) -> None:
    buyer, _ = await bought(shop, sandbox)
    watch = (await buyer.get("/learn/first-night")).headers["location"]
    page = await buyer.get(watch)
    player = re.search(r'src="([^"]+/s\?[^"]+)"', page.text)
    assert player
    played = await sandbox.akollus("play", url=player[1].replace("&amp;", "&"), watch=[[0, 30]], rate=1)
    assert played["started"], played
    link = await mailed_link(sandbox, "guest@mail.example")

    async with shop.client() as client:
        await follow(client, link)

    account = await accounts.find_by_email("guest@mail.example")
    assert account is not None
    await current_session().reset()
    (progress,) = (await current_session().scalars(select(Progress))).all()
    assert progress.viewer_id == account.id
    assert progress.percent > 0


async def test_a_second_purchase_of_the_same_browser_waits_for_its_own_link(
    shop: Site, sandbox: Sandbox
) -> None:
    await create_course("second-night")
    buyer, _ = await bought(shop, sandbox, email="one@mail.example")
    async with shop.client() as client:
        await follow(client, await mailed_link(sandbox, "one@mail.example"))
    order = await order_in(buyer, "second-night", "two@mail.example")
    intent = await pay(sandbox, order)
    await current_session().reset()
    await checkout.settle(intent)

    one = await accounts.find_by_email("one@mail.example")
    assert one is not None
    owners = await holders()
    assert sorted(owner == one.id for owner in owners) == [False, True]
    assert (await buyer.get("/learn/second-night")).status_code == 303


async def test_signing_in_by_password_is_not_a_claim_of_another_address(shop: Site, sandbox: Sandbox) -> None:
    await create_account("vera@mail.example")
    _, order = await bought(shop, sandbox, email="other@mail.example")

    async with shop.client() as client:
        await sign_in(client, "vera@mail.example")
        assert (await client.get(f"/orders/{order['order']}")).status_code == 404
        assert (await client.get("/learn/first-night")).headers["location"] == "/courses/first-night"

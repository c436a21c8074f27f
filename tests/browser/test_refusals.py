"""What the checkout says when it cannot take the money: once, in words, with the way on in reach."""

from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import NewVisitor
from tests.browser.live import LiveShop
from tests.browser.visitor import DECLINED, DESK, Visitor
from tests.engines import on_sqlite

pytestmark = on_sqlite

COURSE = "knife-and-board"
NO_MONEY = "4000000000009995"
WRONG_CODE = "4000000000000127"
EXPIRED = "4000000000000069"
TROUBLE = "4000000000000119"
STOLEN = "4000000000009979"


# No two of the same words in a row: a notice that is still there is not taken for a new one.
BANKS_WORDS = [
    (DECLINED, "Your bank declined this card.", "카드사에서 승인을 거절했어요."),
    (NO_MONEY, "There isn't enough money on this card", "카드 잔액이나 한도가 부족해요."),
    (STOLEN, "Your bank declined this card.", "카드사에서 승인을 거절했어요."),
    (WRONG_CODE, "The card number, date or security code isn't right.", "맞지 않는 것이 있어요."),
    (TROUBLE, "Your bank couldn't process the card just now.", "지금 카드사에서 결제를 처리하지 못했어요."),
    (EXPIRED, "The card number, date or security code isn't right.", "맞지 않는 것이 있어요."),
]


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
async def test_a_refusal_by_the_bank_is_told_apart_from_a_wrong_number(
    new_visitor: NewVisitor, locale: str
) -> None:
    buyer = await new_visitor(locale=locale)
    buyer.expected.append("status of 402")
    await buyer.open_checkout(COURSE)
    await buyer.page.locator("[name=email]").fill("dunja@mail.example")
    for card, english, korean in BANKS_WORDS:
        await buyer.type_card(card)
        await buyer.pay_button.press("Enter")
        await buyer.is_told(english if locale == "en-US" else korean)
        await buyer.sees("declined")


@pytest.mark.parametrize("pressed_in", ["button", "card"])
async def test_after_a_decline_pay_is_the_next_stop_but_one(guest: Visitor, pressed_in: str) -> None:
    """The first stop takes one back into the card form, which is still filled."""
    guest.expected.append("status of 402")
    await guest.open_checkout(COURSE)
    await guest.fill_in("dunja@mail.example", DECLINED)
    where = guest.pay_button if pressed_in == "button" else guest.card.locator('[name="cvc"]')
    await where.press("Enter")
    await guest.sees("declined")
    await guest.is_told("Your bank declined this card.")
    to_card = guest.button("Change the card")
    await guest.press_tab()
    await expect(to_card).to_be_focused()
    await guest.press_tab()
    await expect(guest.pay_button).to_be_focused()
    await to_card.click()
    await expect(guest.card.locator('[name="number"]')).to_be_focused()
    await expect(guest.card.locator('[name="expiry"]')).to_have_value("12 / 34")


async def test_the_button_is_hit_by_a_finger_after_a_decline(shop: LiveShop, guest: Visitor) -> None:
    guest.expected.append("status of 402")
    charges = shop.charges()
    await guest.open_checkout(COURSE)
    await guest.fill_in("dunja@mail.example", DECLINED)
    await guest.pay_button.click()
    await guest.sees("declined")
    await guest.is_told("Your bank declined this card.")
    await guest.type_card()
    await guest.pay_button.click()
    await guest.sees("succeeded")
    assert shop.charges() == charges + 1


async def test_a_second_refusal_replaces_the_first(guest: Visitor) -> None:
    guest.expected.append("status of 402")
    await guest.open_checkout(COURSE)
    await guest.fill_in("dunja@mail.example", DECLINED)
    await guest.pay_button.click()
    await guest.is_told("Your bank declined this card.")
    await guest.type_card(NO_MONEY)
    await guest.pay_button.click()
    await guest.is_told("There isn't enough money")
    await expect(guest.notices).not_to_contain_text("declined", use_inner_text=True)


async def test_a_price_that_changed_is_shown_and_charged_only_after_another_press(
    shop: LiveShop, guest: Visitor
) -> None:
    charges = shop.charges()
    guest.expected.append("status of 409")
    await shop.set_price(COURSE, "USD", 2900)
    await guest.open_checkout(COURSE)
    await guest.fill_in("petra@mail.example")
    await expect(guest.pay_button).to_have_accessible_name("Pay $29.00")
    await shop.set_price(COURSE, "USD", 3500)
    await guest.pay_button.click()
    await guest.sees("changed")
    await guest.is_told("The price has changed.", "It's $35.00 now. Nothing was charged.")
    await expect(guest.pay_button).to_have_accessible_name("Pay $35.00")
    summary = guest.page.locator(".order-summary")
    await expect(summary).to_contain_text("$35.00", use_inner_text=True)
    await expect(summary).not_to_contain_text("$29.00", use_inner_text=True)
    assert shop.charges() == charges
    await guest.press_pay_again()
    await guest.sees("succeeded")
    assert shop.charges() == charges + 1
    assert shop.last_charge()["amount"] == 3500


async def test_a_course_that_costs_nothing_now_opens_without_a_card(
    shop: LiveShop, new_visitor: NewVisitor
) -> None:
    charges = shop.charges()
    await shop.set_price("sql-backstage", "USD", 0)
    guest = await new_visitor()
    await guest.open("/checkout/sql-backstage")
    await guest.sees("ready")
    await expect(guest.page.locator(".pay-card")).to_be_hidden()
    await guest.page.locator("[name=email]").fill("fritz@mail.example")
    await expect(guest.pay_button).to_have_accessible_name("Get it for free")
    await guest.pay_button.click()
    await guest.sees("succeeded")
    await guest.link("Start watching").click()
    await guest.play()
    assert shop.charges() == charges


async def test_a_course_that_is_free_no_more_asks_for_a_card_first(
    shop: LiveShop, new_visitor: NewVisitor
) -> None:
    charges = shop.charges()
    await shop.set_price("the-left-hand-of-jazz", "USD", 0)
    guest = await new_visitor()
    guest.expected.append("status of 409")
    await guest.open("/checkout/the-left-hand-of-jazz")
    await guest.sees("ready")
    await guest.page.locator("[name=email]").fill("fritz@mail.example")
    await shop.set_price("the-left-hand-of-jazz", "USD", 3300)
    await guest.pay_button.click()
    await guest.sees("changed")
    await guest.is_told("It's $33.00 now.")
    await guest.type_card()
    await guest.press_pay_again()
    await guest.sees("succeeded")
    assert shop.charges() == charges + 1


@pytest.mark.parametrize(
    ("status", "error", "state", "words"),
    [
        (409, {"code": "order_in_progress"}, "in-progress", "You are paying for this in another window."),
        (429, {"code": "too_many_requests"}, "busy", "Too many attempts from here."),
        (403, {"code": "forbidden"}, "stale", "You were signed out"),
        (422, {"code": "currency_not_offered"}, "closed", "no longer on sale"),
    ],
)
async def test_a_press_that_our_server_refuses_says_why_and_what_to_do(
    guest: Visitor, status: int, error: dict[str, Any], state: str, words: str
) -> None:
    guest.expected.append(f"status of {status}")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=status, json={"error": {"message": "", **error}})

    await guest.page.route("**/order", refuse)
    await guest.open_checkout(COURSE)
    await guest.fill_in("elsa@mail.example")
    await guest.pay_button.click()
    await guest.sees(state)
    await expect(guest.notices).to_have_count(1)
    await expect(guest.notices).to_be_focused()
    await expect(guest.notices).to_be_in_viewport(ratio=1)
    await expect(guest.notices).to_contain_text(words, use_inner_text=True)
    await expect(guest.pay_button).to_be_hidden()


async def test_what_one_owns_is_said_and_leads_there(guest: Visitor) -> None:
    guest.expected.append("status of 409")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=409, json={"error": {"code": "already_owned", "message": ""}})

    await guest.page.route("**/order", refuse)
    await guest.open_checkout(COURSE)
    await guest.fill_in("olof@mail.example")
    await guest.pay_button.click()
    await guest.sees("owned")
    await expect(guest.link("Continue")).to_be_focused()


@pytest.mark.parametrize("viewport", [DESK, {"width": 320, "height": 568}])
async def test_a_notice_and_the_button_are_in_view_on_other_screens_too(
    new_visitor: NewVisitor, viewport: Any
) -> None:
    dora = await new_visitor(viewport=viewport)
    dora.expected.append("status of 402")
    await dora.open_checkout(COURSE)
    await dora.fill_in("dora@mail.example", DECLINED)
    await dora.pay_button.click()
    await dora.is_told("Your bank declined this card.")

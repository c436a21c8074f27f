"""What goes wrong at the counter, and that nobody pays twice or stands there without an answer."""

import asyncio
import re

from playwright.async_api import Route, expect

from tests.browser.live import LiveShop
from tests.browser.visitor import DECLINED, THREE_D_SECURE, Visitor
from tests.engines import on_sqlite
from tests.factories import eventually

pytestmark = on_sqlite

COURSE = "a-drawing-a-day"
# What a second press finds: the money of the first, or, once that is settled, the open course.
PAID = re.compile("^(succeeded|owned)$")


async def test_a_declined_card_leaves_the_form_filled_and_a_good_one_pays(
    shop: LiveShop, guest: Visitor
) -> None:
    charges = shop.charges()
    guest.expected.append("status of 402")  # Stripe's answer to the card, which Chromium logs
    await guest.open_checkout(COURSE)
    await guest.fill_in("dora@mail.example", DECLINED)
    await guest.pay_button.click()
    await guest.sees("declined")
    await expect(guest.page.get_by_role("alert")).to_contain_text("Nothing was charged.")
    await guest.is_told("Your bank declined this card.")
    await expect(guest.page.get_by_label("E-mail")).to_have_value("dora@mail.example")
    await expect(guest.card.locator('[name="expiry"]')).to_have_value("12 / 34")
    await expect(guest.pay_button).to_be_enabled()
    await guest.type_card()
    await guest.press_pay_again()
    await guest.sees("succeeded")
    assert shop.charges() == charges + 1


async def test_a_failed_3d_secure_check_can_be_passed_at_the_second_try(
    shop: LiveShop, guest: Visitor
) -> None:
    charges = shop.charges()
    await guest.open_checkout(COURSE)
    await guest.fill_in("theo@mail.example", THREE_D_SECURE)
    await guest.pay_button.click()
    await guest.bank.locator("#test-source-fail-3ds").click()
    await guest.sees("declined")
    await guest.is_told("Your bank couldn't confirm that it's you.", "Nothing was charged.")
    await guest.press_pay_again()
    await guest.bank.locator("#test-source-authorize-3ds").click()
    await guest.sees("succeeded")
    assert shop.charges() == charges + 1


async def test_a_tab_closed_right_after_the_charge_loses_nothing(shop: LiveShop, guest: Visitor) -> None:
    """Neither the page nor the buyer was told: the webhook pays the order, the mail brings the way in."""
    shop.trouble(confirm_delay_ms=60_000)
    charges = shop.charges()
    await guest.open_checkout(COURSE)
    await guest.fill_in("cleo@mail.example")
    await guest.pay_button.click()
    await shop.charged(charges + 1)
    number = await guest.order_number()
    await guest.come_back()
    link = await shop.link_mailed_to("cleo@mail.example")
    await guest.open(f"/orders/{number}")
    await expect(guest.page.get_by_role("heading", name="Paid. The course is yours.")).to_be_visible()
    await guest.context.clear_cookies()
    await guest.follow(link)
    await guest.link("Not now").click()
    await guest.play()


async def test_a_reload_while_the_payment_is_under_way_ends_in_success_without_a_second_charge(
    shop: LiveShop, guest: Visitor
) -> None:
    """No webhook comes either: the pressed button finds the old payment."""
    shop.sandbox.stripe("settings", deliver="manual")
    shop.trouble(confirm_delay_ms=60_000)
    charges = shop.charges()
    await guest.open_checkout(COURSE)
    await guest.fill_in("rita@mail.example")
    await guest.pay_button.click()
    await shop.charged(charges + 1)
    shop.trouble()
    await guest.page.reload()
    if "/checkout/" in guest.page.url:  # else the sweep was faster, and the course is open already
        guest.expected.append("status of 409")
        await guest.sees("ready")
        await guest.fill_in("rita@mail.example")
        await guest.pay_button.click()
        await expect(guest.form).to_have_attribute("data-state", PAID)
        await guest.open(f"/learn/{COURSE}")
    await guest.play()
    assert shop.charges() == charges + 1


async def test_an_approval_in_the_banks_own_app_turns_the_waiting_order_page_into_the_receipt(
    shop: LiveShop, guest: Visitor
) -> None:
    """The buyer left the checkout for the order page meanwhile; no webhook comes."""
    shop.sandbox.stripe("settings", deliver="manual")
    charges = shop.charges()
    await guest.open_checkout(COURSE)
    await guest.fill_in("olga@mail.example", THREE_D_SECURE)
    await guest.pay_button.click()
    await expect(guest.bank.locator("#test-source-authorize-3ds")).to_be_visible()
    number = await guest.order_number()
    await guest.open(f"/orders/{number}")
    waiting = guest.page.get_by_role("heading", name="We are waiting for the payment")
    await expect(waiting).to_be_visible()
    await guest.page.reload()
    await expect(waiting).to_be_visible()
    shop.approve_elsewhere(number)
    await expect(guest.link("Start watching")).to_be_visible(timeout=30_000)
    assert shop.charges() == charges + 1


async def test_a_double_click_charges_once(shop: LiveShop, guest: Visitor) -> None:
    charges = shop.charges()
    await guest.open_checkout(COURSE)
    await guest.fill_in("dina@mail.example")
    await guest.pay_button.dblclick()
    await guest.sees("succeeded")
    assert shop.charges() == charges + 1


async def test_two_tabs_of_one_buyer_pay_once(shop: LiveShop, guest: Visitor) -> None:
    charges = shop.charges()
    guest.expected.append("status of (400|409)")  # the slower tab is told that it is paid
    tabs = [guest.page, await guest.context.new_page()]
    for guest.page in tabs:
        await guest.open_checkout(COURSE)
        await guest.fill_in("tove@mail.example")
    await asyncio.gather(*(tab.locator("[data-pay]").click() for tab in tabs))
    for guest.page in tabs:
        await expect(guest.form).to_have_attribute("data-state", PAID)
    assert shop.charges() == charges + 1


async def test_a_bank_check_left_open_while_another_tab_pays_ends_in_the_course(
    shop: LiveShop, guest: Visitor
) -> None:
    charges = shop.charges()
    guest.expected.append("status of 400")  # the bank's page is told that there is nothing left to decide
    waiting, paying = guest.page, await guest.context.new_page()
    await guest.open_checkout(COURSE)
    await guest.fill_in("noor@mail.example", THREE_D_SECURE)
    await guest.pay_button.click()
    complete = guest.bank.locator("#test-source-authorize-3ds")
    await expect(complete).to_be_visible()
    guest.page = paying
    await guest.buy(COURSE, "noor@mail.example")
    guest.page = waiting
    await complete.click()
    await expect(guest.form).to_have_attribute("data-state", PAID)
    assert shop.charges() == charges + 1


async def test_the_card_form_writes_in_the_letters_of_the_page(guest: Visitor) -> None:
    await guest.open_checkout(COURSE)
    faces = "async () => (await document.fonts.ready, [...document.fonts].map(({ status }) => status))"
    assert await guest.card.locator("body").evaluate(faces) == ["loaded"]


async def test_back_after_paying_leads_to_the_course_and_not_to_a_second_charge(
    shop: LiveShop, guest: Visitor
) -> None:
    charges = shop.charges()
    await guest.buy(COURSE, "bo@mail.example")
    await guest.link("Start watching").click()
    await expect(guest.page).to_have_url(re.compile("/learn/"))
    await guest.page.go_back()
    await expect(guest.page).to_have_url(re.compile(f"/learn/{COURSE}"))
    assert shop.charges() == charges + 1


async def test_no_method_that_leaves_the_page_is_offered(guest: Visitor) -> None:
    """The stand-in's account has some; its form shows them to a page that does not say what it wants."""
    await guest.open_checkout(COURSE)
    await expect(guest.card.locator('[name="number"]')).to_be_visible()
    await expect(guest.card.get_by_role("button")).to_have_count(0)


async def test_without_stripes_script_the_page_says_so_calmly(shop: LiveShop, guest: Visitor) -> None:
    guest.expected.append(r"ERR_FAILED .*stripe\.js")
    await guest.page.route("**/stripe.js", lambda route: route.abort())
    await guest.open(f"/checkout/{COURSE}")
    await guest.sees("unreachable")
    await expect(guest.page.get_by_text("The card form did not load.")).to_be_visible()
    await expect(guest.pay_button).to_be_hidden()
    await guest.page.unroute("**/stripe.js")
    await guest.link("Load the page again").click()
    await guest.sees("ready")


async def test_a_card_form_that_cannot_be_shown_is_said_calmly(shop: LiveShop, guest: Visitor) -> None:
    """Stripe's script is there, but its form reports `loaderror`."""
    guest.expected.append("status of 500")
    shop.trouble(element="loaderror")
    await guest.open(f"/checkout/{COURSE}")
    await guest.sees("unreachable")
    await expect(guest.page.get_by_text("The card form did not load.")).to_be_visible()
    await expect(guest.pay_button).to_be_hidden()
    shop.trouble()
    await guest.link("Load the page again").click()
    await guest.sees("ready")


async def paid_for_long(guest: Visitor, email: str) -> None:
    """Pay, and be told nothing but *pending* for longer than anybody likes to look at a button."""
    asked = asyncio.Event()

    async def still_pending(route: Route) -> None:
        await route.fulfill(json={"status": "pending", "watch_url": None})
        asked.set()

    await guest.page.clock.install()
    await guest.page.route("**/orders/*/status", still_pending)
    await guest.open_checkout(COURSE)
    await guest.fill_in(email)
    await guest.pay_button.click()
    await asked.wait()
    await guest.sees("paying")
    await guest.page.clock.fast_forward(21_000)
    await guest.sees("processing")


async def test_a_payment_that_takes_long_lets_the_buyer_go_and_the_mail_comes(
    shop: LiveShop, guest: Visitor
) -> None:
    charges = shop.charges()
    await paid_for_long(guest, "lena@mail.example")
    said = guest.page.locator(".pay-done")
    await expect(said.get_by_role("heading", name="Your bank is still working on it")).to_be_visible()
    await expect(said).to_contain_text("You can leave this page. We send an e-mail")
    await expect(guest.pay_button).to_be_hidden()
    await expect(guest.page.get_by_label("E-mail")).to_be_hidden()
    await shop.link_mailed_to("lena@mail.example")
    await guest.link("Look at the order").click()
    await expect(guest.page.get_by_role("heading", name="Paid. The course is yours.")).to_be_visible()
    assert shop.charges() == charges + 1


async def test_a_page_that_waits_for_a_slow_payment_shows_it_when_it_is_through(
    shop: LiveShop, guest: Visitor
) -> None:
    charges = shop.charges()
    await paid_for_long(guest, "lasse@mail.example")
    await guest.page.unroute("**/orders/*/status")
    await guest.page.clock.fast_forward(60_000)
    await guest.sees("succeeded")
    await expect(guest.link("Start watching")).to_be_focused()
    await guest.link("Start watching").click()
    await expect(guest.page).to_have_url(re.compile(f"/learn/{COURSE}/"))
    assert shop.charges() == charges + 1


async def test_nothing_jumps_when_the_card_form_has_loaded(guest: Visitor) -> None:
    let_go = asyncio.Event()

    async def hold(route: Route) -> None:
        await let_go.wait()
        await route.continue_()

    await guest.page.route("**/stripe.js", hold)
    await guest.page.goto(f"/checkout/{COURSE}", wait_until="domcontentloaded")
    await guest.sees("loading")
    # Letters ask for their font when they are laid out first.
    await guest.page.evaluate("document.body.offsetHeight && document.fonts.ready.then(() => true)")
    before = await guest.pay_button.bounding_box()
    let_go.set()
    await guest.sees("ready")
    await expect(guest.card.locator('[name="cvc"]')).to_be_visible()
    assert await guest.pay_button.bounding_box() == before


async def test_whoever_signs_out_while_the_bank_asks_is_told_where_the_money_is(
    shop: LiveShop, guest: Visitor
) -> None:
    charges = shop.charges()
    guest.expected.append("status of 404")  # the order is in the account, and nobody is signed in
    await guest.sign_up("ines@mail.example")
    waiting, other = guest.page, await guest.context.new_page()
    await guest.open_checkout(COURSE)
    await guest.type_card(THREE_D_SECURE)
    await guest.pay_button.click()
    complete = guest.bank.locator("#test-source-authorize-3ds")
    await expect(complete).to_be_visible()
    guest.page = other
    await guest.sign_out()
    guest.page = waiting
    await complete.click()
    await guest.sees("gone")
    await expect(guest.notices).to_have_count(1)
    await expect(guest.notices).to_contain_text("the receipt is in your mail", use_inner_text=True)
    await expect(guest.pay_button).to_be_hidden()
    guest.page = other

    async def is_known() -> bool:
        await guest.open(f"/checkout/{COURSE}")
        return await other.get_by_text("You bought this. It is in your account now.").is_visible()

    await eventually(is_known)  # Stripe tells of the payment in its own time
    assert shop.charges() == charges + 1

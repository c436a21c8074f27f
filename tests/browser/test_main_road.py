"""Promise 4: paying opens no window and leaves no page, from the home page to the place where one stopped."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import NewVisitor
from tests.browser.live import LiveShop
from tests.browser.visitor import DESK, THREE_D_SECURE, Visitor
from tests.engines import on_sqlite


async def test_a_guest_buys_in_the_page_watches_and_goes_on_where_she_stopped(
    shop: LiveShop, guest: Visitor
) -> None:
    charges = shop.charges()
    await guest.open("/")
    await guest.page.get_by_role("link", name="Slow Bread").first.click()
    await guest.link("Buy").click()
    await guest.sees("ready")
    await guest.fill_in("mina@mail.example", THREE_D_SECURE)
    await guest.pay_button.click()
    await guest.bank.locator("#test-source-authorize-3ds").click()
    await guest.sees("succeeded")
    await expect(guest.link("Start watching")).to_be_focused()
    await guest.link("Start watching").click()
    await guest.play()
    await guest.plays_past(3)
    stopped_at = await guest.position()

    await guest.come_back()
    await guest.place_kept("/learn/slow-bread", int(stopped_at))
    await guest.open("/learn/slow-bread")
    assert await guest.play() >= int(stopped_at)
    assert shop.charges() == charges + 1


@on_sqlite
async def test_a_signed_in_viewer_buys_without_typing_an_address_and_finds_her_place_on_the_shelf(
    shop: LiveShop, new_visitor: NewVisitor
) -> None:
    vera = await new_visitor(viewport=DESK)
    await vera.sign_up("vera@mail.example")
    await vera.open("/courses/first-joinery")
    await vera.link("Buy").click()
    await vera.sees("ready")
    await expect(vera.page.get_by_label("E-mail")).to_have_count(0)
    await expect(vera.form).to_contain_text("Receipt to vera@mail.example")
    await vera.type_card()
    await vera.pay_button.click()
    await vera.sees("succeeded")
    await vera.link("Start watching").click()
    await vera.play()
    await vera.plays_past(3)
    await vera.player.locator("[data-toggle]").click()
    await expect(vera.page.locator("[data-place]")).to_have_text("Your place is kept.")

    await vera.come_back()
    await vera.place_kept("/learn/first-joinery", 3)
    await vera.open("/learn")
    await vera.link("First Joinery").click()
    assert await vera.play() >= 3


@on_sqlite
async def test_the_page_stays_on_the_site_and_no_window_opens_while_a_card_is_paid(
    new_visitor: NewVisitor, whole_chromium: Browser, shop: LiveShop
) -> None:
    """With third-party cookies blocked."""
    guest = await new_visitor(whole_chromium)
    store = "() => { document.cookie = 'a=b; SameSite=None; Secure'; return document.cookie; }"
    await guest.open_checkout("available-light")
    frame = await (await guest.page.locator("[data-payment-element] iframe").element_handle()).content_frame()
    assert frame is not None
    assert await frame.evaluate(store) == "", "third-party cookies are not blocked"
    await guest.fill_in("nina@mail.example", THREE_D_SECURE)
    guest.travelled.clear()
    await guest.pay_button.click()
    await guest.bank.locator("#test-source-authorize-3ds").click()
    await guest.sees("succeeded")
    assert guest.travelled == []
    assert len(guest.context.pages) == 1
    await guest.link("Start watching").click()
    await guest.play()
    assert all(url.startswith(f"{shop.url}/learn/available-light") for url in guest.travelled)
    assert guest.problems == []


@on_sqlite
async def test_a_course_is_bought_with_tab_and_enter_alone(guest: Visitor) -> None:
    keyboard = guest.page.keyboard
    await guest.open("/courses/the-balcony-garden")

    async def tab_to(reached: str) -> None:
        for _ in range(40):
            await guest.press_tab()
            if await guest.page.evaluate(reached):
                return
        pytest.fail(f"40 times Tab, and never: {reached}")

    await tab_to("document.activeElement.getAttribute('href') === '/checkout/the-balcony-garden'")
    await keyboard.press("Enter")
    await guest.sees("ready")
    await tab_to("document.activeElement.id === 'email'")
    await keyboard.type("kei@mail.example")
    await tab_to("document.activeElement.title === 'Secure payment input frame'")
    # The focus enters a frame of another site, and moves on in it, in a process of its own.
    for field, digits in (("number", "4242424242424242"), ("expiry", "1234"), ("cvc", "123")):
        await expect(guest.card.locator(f'[name="{field}"]')).to_be_focused()
        await keyboard.type(digits)
    await expect(guest.card.locator('[name="cvc"]')).to_have_value("123")
    await tab_to("document.activeElement.hasAttribute('data-pay')")
    await keyboard.press("Enter")
    await guest.sees("succeeded")
    await expect(guest.link("Start watching")).to_be_focused()
    await keyboard.press("Enter")
    await expect(guest.page).to_have_url(re.compile("/learn/the-balcony-garden/"))

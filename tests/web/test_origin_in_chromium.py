"""What a real browser says about the pages it stood on, and what comes of it."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from server.settings import Settings, configure
from tests.chromium import ELSEWHERE
from tests.conftest import Site
from tests.engines import on_sqlite
from tests.factories import PASSWORD, create_account, create_course

pytestmark = on_sqlite


@pytest_asyncio.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    context = await chromium.new_context(locale="en-US", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield await context.new_page()
    await context.close()


async def choose_korean(page: Page) -> None:
    await page.get_by_role("button", name="Language and currency").click()
    await page.get_by_label("Language", exact=True).select_option("ko")
    await page.get_by_role("button", name="Save").click()


async def expect_korean(page: Page) -> None:
    await expect(page.locator("html")).to_have_attribute("lang", "ko")


def under(host: str, site: Site) -> str:
    return site.url.replace("127.0.0.1", host)


async def test_a_form_of_a_public_page_needs_no_token(site: Site, session: None, page: Page) -> None:
    await page.goto(f"{site.url}/terms")

    await choose_korean(page)

    await expect_korean(page)
    await expect(page).to_have_url(f"{site.url}/terms")
    cookies = {cookie.get("name") for cookie in await page.context.cookies()}
    assert cookies == {"playbill_lang", "playbill_currency"}


async def test_this_machine_under_its_other_name_is_ours_as_well(
    site: Site, session: None, page: Page
) -> None:
    """Browsers trust `localhost` and send Fetch Metadata there: they vouch for the page."""
    await page.goto(f"{under('localhost', site)}/terms")

    await choose_korean(page)

    await expect_korean(page)
    await expect(page).to_have_url(f"{under('localhost', site)}/terms")


async def test_under_a_foreign_name_the_refusal_leads_to_the_right_address(
    site: Site, session: None, page: Page
) -> None:
    await page.goto(f"{under(ELSEWHERE, site)}/terms")

    await choose_korean(page)

    await expect(page.get_by_text(f"This site lives at {site.url}.")).to_be_visible()
    await page.get_by_role("link", name="Go there").click()
    await expect(page).to_have_url(f"{site.url}/")
    await choose_korean(page)
    await expect_korean(page)


async def test_pressing_pay_under_a_foreign_name_leads_to_the_right_address(
    site: Site, session: None, page: Page
) -> None:
    await create_course()
    await page.goto(f"{under(ELSEWHERE, site)}/checkout/first-night")
    await page.get_by_label("E-mail").fill("guest@mail.example")
    card = page.frame_locator('iframe[title="Secure payment input frame"]')
    for name, value in (("number", "4242424242424242"), ("expiry", "12 / 34"), ("cvc", "123")):
        await card.locator(f'[name="{name}"]').fill(value)

    await page.locator("[data-pay]").click()

    await expect(page.get_by_text("Nothing was charged.").filter(visible=True)).to_be_visible()
    await page.get_by_role("link", name="Go there").click()
    await expect(page).to_have_url(f"{site.url}/checkout/first-night")


async def test_a_browser_that_tells_nothing_is_asked_to_press_once_more(
    site: Site, session: None, page: Page, settings: Settings
) -> None:
    configure(settings.model_copy(update={"public_url": under(ELSEWHERE, site)}))
    await page.goto(f"{under(ELSEWHERE, site)}/terms")
    # Without a referrer, as privacy tools set it, a form's Origin is null.
    await page.evaluate(
        "document.head.append(Object.assign(document.createElement('meta'),"
        " {name: 'referrer', content: 'no-referrer'}))"
    )

    await choose_korean(page)

    await expect(page.get_by_role("heading", name="Please press once more")).to_be_visible()
    assert not [cookie for cookie in await page.context.cookies() if cookie.get("name") == "playbill_lang"]
    await page.get_by_role("button", name="Save").click()
    await expect_korean(page)
    await expect(page).to_have_url(f"{under(ELSEWHERE, site)}/terms")


async def test_a_page_from_before_the_sign_in_can_still_post(site: Site, session: None, page: Page) -> None:
    """As one of another tab, or one that *Back* brings up as it was."""
    await create_account()
    await page.goto(f"{site.url}/terms")
    other_tab = await page.context.new_page()
    await other_tab.goto(f"{site.url}/login")
    await other_tab.get_by_label("E-mail").fill("vera@mail.example")
    await other_tab.get_by_label("Password").fill(PASSWORD)
    await other_tab.keyboard.press("Enter")
    await expect(other_tab.get_by_role("status")).to_have_text("You are signed in.")

    await choose_korean(page)

    await expect_korean(page)
    await expect(page.get_by_text("Vera")).to_be_visible()

"""Who comes in by a mailed link, and what a refund closes."""

import re

from playwright.async_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.live import ADMIN, LiveShop
from tests.browser.visitor import DESK
from tests.engines import on_sqlite

COURSE = "leaving-the-light"


@on_sqlite
async def test_the_mailed_link_takes_the_course_to_another_device(
    shop: LiveShop, new_visitor: NewVisitor
) -> None:
    phone = await new_visitor()
    number = await phone.buy(COURSE, "luz@mail.example")
    link = await shop.link_mailed_to("luz@mail.example")

    desk = await new_visitor(viewport=DESK)
    await desk.open(f"/learn/{COURSE}")
    await expect(desk.page).to_have_url(f"{shop.url}/courses/{COURSE}")
    await desk.follow(link)
    await desk.link("Not now").click()
    await expect(desk.page).to_have_url(re.compile(f"/learn/{COURSE}/"))
    await desk.play()
    await desk.open("/account")
    await expect(desk.page.get_by_text(number)).to_be_visible()


async def test_a_refund_by_the_admin_closes_the_video_at_its_next_play(
    shop: LiveShop, new_visitor: NewVisitor
) -> None:
    guest = await new_visitor()
    number = await guest.buy(COURSE, "remy@mail.example")
    await guest.link("Start watching").click()
    # The second lecture: the first is a free preview, which a refund does not close.
    await guest.page.locator(".watch-next a").click()
    await guest.play()

    ada = await new_visitor(viewport=DESK)
    await ada.sign_in(ADMIN)
    await ada.open("/admin/orders")
    await ada.link(number).click()
    await ada.button("Refund").click()
    dialog = ada.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("access to 1 course closes")
    await dialog.get_by_role("button", name=re.compile("^Refund .*39")).click()
    await expect(ada.page.locator(".desk-head")).to_contain_text("Refunded")
    await expect(ada.button("Refund")).to_have_count(0)

    await guest.page.locator("[data-player] iframe").evaluate("(frame) => { frame.src = frame.src; }")
    await expect(guest.player.locator("[data-error] [data-code]")).to_have_text("8673")
    await guest.page.reload()
    await expect(guest.page).to_have_url(f"{shop.url}/courses/{COURSE}")
    await expect(guest.link("Buy")).to_be_visible()
    await guest.open(f"/orders/{number}")
    await expect(guest.page.get_by_role("heading", name="Your money is on its way back")).to_be_visible()

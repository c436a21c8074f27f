"""Korean on a phone: every page fits 390 px, and no word is cut off."""

import re

from playwright.async_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.live import ADMIN, LiveShop
from tests.browser.visitor import Visitor

COURSE = "asking-the-numbers"
PUBLIC = [
    "/",
    "/courses",
    "/courses?q=없는말",
    f"/courses/{COURSE}",
    "/login",
    "/login/link",
    "/signup",
    "/terms",
    "/privacy",
    "/refund-policy",
]
STAFF = [
    "/admin",
    "/admin/orders",
    "/admin/courses",
    f"/admin/courses/{COURSE}",
    "/admin/users",
    "/admin/alerts",
    "/account",
    "/account/password",
]

# Every visible text against the page's edge and against each box around it that hides what sticks out.
# Meant to be so: what scrolls sideways by itself, what ends in an ellipsis, and what only screen readers get.
MISFITS = """() => {
  const width = document.documentElement.clientWidth;
  const found = [];
  if (document.documentElement.scrollWidth > width) {
    found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const parent = text.parentElement;
    if (!text.data.trim() || !parent.checkVisibility() || parent.closest("option, .sr-only")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    let right = box.right > width + 1 || box.left < -1;
    for (let around = parent; around !== document.body; around = around.parentElement) {
      const style = getComputedStyle(around);
      if (/auto|scroll/.test(style.overflowX)) { right = false; break; }
      if (!/hidden|clip/.test(style.overflowX)) continue;
      if (style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none") continue;
      const edge = around.getBoundingClientRect();
      if (box.right > edge.right + 1 || box.bottom > edge.bottom + 1) right = true;
    }
    if (right) found.push(`cut off: ${text.data.trim().slice(0, 40)}`);
  }
  return found;
}"""


async def misfits(visitor: Visitor) -> list[str]:
    await visitor.page.evaluate("document.fonts.ready.then(() => true)")
    return [f"{visitor.page.url}: {misfit}" for misfit in await visitor.page.evaluate(MISFITS)]


async def test_every_page_of_the_shop_fits_a_phone_in_korean(shop: LiveShop, new_visitor: NewVisitor) -> None:
    hana = await new_visitor(locale="ko-KR")
    hana.expected.append("status of 404")
    found = []
    for path in [*PUBLIC, "/nowhere"]:
        await hana.open(path)
        await expect(hana.page.locator("html")).to_have_attribute("lang", "ko")
        found += await misfits(hana)
    await hana.open(f"/courses/{COURSE}")
    await hana.page.locator("a[href*='/preview/']").first.click()
    await expect(hana.page.locator("[data-player]")).to_have_attribute("data-state", "ready")
    found += await misfits(hana)
    await hana.open_checkout(COURSE)
    found += await misfits(hana)
    await hana.fill_in("hana.with.a.rather.long.address@mail.example")
    await hana.pay_button.click()
    await hana.sees("succeeded")
    found += await misfits(hana)
    number = await hana.order_number()
    for path in ("/learn", f"/learn/{COURSE}", f"/orders/{number}"):
        await hana.open(path)
        found += await misfits(hana)
    assert found == []


async def test_the_staff_pages_fit_a_phone_in_korean(shop: LiveShop, new_visitor: NewVisitor) -> None:
    number = await (await new_visitor()).buy(COURSE, "seller.of.long.addresses@mail.example")
    ada = await new_visitor(locale="ko-KR")
    await ada.sign_in(ADMIN)
    found = []
    for path in [*STAFF, f"/admin/orders/{number}"]:
        await ada.open(path)
        found += await misfits(ada)
    await ada.page.get_by_role("button", name="환불").first.click()
    await expect(ada.page.get_by_role("dialog")).to_be_visible()
    found += await misfits(ada)
    await ada.page.keyboard.press("Escape")
    await ada.open("/admin/users")
    await ada.page.locator("tbody a").first.click()
    await expect(ada.page).to_have_url(re.compile("/admin/users/."))
    found += await misfits(ada)
    assert found == []

"""Every page fits, on a phone in Korean and on a desk in English; a finger can hit every control."""

import re
from typing import Any

from playwright.async_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.live import ADMIN, LiveShop
from tests.browser.visitor import DESK, Visitor
from tests.engines import on_sqlite

pytestmark = on_sqlite

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
    "/admin/jobs",
    "/admin/audit",
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

# A control is hit by a finger that is off its middle by half of the least size: it lies there, or what leads
# to it, such as a label. Links within a sentence are no controls.
LEAST = 44
TOO_SMALL = """(least) => {
  const reach = least / 2 - 1;
  const unseen = ".sr-only, .skip, :disabled";
  const found = [];
  for (const one of document.querySelectorAll("a[href], button, summary, input, select, textarea")) {
    if (!one.checkVisibility({ visibilityProperty: true }) || one.closest(unseen)) continue;
    const words = [...one.parentElement.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const inSentence = words.some((node) => node.data.trim().length > 1);
    if (inSentence && getComputedStyle(one).display === "inline") continue;
    one.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const box = (one.closest("label") ?? one).getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const missed = [[0, -reach], [0, reach], [-reach, 0], [reach, 0]].some(([right, down]) => {
      const hit = document.elementFromPoint(x + right, y + down);
      return !one.contains(hit) && hit?.closest("label")?.control !== one;
    });
    const size = `${Math.round(box.width)} × ${Math.round(box.height)}`;
    if (missed) found.push(`${size}: ${one.outerHTML.slice(0, 90)}`);
  }
  scrollTo({ top: 0, behavior: "instant" });
  return found;
}"""


async def misfits(visitor: Visitor) -> list[str]:
    await visitor.page.evaluate("document.fonts.ready.then(() => true)")
    return [f"{visitor.page.url}: {misfit}" for misfit in await visitor.page.evaluate(MISFITS)]


async def too_small(visitor: Visitor) -> list[str]:
    return [f"{visitor.page.url}: {control}" for control in await visitor.page.evaluate(TOO_SMALL, LEAST)]


async def test_every_page_of_the_shop_fits_a_phone_in_korean(shop: LiveShop, new_visitor: NewVisitor) -> None:
    hana = await new_visitor(locale="ko-KR")
    hana.expected.append("status of 404")
    found = []
    for path in [*PUBLIC, "/nowhere"]:
        await hana.open(path)
        await expect(hana.page.locator("html")).to_have_attribute("lang", "ko")
        found += await misfits(hana) + await too_small(hana)
    await hana.open(f"/courses/{COURSE}")
    await hana.page.locator("a[href*='/preview/']").first.click()
    await expect(hana.page.locator("[data-player]")).to_have_attribute("data-state", "ready")
    found += await misfits(hana) + await too_small(hana)
    await hana.open_checkout(COURSE)
    found += await misfits(hana) + await too_small(hana)
    await hana.fill_in("hana.with.a.rather.long.address@mail.example")
    await hana.pay_button.click()
    await hana.sees("succeeded")
    found += await misfits(hana) + await too_small(hana)
    number = await hana.order_number()
    for path in ("/learn", f"/learn/{COURSE}", f"/orders/{number}"):
        await hana.open(path)
        found += await misfits(hana) + await too_small(hana)
    assert found == []


async def test_the_staff_pages_fit_a_phone_in_korean(shop: LiveShop, new_visitor: NewVisitor) -> None:
    number = await (await new_visitor()).buy(COURSE, "seller.of.long.addresses@mail.example")
    ada = await new_visitor(locale="ko-KR")
    await ada.sign_in(ADMIN)
    found = []
    for path in [*STAFF, f"/admin/orders/{number}"]:
        await ada.open(path)
        found += await misfits(ada) + await too_small(ada)
    await ada.page.get_by_role("button", name="환불").first.click()
    await expect(ada.page.get_by_role("dialog")).to_be_visible()
    found += await misfits(ada)
    await ada.page.keyboard.press("Escape")
    await ada.open("/admin/users")
    await ada.page.locator("tbody a").first.click()
    await expect(ada.page).to_have_url(re.compile("/admin/users/."))
    found += await misfits(ada)
    assert found == []


async def test_pages_fit_a_desk_in_english_and_in_the_dark(shop: LiveShop, new_visitor: NewVisitor) -> None:
    desk: dict[str, Any] = {"viewport": DESK, "color_scheme": "dark"}
    dana = await new_visitor(**desk)
    found = []
    for path in ("/", "/courses", f"/courses/{COURSE}", "/login", "/terms"):
        await dana.open(path)
        await expect(dana.page.locator("html")).to_have_attribute("lang", "en")
        found += await misfits(dana)
    await dana.open_checkout(COURSE)
    found += await misfits(dana)
    await dana.fill_in("dana.with.a.rather.long.address@mail.example")
    await dana.pay_button.click()
    await dana.sees("succeeded")
    number = await dana.order_number()
    for path in ("/learn", f"/learn/{COURSE}", f"/orders/{number}"):
        await dana.open(path)
        found += await misfits(dana)
    ada = await new_visitor(**desk)
    await ada.sign_in(ADMIN)
    for path in [*STAFF, f"/admin/orders/{number}"]:
        await ada.open(path)
        found += await misfits(ada)
    assert found == []

"""What axe-core finds in the pages around a payment, on a phone, in every state of the checkout."""

from importlib.resources import files
from typing import Any

import pytest

from tests.browser.conftest import NewVisitor
from tests.browser.live import ADMIN, LiveShop
from tests.browser.visitor import DECLINED, Visitor
from tests.engines import on_sqlite

pytestmark = on_sqlite

COURSE = "piano-for-late-beginners"
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
# Stripe's frame is Stripe's.
RUN = """async () => {
  const { violations } = await axe.run(document, { iframes: false });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}"""


async def violations(visitor: Visitor) -> list[str]:
    await visitor.page.evaluate(AXE)
    found: list[str] = await visitor.page.evaluate(RUN)
    return [f"{visitor.page.url}: {one}" for one in found]


@pytest.mark.parametrize(
    ("look", "email"),
    [({}, "mia@mail.example"), ({"color_scheme": "dark", "locale": "ko-KR"}, "mina.h@mail.example")],
)
async def test_paying_has_no_barrier_that_a_machine_can_find(
    shop: LiveShop, new_visitor: NewVisitor, look: dict[str, Any], email: str
) -> None:
    mia = await new_visitor(reduced_motion="reduce", **look)  # no color is judged on its way to another
    mia.expected.append("status of 402")
    found = []
    await mia.open_checkout(COURSE)
    found += await violations(mia)
    await mia.fill_in(email, DECLINED)
    await mia.pay_button.click()
    await mia.sees("declined")
    found += await violations(mia)
    await mia.type_card()
    await mia.press_pay_again()
    await mia.sees("succeeded")
    found += await violations(mia)
    number = await mia.order_number()
    await mia.open(f"/orders/{number}")
    found += await violations(mia)
    assert found == []


async def test_the_staffs_order_pages_have_none_on_a_phone_either(
    shop: LiveShop, new_visitor: NewVisitor
) -> None:
    number = await (await new_visitor()).buy(COURSE, "moe@mail.example")
    ada = await new_visitor(reduced_motion="reduce")
    await ada.sign_in(ADMIN)
    found = []
    for path in (
        "/admin",
        "/admin/orders",
        f"/admin/orders/{number}",
        "/admin/audit",
        "/admin/alerts",
        "/admin/users",
        "/admin/courses",
        f"/admin/courses/{COURSE}",
    ):
        await ada.open(path)
        found += await violations(ada)
    assert found == []

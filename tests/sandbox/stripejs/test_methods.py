"""Which methods a card form offers, and that it and its intent have to say the same."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from .conftest import Shop, Stripe

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD = "4242424242424242"
FORM = {"mode": "payment", "amount": 33000, "currency": "krw"}
IN_THE_PAGE = {"allowedPaymentMethodTypes": ["card", "link"]}
SAME = {"allowed_payment_method_types[0]": "card", "allowed_payment_method_types[1]": "link"}
NEVER = {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}


async def tabs(shop: Shop) -> list[str]:
    names: list[str] = await shop.card.locator(".Tab:visible").all_text_contents()
    return names


@pytest.mark.parametrize(
    ("currency", "names"),
    [("krw", ["카드", "Kakao Pay"]), ("usd", ["카드", "Klarna"]), ("jpy", ["카드", "PayPay"])],
)
async def test_who_does_not_say_which_methods_offers_one_that_leaves(
    shop: Shop, currency: str, names: list[str]
) -> None:
    await shop.open_form({**FORM, "currency": currency})
    assert await tabs(shop) == names


async def test_who_says_card_and_link_offers_no_other(shop: Shop) -> None:
    await shop.open_form({**FORM, **IN_THE_PAGE})
    assert await tabs(shop) == []


async def test_the_tabs_follow_an_update(shop: Shop) -> None:
    await shop.open_form(FORM)
    await shop.page.evaluate("elements.update({ currency: 'usd' })")
    await expect(shop.card.get_by_role("button", name="Klarna")).to_be_visible()
    await shop.page.evaluate("elements.update({ allowedPaymentMethodTypes: ['card'] })")
    await expect(shop.card.locator(".Tab:visible")).to_have_count(0)


async def test_form_and_intent_that_say_the_same_are_paid(shop: Shop, stripe: Stripe) -> None:
    await shop.open_form({**FORM, **IN_THE_PAGE})
    await shop.fill(GOOD)
    intent = stripe.intent(33000, **SAME)
    assert intent["payment_method_types"] == ["card", "link"]
    assert (await shop.pay(intent))["paymentIntent"]["status"] == "succeeded"


@pytest.mark.parametrize(
    ("amount", "currency", "methods", "form", "differs"),
    [
        (33001, "krw", SAME, IN_THE_PAGE, "amount (33001) does not match the expected amount (33000)"),
        (33000, "jpy", SAME, IN_THE_PAGE, "currency (jpy) does not match the expected currency (krw)"),
        (33000, "krw", NEVER, {}, '(["card", "link"]) does not match the expected payment_method_types'),
        (33000, "krw", {}, IN_THE_PAGE, 'the expected payment_method_types (["card", "link"])'),
    ],
)
async def test_an_intent_that_differs_from_its_form_is_refused_by_the_api(
    shop: Shop, stripe: Stripe, amount: int, currency: str, methods: dict[str, str], form: Any, differs: str
) -> None:
    intent = stripe.intent(amount, currency, **methods)
    await shop.open_form({**FORM, **form})
    await shop.fill(GOOD)
    error = (await shop.pay(intent))["error"]
    assert (error["type"], error["payment_intent"]["status"]) == (
        "invalid_request_error",
        "requires_payment_method",
    )
    assert differs in error["message"]
    assert stripe.status(intent) == "requires_payment_method"


async def test_an_update_brings_the_form_to_its_intent(shop: Shop, stripe: Stripe) -> None:
    await shop.open_form({**FORM, **IN_THE_PAGE})
    await shop.fill(GOOD)
    await shop.page.evaluate("elements.update({ amount: 45000 })")
    assert (await shop.pay(stripe.intent(45000, **SAME)))["paymentIntent"]["status"] == "succeeded"


async def test_a_method_that_leaves_can_be_chosen_and_not_be_paid_with(shop: Shop, stripe: Stripe) -> None:
    await shop.open_form(FORM)
    await shop.card.get_by_role("button", name="Kakao Pay").click()
    await shop.page.wait_for_function("() => events.at(-1)[1].value?.type === 'kakao_pay'")
    await expect(shop.card.locator('[name="number"]')).to_be_hidden()
    submitted = await shop.page.evaluate("elements.submit()")
    assert submitted == {"selectedPaymentMethod": "kakao_pay"}
    error = (await shop.pay(stripe.intent()))["error"]
    assert error["code"] == "sandbox_unsupported"
    await shop.card.get_by_role("button", name="카드").click()
    await shop.fill(GOOD)
    assert (await shop.pay(stripe.intent()))["paymentIntent"]["status"] == "succeeded"

"""What a buyer meets: in Chromium, on a shop of another site."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from .conftest import CARD_FRAME, CHALLENGE, PUBLISHABLE_KEY, Shop, Stripe
from .merchant import Merchant

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
THREE_D_SECURE = "4000002760003184"


async def test_a_card_pays_in_the_page(shop: Shop, stripe: Stripe) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.fill(GOOD)
    result = await shop.pay(intent)
    assert result["paymentIntent"]["status"] == "succeeded"
    assert stripe.status(intent) == "succeeded"
    assert shop.left == 0


async def test_events_come_in_the_real_order(shop: Shop) -> None:
    await shop.open_form()
    await shop.fill(GOOD)
    await shop.page.wait_for_function(
        "() => events.some(([name, event]) => name === 'change' && event.complete)"
    )
    events = await shop.page.evaluate("events")
    names = [name for name, _ in events]
    assert names[:3] == ["loaderstart", "ready", "change"]
    empty = {"elementType": "payment", "empty": True, "complete": False, "collapsed": False}
    assert events[2][1] == {**empty, "value": {"type": "card"}}
    assert {"focus"} <= set(names)


async def test_the_card_number_never_reaches_the_shop(shop: Shop, stripe: Stripe, merchant: Merchant) -> None:
    await shop.open_form()
    for card in (DECLINED, GOOD):
        await shop.fill(card, cvc="739")
        await shop.pay(stripe.intent())
    seen = [*merchant.received, *await shop.page.evaluate("heard"), await shop.page.content(), *shop.console]
    seen.append(json.dumps(await shop.page.evaluate("events")))
    digits = [re.sub(r"\D", "", text) for text in seen]
    assert len(seen) > 6
    assert not [text for text in digits if GOOD in text or DECLINED in text]
    # As a value: in the middle of a message's number these digits stand by chance.
    assert not [text for text in seen if re.search(r"\b739\b", text) and "cvc" in text]


async def test_the_strictest_policy_is_enough_and_no_window_opens(shop: Shop, stripe: Stripe) -> None:
    pages = len(shop.page.context.pages)
    await shop.open_form()
    await shop.fill(THREE_D_SECURE)
    await shop.start_paying(stripe.intent())
    await shop.bank.locator("#test-source-authorize-3ds").click()
    await shop.outcome()
    assert await shop.page.evaluate("violations") == []
    assert await shop.page.evaluate("windows") == 0
    assert shop.console == []
    assert shop.left == 0
    assert len(shop.page.context.pages) == pages


async def open_the_bank(shop: Shop, stripe: Stripe) -> Locator:
    """On a page that is longer than a phone's window; returns the frame over it."""
    await shop.page.evaluate("document.querySelector('main').style.minHeight = '150vh'")
    await shop.open_form()
    await shop.fill(THREE_D_SECURE)
    await shop.start_paying(stripe.intent())
    await expect(shop.bank.locator("#test-source-authorize-3ds")).to_be_enabled()
    return shop.page.locator(CHALLENGE)


async def test_the_bank_stands_over_the_whole_window(shop: Shop, stripe: Stripe) -> None:
    overlay = await open_the_bank(shop, stripe)
    assert await overlay.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}


async def test_without_inline_styles_the_bank_is_out_of_reach(
    shop: Shop, stripe: Stripe, merchant: Merchant
) -> None:
    await shop.page.goto(f"{merchant.url}/strict")
    overlay = await open_the_bank(shop, stripe)
    await expect(overlay).not_to_be_in_viewport()
    blocked = await shop.page.evaluate("violations")
    assert len(blocked) > 2 and set(blocked) == {"inline"}


async def test_a_frame_that_may_keep_nothing_pays_all_the_same(guarded_shop: Shop, stripe: Stripe) -> None:
    """Third-party cookies are blocked, and with them all that a frame could store."""
    shop = guarded_shop
    await shop.open_form()
    stored = """() => {
        document.cookie = "a=b; SameSite=None; Secure";
        try { localStorage.setItem("a", "b"); } catch { return document.cookie; }
        return document.cookie + "stored";
    }"""
    assert await shop.card.locator("body").evaluate(stored) == ""

    intent = stripe.intent()
    await shop.fill(THREE_D_SECURE)
    await shop.start_paying(intent)
    await shop.bank.locator("#test-source-authorize-3ds").click()
    assert (await shop.outcome())["paymentIntent"]["status"] == "succeeded"
    assert stripe.status(intent) == "succeeded"


async def test_the_form_has_its_whole_height_when_it_is_ready(shop: Shop) -> None:
    """Three rows in the standard look, as high as a real one: 220.45 px and 4 px of room at each edge."""
    await shop.page.evaluate(
        """(key) => {
            const allowedPaymentMethodTypes = ["card"];
            openForm(key, {}, { mode: "payment", amount: 33000, currency: "krw", allowedPaymentMethodTypes });
            const frame = document.querySelector("iframe");
            window.heights = [frame.offsetHeight];
            element.on("ready", () => heights.push(frame.offsetHeight));
        }""",
        PUBLISHABLE_KEY,
    )
    await shop.wait_for_event("ready")
    await expect(shop.card.locator('[name="country"]')).to_be_visible()
    frame = await shop.page.locator(CARD_FRAME).bounding_box()
    assert frame is not None
    assert await shop.page.evaluate("heights") == [0, frame["height"]]
    assert 228 <= frame["height"] <= 230
    assert await shop.card.locator("html").evaluate("node => node.scrollHeight <= innerHeight")


async def test_the_card_is_billed_to_the_country_that_was_chosen(shop: Shop, stripe: Stripe) -> None:
    intent = stripe.intent()
    await shop.open_form()
    country = shop.card.get_by_label("국가")
    await expect(country).to_have_value("KR")
    await expect(country.locator("option:checked")).to_have_text("대한민국")
    await expect(shop.card.locator('[name="postalCode"]')).to_be_hidden()
    await country.select_option("US")
    await shop.fill(GOOD)
    error = (await shop.pay(intent))["error"]
    assert (error["type"], error["code"]) == ("validation_error", "incomplete_zip")
    await expect(shop.card.get_by_label("우편번호")).to_be_focused()
    await shop.card.get_by_label("우편번호").fill("94103")
    assert (await shop.pay(intent))["paymentIntent"]["status"] == "succeeded"
    assert stripe.billed_to(intent) == {"country": "US", "postal_code": "94103"}


async def test_the_page_may_know_or_keep_the_address(shop: Shop, stripe: Stripe) -> None:
    address = {"country": "CA", "postal_code": "K1A 0B1"}
    await shop.open_form(create={"defaultValues": {"billingDetails": {"address": address}}})
    await shop.fill(GOOD)
    known = stripe.intent()
    assert (await shop.pay(known))["paymentIntent"]["status"] == "succeeded"
    assert stripe.billed_to(known) == address

    await shop.page.evaluate("element.destroy()")
    await shop.page.evaluate("events.length = 0")
    await shop.open_form(create={"fields": {"billingDetails": {"address": "never"}}})
    await expect(shop.card.locator('[name="cvc"]')).to_be_visible()
    await expect(shop.card.locator('[name="country"]')).to_be_hidden()


@pytest.mark.parametrize(
    "font",
    [
        {"family": "Shop", "src": "url({url}/shop.woff2)", "weight": "100 900", "unicodeRange": "U+20-7E"},
        {"cssSrc": "/font.css"},
    ],
)
async def test_the_form_takes_the_fonts_of_the_shop(
    shop: Shop, merchant: Merchant, font: dict[str, str]
) -> None:
    fonts = [{name: value.replace("{url}", merchant.url) for name, value in font.items()}]
    appearance = {"variables": {"fontFamily": "Shop, sans-serif"}}
    await shop.open_form(
        {"mode": "payment", "amount": 100, "currency": "usd", "fonts": fonts, "appearance": appearance}
    )
    loaded = "async () => (await document.fonts.ready, [...document.fonts].map((face) => face.status))"
    assert await shop.card.locator("body").evaluate(loaded) == ["loaded"]
    assert shop.console == []


async def test_a_font_that_is_for_its_own_site_alone_is_not_shown(shop: Shop, merchant: Merchant) -> None:
    """A font file has to allow other sites: the form stands on another one."""
    fonts = [{"family": "Shop", "src": f"url({merchant.url}/closed.woff2)"}]
    appearance = {"variables": {"fontFamily": "Shop, sans-serif"}}
    await shop.open_form(
        {"mode": "payment", "amount": 100, "currency": "usd", "fonts": fonts, "appearance": appearance}
    )
    loaded = "async () => (await document.fonts.ready, [...document.fonts].map((face) => face.status))"
    assert await shop.card.locator("body").evaluate(loaded) == ["error"]


async def test_declined_then_another_card_pays(shop: Shop, stripe: Stripe) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.fill(DECLINED)
    declined = await shop.pay(intent)
    assert declined["error"]["type"] == "card_error"
    assert declined["error"]["code"] == "card_declined"
    assert declined["error"]["message"] == "카드가 거절되었습니다."
    await expect(shop.card.locator("#number-error")).to_have_text("카드가 거절되었습니다.")
    await expect(shop.card.locator('[name="cvc"]')).to_have_value("123")
    await shop.fill(GOOD)
    assert (await shop.pay(intent))["paymentIntent"]["status"] == "succeeded"


@pytest.mark.parametrize(
    ("card", "locale", "message"),
    [
        ("4000000000009995", "ko", "카드의 잔액이 부족합니다."),
        ("4000000000000069", "ja", "カードの有効期限が切れています。"),
        ("4000000000000127", "en", "Your card's security code is incorrect."),
        ("4000000000000119", "en", "An error occurred while processing your card."),
    ],
)
async def test_refusals_are_said_in_the_language(
    shop: Shop, stripe: Stripe, card: str, locale: str, message: str
) -> None:
    await shop.open_form(locale=locale)
    await shop.fill(card)
    error = (await shop.pay(stripe.intent()))["error"]
    assert error["type"] == "card_error"
    assert error["message"].startswith(message)


async def test_three_d_secure_passed_pays(shop: Shop, stripe: Stripe) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.fill(THREE_D_SECURE)
    await shop.start_paying(intent)
    complete = shop.bank.locator("#test-source-authorize-3ds")
    await expect(complete).to_be_focused()
    await expect(shop.bank.locator(".amount")).to_contain_text("₩33,000")
    assert await shop.page.evaluate("outcome") is None
    await shop.page.keyboard.press("Enter")
    assert (await shop.outcome())["paymentIntent"]["status"] == "succeeded"
    await expect(shop.page.locator(CHALLENGE)).to_have_count(0)
    assert stripe.status(intent) == "succeeded"


async def test_three_d_secure_failed_then_passed_pays(shop: Shop, stripe: Stripe) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.fill(THREE_D_SECURE)
    await shop.start_paying(intent)
    await shop.bank.locator("#test-source-fail-3ds").click()
    error = (await shop.outcome())["error"]
    assert error["code"] == "payment_intent_authentication_failure"
    assert error["message"].startswith("결제 수단을 인증할 수 없습니다.")
    assert stripe.status(intent) == "requires_payment_method"
    await shop.start_paying(intent)
    await shop.bank.locator("#test-source-authorize-3ds").click()
    await shop.page.wait_for_function("() => outcome?.paymentIntent?.status === 'succeeded'")


@pytest.mark.parametrize("button", ["authorize", "fail"])
async def test_a_check_left_open_while_another_tab_pays_ends_with_the_paid_intent(
    shop: Shop, stripe: Stripe, button: str
) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.fill(THREE_D_SECURE)
    await shop.start_paying(intent)
    await expect(shop.bank.locator(f"#test-source-{button}-3ds")).to_be_enabled()
    stripe.control(f"confirm/{intent['id']}", card=GOOD)
    await shop.bank.locator(f"#test-source-{button}-3ds").click()
    assert (await shop.outcome())["paymentIntent"]["status"] == "succeeded"
    await expect(shop.page.locator(CHALLENGE)).to_have_count(0)


async def test_a_check_left_open_while_the_payment_fails_or_is_canceled_ends_with_that(
    shop: Shop, stripe: Stripe
) -> None:
    async def press_complete_after(path: str, **body: str) -> dict[str, Any]:
        intent = stripe.intent()
        await shop.start_paying(intent)
        await expect(shop.bank.locator("#test-source-authorize-3ds")).to_be_enabled()
        if body:
            stripe.control(path.format(**intent), **body)
        else:
            stripe.call("POST", path.format(**intent))
        await shop.bank.locator("#test-source-authorize-3ds").click()
        error: dict[str, Any] = (await shop.outcome())["error"]
        return error

    await shop.open_form()
    await shop.fill(THREE_D_SECURE)
    failed = await press_complete_after("confirm/{id}", card=DECLINED)
    assert (failed["type"], failed["code"]) == ("card_error", "card_declined")
    assert failed["payment_intent"]["status"] == "requires_payment_method"
    canceled = await press_complete_after("/v1/payment_intents/{id}/cancel")
    assert canceled["code"] == "payment_intent_unexpected_state"
    assert canceled["payment_intent"]["status"] == "canceled"


async def test_a_form_left_open_while_another_tab_pays_is_told_so(shop: Shop, stripe: Stripe) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.fill(GOOD)
    stripe.control(f"confirm/{intent['id']}", card=GOOD)
    error = (await shop.pay(intent))["error"]
    assert error["code"] == "payment_intent_unexpected_state"
    assert error["payment_intent"]["status"] == "succeeded"


async def test_a_card_can_be_declined_after_three_d_secure(shop: Shop, stripe: Stripe) -> None:
    await shop.open_form()
    await shop.fill("4000008260003178")
    await shop.start_paying(stripe.intent())
    await shop.bank.locator("#test-source-authorize-3ds").click()
    error = (await shop.outcome())["error"]
    assert (error["type"], error["decline_code"]) == ("card_error", "insufficient_funds")
    assert error["message"] == "카드의 잔액이 부족합니다."


async def test_focus_comes_back_from_three_d_secure(shop: Shop, stripe: Stripe) -> None:
    await shop.open_form()
    await shop.fill(THREE_D_SECURE)
    await shop.page.locator("button").focus()
    await shop.start_paying(stripe.intent())
    await shop.bank.locator("#test-source-authorize-3ds").click()
    await shop.outcome()
    await expect(shop.page.locator("button")).to_be_focused()


async def test_an_incomplete_form_sends_nothing(shop: Shop, stripe: Stripe) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.card.locator('[name="number"]').fill("4242")
    await shop.page.locator("button").focus()
    error = (await shop.pay(intent))["error"]
    assert (error["type"], error["code"]) == ("validation_error", "incomplete_number")
    number = shop.card.locator('[name="number"]')
    await expect(number).to_have_attribute("aria-invalid", "true")
    await expect(number).to_be_focused()
    await expect(shop.page.locator(CARD_FRAME)).to_be_focused()
    await expect(shop.card.locator("#cvc-error")).to_have_text("카드의 보안 코드를 끝까지 입력해 주세요.")
    assert stripe.status(intent) == "requires_payment_method"


async def test_what_cannot_be_right_is_said_before_anything_is_sent(shop: Shop) -> None:
    wrong = [
        ("4242424242424241", "12 / 34", "123", "invalid_number"),
        (GOOD, "13 / 34", "123", "invalid_expiry_month"),
        (GOOD, "12 / 20", "123", "invalid_expiry_year_past"),
        (GOOD, "12 / 34", "12", "incomplete_cvc"),
        ("378282246310005", "12 / 34", "123", "incomplete_cvc"),
    ]
    await shop.open_form()
    for number, expiry, cvc, code in wrong:
        await shop.fill(number, expiry, cvc)
        error = await shop.page.evaluate("elements.submit().then((result) => result.error)")
        assert (error["type"], error["code"]) == ("validation_error", code)


async def test_digits_are_put_in_groups_while_typing(shop: Shop) -> None:
    await shop.open_form()
    await shop.card.locator('[name="number"]').press_sequentially("4242424242424242")
    await expect(shop.card.locator('[name="number"]')).to_have_value("4242 4242 4242 4242")
    await expect(shop.card.locator("#brand")).to_have_text("Visa")
    await expect(shop.card.locator('[name="expiry"]')).to_be_focused()
    await shop.page.keyboard.type("434")
    await expect(shop.card.locator('[name="expiry"]')).to_have_value("04 / 34")
    await expect(shop.card.locator('[name="cvc"]')).to_be_focused()
    await shop.page.keyboard.type("12345")
    await expect(shop.card.locator('[name="cvc"]')).to_have_value("123")


async def test_the_form_obeys_the_page(shop: Shop) -> None:
    await shop.open_form()
    number = shop.card.locator('[name="number"]')
    await shop.page.evaluate("element.focus()")
    await expect(number).to_be_focused()
    await shop.fill(GOOD)
    await shop.page.evaluate("element.blur()")
    await expect(shop.card.locator(":focus")).to_have_count(0)
    await shop.page.evaluate("element.clear()")
    await expect(number).to_have_value("")
    await shop.page.evaluate("element.update({ readOnly: true })")
    await expect(number).not_to_be_editable()
    await shop.page.evaluate("element.collapse()")
    await expect(number).to_be_hidden()
    await shop.page.wait_for_function("() => events.at(-1)[1].collapsed")
    await shop.card.get_by_role("button", name="카드").click()
    await expect(number).to_be_focused()


async def test_enter_in_the_form_presses_pay(shop: Shop) -> None:
    await shop.open_form()
    await shop.card.locator('[name="cvc"]').press("Enter")
    await shop.page.wait_for_function("() => submits === 1")


async def test_a_connection_lost_in_mid_confirm_may_have_paid(shop: Shop, stripe: Stripe) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.fill(GOOD)
    stripe.trouble(confirm_drop=True)
    error = (await shop.pay(intent))["error"]
    assert error["type"] == "api_connection_error"
    assert "주문 상태를 확인" in error["message"]
    assert stripe.status(intent) == "succeeded"


async def test_a_request_that_never_arrives_is_a_connection_error(shop: Shop, stripe: Stripe) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.fill(GOOD)
    for address in ("**/_sandbox/browser", "**/v1/payment_intents/*/confirm"):
        await shop.page.route(address, lambda route: route.abort("connectionreset"))
        assert (await shop.pay(intent))["error"]["type"] == "api_connection_error"
        await shop.page.unroute(address)
    assert stripe.status(intent) == "requires_payment_method"
    await expect(shop.card.locator('[name="number"]')).to_be_enabled()
    assert (await shop.pay(intent))["paymentIntent"]["status"] == "succeeded"


async def test_a_form_that_cannot_open_says_so(shop: Shop, stripe: Stripe) -> None:
    stripe.trouble(element="loaderror")
    await shop.page.evaluate(
        "(key) => openForm(key, {}, { mode: 'payment', amount: 100, currency: 'usd' })", PUBLISHABLE_KEY
    )
    assert (await shop.wait_for_event("loaderror"))["error"]["type"] == "api_error"


async def test_a_foreign_key_opens_no_form(shop: Shop) -> None:
    await shop.page.evaluate(
        "() => openForm('pk_test_foreign', {}, { mode: 'payment', amount: 100, currency: 'usd' })"
    )
    error = (await shop.wait_for_event("loaderror"))["error"]
    assert "Invalid API Key" in error["message"]


async def test_a_blocked_script_leaves_no_stripe(shop: Shop, stripe: Stripe) -> None:
    stripe.trouble(script="blocked")
    await shop.page.reload()
    assert await shop.page.evaluate("typeof window.Stripe") == "undefined"


async def test_a_paid_intent_can_be_read_again(shop: Shop, stripe: Stripe) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.fill(GOOD)
    await shop.pay(intent)
    read = await shop.page.evaluate(
        "(secret) => stripe.retrievePaymentIntent(secret)", intent["client_secret"]
    )
    assert read["paymentIntent"]["status"] == "succeeded"
    wrong = await shop.page.evaluate("() => stripe.retrievePaymentIntent('pi_none_secret_none')")
    assert wrong["error"]["type"] == "invalid_request_error"


async def test_with_redirect_always_a_success_goes_to_the_return_url(
    shop: Shop, stripe: Stripe, merchant: Merchant
) -> None:
    intent = stripe.intent()
    await shop.open_form()
    await shop.fill(GOOD)
    script = """async ([clientSecret, return_url]) => {
        await elements.submit();
        stripe.confirmPayment({ elements, clientSecret, confirmParams: { return_url } });
    }"""
    async with shop.page.expect_navigation() as navigation:
        await shop.page.evaluate(script, [intent["client_secret"], f"{merchant.url}/?order=1"])
    url = (await navigation.value).url
    assert f"payment_intent={intent['id']}" in url
    assert "redirect_status=succeeded" in url
    assert "order=1" in url


async def test_the_form_takes_the_look_of_the_shop(shop: Shop) -> None:
    appearance = {
        "theme": "night",
        "variables": {"colorBackground": "#101418", "spacingUnit": "5px", "borderRadius": "2px"},
        "rules": {".Input:focus": {"borderColor": "rgb(1, 2, 3)"}, ".Label": {"fontWeight": "700"}},
    }
    await shop.open_form({"mode": "payment", "amount": 100, "currency": "usd", "appearance": appearance})
    number = shop.card.locator('[name="number"]')
    await expect(number).to_have_css("background-color", "rgb(16, 20, 24)")
    await expect(number).to_have_css("border-radius", "2px")
    await expect(shop.card.locator(".Label").first).to_have_css("font-weight", "700")
    await number.focus()
    await expect(number).to_have_css("border-top-color", "rgb(1, 2, 3)")
    await shop.page.evaluate("elements.update({ locale: 'ja', appearance: { theme: 'flat' } })")
    await expect(shop.card.locator("label").first).to_have_text("カード番号")
    await expect(number).to_have_css("background-color", "rgb(241, 241, 241)")


async def test_every_field_has_a_name_a_keyboard_and_autofill(shop: Shop) -> None:
    await shop.open_form()
    frame = shop.page.locator(CARD_FRAME)
    assert str(await frame.get_attribute("name")).startswith("__privateStripeFrame")
    fields = {
        "number": ("카드 번호", "cc-number"),
        "expiry": ("유효 기간", "cc-exp"),
        "cvc": ("보안 코드", "cc-csc"),
    }
    for name, (label, autofill) in fields.items():
        field = shop.card.get_by_label(label)
        await expect(field).to_have_attribute("name", name)
        await expect(field).to_have_attribute("inputmode", "numeric")
        await expect(field).to_have_attribute("autocomplete", autofill)

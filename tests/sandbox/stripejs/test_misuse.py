"""Misuse throws or rejects with an IntegrationError; it is never returned as `{error}`."""

from __future__ import annotations

import pytest

from .conftest import PUBLISHABLE_KEY, Shop, Stripe

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD = "4242424242424242"
DEFERRED = "{ mode: 'payment', amount: 33000, currency: 'krw' }"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("Stripe('')", "publishable key"),
        ("Stripe('sk_test_1')", "secret key"),
        ("Stripe('pk_test_1', { local: 'ko' })", "local is not an accepted parameter"),
        ("elementsOf({ ...deferred, paymentMethodTypes: ['card'] })", "allowedPaymentMethodTypes"),
        ("elementsOf({ ...deferred, colour: 'red' })", "colour is not an accepted parameter"),
        ("elementsOf({ ...deferred, appearance: { them: 'flat' } })", "appearance.them is not"),
        ("elementsOf({ ...deferred, appearance: { theme: 'dark' } })", "appearance.theme should be one of"),
        ("elementsOf({ ...deferred, amount: 10.5 })", "amount should be"),
        ("elementsOf({ ...deferred, currency: 'KRW' })", "currency should be"),
        ("elementsOf({ ...deferred, clientSecret: 'pi_1_secret_2' })", "cannot be combined"),
        ("elementsOf({ clientSecret: 'pi_1' })", "${id}_secret_${secret}"),
        ("elementsOf({}).create('payment')", "clientSecret or mode"),
        ("elementsOf(deferred).create('card')", "valid Element name"),
        ("elementsOf(deferred).create('payment', { layout: 'grid' })", "layout should be one of"),
        ("elementsOf(deferred).create('payment', { hidePostalCode: true })", "hidePostalCode is not"),
        ("const e = elementsOf(deferred); e.create('payment'); e.create('payment')", "Can only create one"),
        ("elementsOf(deferred).create('payment').mount('#nowhere')", "applies to no DOM element"),
        ("elementsOf(deferred).create('payment').on('paid', () => {})", "not a valid event"),
        ("elementsOf(deferred).create('payment').focus()", "not mounted"),
        ("await elementsOf(deferred).submit()", "mounted Payment Element"),
        ("await elementsOf(deferred).fetchUpdates()", "created with a clientSecret"),
        ("await Stripe(key).retrievePaymentIntent('pi_1')", "${id}_secret_${secret}"),
    ],
)
async def test_wrong_calls_throw(idle_shop: Shop, script: str, words: str) -> None:
    prepared = f"const key = arg; const deferred = {DEFERRED}; "
    prepared += "const elementsOf = (options) => Stripe(key).elements(options); "
    thrown = await idle_shop.thrown(prepared + script, PUBLISHABLE_KEY)
    assert thrown.startswith("IntegrationError: ")
    assert words in thrown


async def test_an_element_is_mounted_once(shop: Shop) -> None:
    await shop.open_form()
    assert "already mounted" in await shop.thrown("element.mount('#payment')")
    await shop.page.evaluate("element.unmount()")
    assert await shop.thrown("element.mount('#payment')") == ""
    await shop.page.evaluate("element.destroy()")
    assert "already been destroyed" in await shop.thrown("element.mount('#payment')")


async def test_confirming_before_submit_is_refused(shop: Shop, stripe: Stripe) -> None:
    await shop.open_form()
    await shop.fill(GOOD)
    confirm = "await stripe.confirmPayment({ elements, clientSecret: arg, redirect: 'if_required' })"
    thrown = await shop.thrown(confirm, stripe.intent()["client_secret"])
    assert "elements.submit() must be called before stripe.confirmPayment()" in thrown


async def test_redirect_always_needs_a_return_url(shop: Shop, stripe: Stripe) -> None:
    await shop.open_form()
    secret = stripe.intent()["client_secret"]
    for params in ("", ", confirmParams: { return_url: '/orders/1' }"):
        confirm = f"await stripe.confirmPayment({{ elements, clientSecret: arg{params} }})"
        assert "return_url should be a URL" in await shop.thrown(confirm, secret)


async def test_a_secret_opens_a_form_until_its_intent_is_finished(shop: Shop, stripe: Stripe) -> None:
    secret = stripe.intent()["client_secret"]
    await shop.open_form({"clientSecret": secret})
    await shop.fill(GOOD)
    assert await shop.thrown("await pay()") == ""
    assert "opens no form" in await shop.thrown("await elements.fetchUpdates(); await elements.submit()")
    await shop.page.reload()
    await shop.page.evaluate(
        "([key, clientSecret]) => openForm(key, {}, { clientSecret })", [PUBLISHABLE_KEY, secret]
    )
    assert "opens no form" in (await shop.wait_for_event("loaderror"))["error"]["message"]


async def test_details_hidden_from_the_form_come_with_the_confirmation(shop: Shop, stripe: Stripe) -> None:
    secret = stripe.intent()["client_secret"]
    await shop.open_form(create={"fields": {"billingDetails": {"email": "never"}}})
    await shop.fill(GOOD)
    assert "fields.billing_details.email" in await shop.thrown("await pay(arg)", secret)
    with_email = "await pay(arg, { payment_method_data: { billing_details: { email: 'a@b.example' } } })"
    assert await shop.thrown(with_email, secret) == ""


async def test_an_element_gone_in_mid_confirm_rejects(shop: Shop, stripe: Stripe) -> None:
    stripe.trouble(confirm_delay_ms=5000)
    await shop.open_form()
    await shop.fill(GOOD)
    gone = "setTimeout(() => element.unmount(), 300); await pay(arg)"
    assert "still mounted" in await shop.thrown(gone, stripe.intent()["client_secret"])


async def test_messages_of_other_windows_change_nothing(shop: Shop) -> None:
    await shop.open_form()
    await shop.page.evaluate(
        "() => window.postMessage({ type: 'change', payload: { complete: true } }, location.origin)"
    )
    await shop.fill(GOOD)
    await shop.page.wait_for_function("() => events.filter(([, event]) => event.complete).length === 1")
    forged = """() => new Promise((resolve) => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => resolve(document.querySelector('[name="number"]').value);
        window.postMessage({ type: "clear" }, location.origin);
        setTimeout(() => channel.port2.postMessage(0));
    })"""
    assert await shop.card.locator("body").evaluate(forged) == "4242 4242 4242 4242"

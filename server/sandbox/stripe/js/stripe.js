function checkKey(key) {
  if (typeof key !== "string" || key === "") {
    throw new IntegrationError("Please call Stripe() with your publishable key. You used an empty string.");
  }
  if (/^(sk|rk)_/.test(key)) {
    throw new IntegrationError(
      "You should not use your secret key with Stripe.js. Please pass a publishable key instead.");
  }
  if (!key.startsWith("pk_")) refuse("Stripe()", "apiKey should be a publishable key, pk_….");
}

class StripeInstance {
  #key;
  #locale;

  constructor(key, { locale = "auto" }) {
    this.#key = key;
    this.#locale = locale;
  }

  elements(options = {}) {
    checkElementsOptions(options);
    return new Elements(this.#key, this.#locale, { ...options });
  }

  /**
   * Pays with what the buyer typed. Cards never leave the page with `redirect: "if_required"`; with the
   * default, "always", a success goes to `return_url` and the promise stays pending.
   */
  async confirmPayment(options) {
    const call = "stripe.confirmPayment()";
    checkOptions(call, options, CONFIRM_OPTIONS);
    const { elements, clientSecret, confirmParams = {}, redirect = "always" } = options;
    checkOneOf(call, "redirect", redirect, ["always", "if_required"]);
    if (!(elements instanceof Elements)) refuse(call, "elements should come from stripe.elements().");
    checkReturnUrl(call, confirmParams.return_url, redirect);
    const element = elements._element(call);
    const secret = elements._secretFor(clientSecret);
    const id = intentId(call, secret);
    element._checkHiddenDetails(confirmParams.payment_method_data?.billing_details);
    await elements._refuseFinished();

    const result = await this.#pay(elements, element, id, secret, confirmParams);
    if (result.error) {
      const error = localize(result.error, elements._locale);
      element._showError(error);
      return { error };
    }
    if (redirect === "if_required") return result;
    return this.#leave(confirmParams.return_url, secret);
  }

  async retrievePaymentIntent(clientSecret) {
    const id = intentId("stripe.retrievePaymentIntent()", clientSecret);
    return this.#shown(await fetchIntent(id, clientSecret, this.#key), resolveLocale(this.#locale));
  }

  /** Finishes what a confirmation on the server left to do: `{paymentIntent}` or `{error}`. */
  async handleNextAction(options) {
    const call = "stripe.handleNextAction()";
    checkOptions(call, options, { clientSecret: true });
    const id = intentId(call, options.clientSecret);
    const locale = resolveLocale(this.#locale);
    const found = await fetchIntent(id, options.clientSecret, this.#key);
    return this.#shown(await this.#finish(found, id, options.clientSecret, locale), locale);
  }

  async #pay(elements, element, id, secret, confirmParams) {
    const { error: incomplete } = await element._validate();
    if (incomplete) return { error: incomplete };
    const params = { ...confirmParams, client_secret: secret, elements: elements._terms(), key: this.#key };
    const confirmed = await element._confirm({ id, params });
    return this.#finish(confirmed, id, secret, elements._locale);
  }

  /** Walks through 3-D Secure where the intent asks for it, and reads what became of it. */
  async #finish(result, id, secret, locale) {
    if (result.paymentIntent?.next_action?.type !== "use_stripe_sdk") return result;
    await showChallenge(result.paymentIntent, locale);
    const { paymentIntent, error } = await fetchIntent(id, secret, this.#key);
    if (error) return { error };
    const { status, last_payment_error: failure } = paymentIntent;
    if (status === "requires_payment_method" && failure) {
      return { error: { ...failure, payment_intent: paymentIntent } };
    }
    if (status !== "canceled") return { paymentIntent };
    const message = "This PaymentIntent cannot be authenticated because it has a status of canceled.";
    return {
      error: {
        type: "invalid_request_error", code: UNEXPECTED_STATE, message, payment_intent: paymentIntent,
      },
    };
  }

  #shown(result, locale) {
    return result.error ? { error: localize(result.error, locale) } : result;
  }

  #leave(returnUrl, secret) {
    const url = new URL(returnUrl);
    url.searchParams.set("payment_intent", intentId("stripe.confirmPayment()", secret));
    url.searchParams.set("payment_intent_client_secret", secret);
    url.searchParams.set("redirect_status", "succeeded");
    window.location.assign(url);
    return new Promise(() => {});
  }
}

/** `Stripe(publishableKey, options)`, with or without `new`. */
function Stripe(key, options = {}) {
  checkKey(key);
  checkOptions("Stripe()", options, STRIPE_OPTIONS);
  return new StripeInstance(key, options);
}
Stripe.version = "endive";
window.Stripe = Stripe;

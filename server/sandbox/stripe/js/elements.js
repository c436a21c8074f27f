/** States in which a PaymentIntent's secret can no longer open a form (since the clover version). */
const FINISHED = ["succeeded", "canceled", "processing", "requires_capture"];
const UNEXPECTED_STATE = "payment_intent_unexpected_state";

/** An Elements group: one payment, its look, and the one Element that collects the details. */
class Elements {
  #options;
  #stripeLocale;
  #payment = null;
  #submitted = false;
  #intent = null;
  #updateHandlers = new Set();

  constructor(key, stripeLocale, options) {
    this._key = key;
    this.#stripeLocale = stripeLocale;
    this.#options = options;
    if (options.clientSecret) this.#intent = this.#fetch();
  }

  create(type, options = {}) {
    if (type !== "payment") {
      throw new IntegrationError(
        `A valid Element name must be provided. Valid Elements are: payment. You passed: ${type}.`);
    }
    if (!this.#options.clientSecret && !this.#options.mode) {
      throw new IntegrationError(
        "In order to create a payment element, you must pass a clientSecret or mode when creating the " +
        "Elements group.");
    }
    if (this.#payment) throw new IntegrationError("Can only create one Element of type payment.");
    checkOptions("elements.create()", options, PAYMENT_ELEMENT_OPTIONS);
    const layout = options.layout?.type ?? options.layout;
    checkOneOf("elements.create()", "layout", layout, ["tabs", "accordion", "auto"]);
    this.#payment = new PaymentElement(this, options);
    return this.#payment;
  }

  getElement(type) {
    return type === "payment" ? this.#payment : null;
  }

  async update(options) {
    const call = "elements.update()";
    checkOptions(call, options, ELEMENTS_UPDATE);
    checkLook(call, options);
    const next = { ...this.#options, ...options };
    if (next.mode) checkMoney(call, next.amount, next.currency);
    else if ("amount" in options || "currency" in options) {
      refuse(call, "amount and currency belong to the deferred mode. Call fetchUpdates() instead.");
    }
    this.#options = next;
    if ("amount" in options || "currency" in options) this.#submitted = false;
    this.#payment?._look(this._look());
    const choice = ["currency", "allowedPaymentMethodTypes", "excludedPaymentMethodTypes"];
    if (choice.some((name) => name in options)) this.#payment?._offer(this._wanted());
    for (const handler of [...this.#updateHandlers]) handler({ elementType: "elements" });
  }

  /** Reads the PaymentIntent again after the server has changed it: `{error?}`. */
  async fetchUpdates() {
    if (!this.#options.clientSecret) {
      throw new IntegrationError("elements.fetchUpdates() is for a group created with a clientSecret.");
    }
    this.#intent = this.#fetch();
    const error = await this._loadError();
    return error ? { error: localize(error, this._locale) } : {};
  }

  /** Checks what was typed; comes before any other work after the buyer has pressed Pay. */
  async submit() {
    await this._refuseFinished();
    const { error, method } = await this._element("elements.submit()")._validate();
    this.#submitted = !error;
    return error ? { error } : { selectedPaymentMethod: method };
  }

  on(event, handler) {
    if (event !== "update-end") {
      throw new IntegrationError(`${event} is not a valid event of Elements. Valid events: update-end.`);
    }
    this.#updateHandlers.add(handler);
    return this;
  }

  get _locale() {
    return resolveLocale(this.#options.locale, this.#stripeLocale);
  }

  _look() {
    const { appearance, fonts = [] } = this.#options;
    // A style sheet may be named as the page would name it; the frame stands elsewhere.
    const named = fonts.map((font) => (
      font.cssSrc ? { cssSrc: new URL(font.cssSrc, document.baseURI).href } : font));
    return { appearance, fonts: named, locale: this._locale };
  }

  _element(call) {
    if (this.#payment?._isMounted) return this.#payment;
    throw new IntegrationError(
      `Invalid value for ${call}: elements should have a mounted Payment Element or ` +
      "Express Checkout Element.");
  }

  _forget(element) {
    if (this.#payment === element) this.#payment = null;
  }

  _touched() {
    this.#submitted = false;
  }

  /** The secret to confirm with; throws where the group and the call do not fit together. */
  _secretFor(clientSecret) {
    const call = "stripe.confirmPayment()";
    if (this.#options.clientSecret) {
      if (clientSecret && clientSecret !== this.#options.clientSecret) {
        refuse(call, "clientSecret differs from the one the Elements group was created with.");
      }
      return this.#options.clientSecret;
    }
    if (!clientSecret) refuse(call, "clientSecret is required when the group was created without one.");
    if (!this.#submitted) {
      throw new IntegrationError(
        "elements.submit() must be called before stripe.confirmPayment(). Call elements.submit() as soon " +
        "as your customer presses pay, prior to any asynchronous work.");
    }
    return clientSecret;
  }

  /** What a form that came before its intent was opened with: the API compares it with the intent. */
  _terms() {
    if (!this.#options.mode) return undefined;
    const { amount, currency, allowedPaymentMethodTypes: allowed, excludedPaymentMethodTypes: excluded } = this.#options;
    return { amount, currency, allowed_payment_method_types: allowed, excluded_payment_method_types: excluded };
  }

  /** Which methods the form offers, as a query to the stand-in. */
  _wanted() {
    const { clientSecret, ...terms } = { clientSecret: this.#options.clientSecret, ...this._terms() };
    if (clientSecret) return [["client_secret", clientSecret]];
    const list = (name, values) => (values ?? []).map((value) => [name, value]);
    return [
      ["currency", terms.currency],
      ...list("allowed", terms.allowed_payment_method_types),
      ...list("excluded", terms.excluded_payment_method_types),
    ];
  }

  async _refuseFinished() {
    const error = await this._loadError();
    if (error?.code === UNEXPECTED_STATE) throw new IntegrationError(error.message);
  }

  /** Why the group cannot be used with its secret, or null. */
  async _loadError() {
    const { paymentIntent, error } = (await this.#intent) ?? {};
    if (error) return error;
    if (!paymentIntent || !FINISHED.includes(paymentIntent.status)) return null;
    return {
      type: "invalid_request_error",
      code: UNEXPECTED_STATE,
      message: `The PaymentIntent of this client secret is ${paymentIntent.status}: it opens no form.`,
    };
  }

  #fetch() {
    const { clientSecret } = this.#options;
    return fetchIntent(intentId("stripe.elements()", clientSecret), clientSecret, this._key);
  }
}

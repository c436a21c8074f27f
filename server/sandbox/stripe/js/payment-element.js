const PAYMENT_EVENTS = [
  "loaderstart", "ready", "loaderror", "change", "focus", "blur", "escape",
  "carddetailschange", "availablepaymentmethodschange",
  "savedpaymentmethodupdate", "savedpaymentmethodremove",
];
const LOAD_DEADLINE_MS = 15_000;

// Room for the focus ring, which the frame's edge would cut off. The frame's body has the same padding.
const RING_PX = 4;

/** What a `fields` option left out of the form, as dotted names of `billing_details`. */
function hiddenDetails(fields, path = "") {
  const all = Object.keys(path ? FIELD_ADDRESS : FIELD_DETAILS);
  const states = fields === "never" ? Object.fromEntries(all.map((name) => [name, "never"])) : fields ?? {};
  return Object.entries(states).flatMap(([name, value]) => {
    if (name === "address") return hiddenDetails(value, "address.");
    return value === "never" ? [path + name.replace("postalCode", "postal_code")] : [];
  });
}

/** The Payment Element: a card form in a frame of its own. */
class PaymentElement {
  #group;
  #options;
  #frame = null;
  #wrapper = null;
  #destroyed = false;
  #deadline = 0;
  #listeners = new Map(PAYMENT_EVENTS.map((name) => [name, new Set()]));

  constructor(group, options) {
    this.#group = group;
    this.#options = options;
  }

  mount(target) {
    if (this.#destroyed) {
      throw new IntegrationError("This Element has already been destroyed. Please create a new one.");
    }
    if (this.#frame) {
      throw new IntegrationError(
        "This Element is already mounted. Use `unmount()` to unmount the Element before re-mounting.");
    }
    const node = this.#find(target);
    if (node.childNodes.length) node.replaceChildren();
    this.#frame = new Frame("/_sandbox/elements/payment", {
      title: "Secure payment input frame",
      opening: {
        key: this.#group._key, wanted: this.#group._wanted(), ...this.#group._look(), options: this.#options,
      },
      handlers: this.#handlers(),
      styles: {
        width: `calc(100% + ${2 * RING_PX}px)`, margin: `-${RING_PX}px`, "max-width": "none",
        // As high as its form only when that is there: the page keeps the place free.
        height: "0",
      },
    });
    this.#wrapper = document.createElement("div");
    this.#wrapper.className = "__PrivateStripeElement";
    styleAttribute(this.#wrapper, {
      margin: "0", padding: "0", border: "none", display: "block", background: "transparent", position: "relative",
    });
    this.#wrapper.append(this.#frame.iframe);
    node.append(this.#wrapper);
    this.#deadline = window.setTimeout(() => this.#fail(CONNECTION_ERROR), LOAD_DEADLINE_MS);
    queueMicrotask(() => this.#emit("loaderstart"));
  }

  unmount() {
    window.clearTimeout(this.#deadline);
    this.#frame?.remove();
    this.#wrapper?.remove();
    this.#frame = null;
  }

  destroy() {
    this.unmount();
    this.#destroyed = true;
    this.#group._forget(this);
  }

  update(options) {
    checkOptions("paymentElement.update()", options, PAYMENT_ELEMENT_OPTIONS);
    this.#options = { ...this.#options, ...options };
    this.#frame?.tell("update", { options: this.#options });
  }

  focus() {
    this._mounted("focus()").tell("focus");
  }

  blur() {
    this._mounted("blur()").tell("blur");
  }

  clear() {
    this._mounted("clear()").tell("clear");
  }

  collapse() {
    this._mounted("collapse()").tell("collapse");
  }

  on(event, handler) {
    this.#handlersOf(event).add(handler);
    return this;
  }

  once(event, handler) {
    const first = (payload) => {
      this.off(event, first);
      handler(payload);
    };
    return this.on(event, first);
  }

  off(event, handler) {
    if (handler) this.#handlersOf(event).delete(handler);
    else this.#handlersOf(event).clear();
    return this;
  }

  _mounted(call) {
    if (this.#frame) return this.#frame;
    throw new IntegrationError(`Cannot call ${call} on an Element that is not mounted.`);
  }

  get _isMounted() {
    return this.#frame !== null;
  }

  _look(look) {
    this.#frame?.tell("look", look);
  }

  _offer(wanted) {
    this.#frame?.tell("offer", wanted);
  }

  /** Checks the fields inside the frame, which moves the cursor to the first that is wrong: `{error?, method}`. */
  _validate() {
    return this._mounted("submit()").ask("validate");
  }

  /** Lets the frame send the card with `params` to the API: `{paymentIntent}` or `{error}`. */
  _confirm(params) {
    return this._mounted("confirmPayment()").ask("confirm", params);
  }

  _showError(error) {
    const { code, decline_code: declineCode, message } = error;
    this.#frame?.tell("showError", { code, declineCode, message });
  }

  /** What is hidden from the form by `fields` has to come with the confirmation. */
  _checkHiddenDetails(billingDetails = {}) {
    for (const name of hiddenDetails(this.#options.fields?.billingDetails)) {
      const value = name.split(".").reduce((found, part) => found?.[part], billingDetails);
      if (value === undefined) {
        throw new IntegrationError(
          `You specified "never" for fields.billing_details.${name} when creating the payment Element, but ` +
          `did not pass confirmParams.payment_method_data.billing_details.${name} when calling ` +
          "stripe.confirmPayment().");
      }
    }
  }

  #find(target) {
    const node = typeof target === "string" ? document.querySelector(target) : target;
    if (!(node instanceof Element) || !node.isConnected) {
      throw new IntegrationError(
        `The selector or node you specified (${target}) applies to no DOM element that is currently on the ` +
        "page. Make sure the element exists on the page before calling mount().");
    }
    return node;
  }

  #handlers() {
    return {
      loaded: () => this.#ready(),
      loaderror: (error) => this.#fail(error),
      resize: ({ height }) => this.#frame.style({ height: `${height}px` }),
      change: (state) => {
        this.#group._touched();
        this.#emit("change", state);
      },
      focus: () => this.#emit("focus"),
      blur: () => this.#emit("blur"),
      escape: () => this.#emit("escape"),
      enter: () => this.#submitForm(),
    };
  }

  async #ready() {
    const error = await this.#group._loadError();
    if (!this.#frame) return;
    if (error) {
      this.#fail(error);
      return;
    }
    window.clearTimeout(this.#deadline);
    this.#emit("ready");
    this.#frame.tell("start");
  }

  #fail(error) {
    window.clearTimeout(this.#deadline);
    this.#emit("loaderror", { error: localize(error, this.#group._locale) });
  }

  // Enter in a field of the frame does what it does in a field of the page.
  #submitForm() {
    const form = this.#frame.iframe.closest("form");
    const button = form?.querySelector("button:not([type]), [type=submit]");
    if (form && !button?.disabled) form.requestSubmit(button);
  }

  #emit(event, payload) {
    for (const handler of [...this.#listeners.get(event)]) handler({ elementType: "payment", ...payload });
  }

  #handlersOf(event) {
    const handlers = this.#listeners.get(event);
    if (handlers) return handlers;
    throw new IntegrationError(
      `${event} is not a valid event of the payment Element. Valid events: ${PAYMENT_EVENTS.join(", ")}.`);
  }
}

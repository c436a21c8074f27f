// The card form: all that is said to Stripe.js, in its deferred mode (the intent is made when Pay is pressed).
import { PAYMENT_FONT, paymentAppearance } from "./appearance.js";
/**
 * @import {
 *   PaymentIntentResult, Stripe, StripeElementLocale, StripeElements, StripeError, StripePaymentElement,
 * } from "@stripe/stripe-js"
 */

/**
 * @typedef {object} Terms what the form is opened with
 * @property {string} script Stripe.js's address
 * @property {string} publishableKey
 * @property {StripeElementLocale} locale
 * @property {number} amount minor units as Stripe counts them
 * @property {string} currency upper case
 * @property {string[]} methods which ways to pay are offered: the intent is made with the same
 */

export class CardForm {
  /** @type {Stripe} */
  #stripe;
  /** @type {StripeElements} */
  #elements;
  /** @type {StripePaymentElement} */
  #element;

  /**
   * @param {Stripe} stripe
   * @param {HTMLElement} place
   * @param {Terms} terms
   */
  constructor(stripe, place, { amount, currency, methods }) {
    this.#stripe = stripe;
    this.#elements = stripe.elements({
      mode: "payment",
      amount,
      currency: currency.toLowerCase(),
      allowedPaymentMethodTypes: methods,
      appearance: paymentAppearance(place),
      fonts: [PAYMENT_FONT],
      loader: "never", // the page has a skeleton of its own, of the right height
    });
    this.#element = this.#elements.create("payment", { layout: "tabs" });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#elements.update({ appearance: paymentAppearance(place) });
    });
  }

  /**
   * Resolves when the form can be filled in; rejects where it cannot be had.
   * @param {HTMLElement} place
   * @param {Terms} terms
   */
  static async open(place, terms) {
    await loadScript(terms.script);
    if (!window.Stripe) throw new Error("Stripe.js did not say its name.");
    const card = new CardForm(window.Stripe(terms.publishableKey, { locale: terms.locale }), place, terms);
    await card.#shown(place);
    return card;
  }

  /** @param {HTMLElement} place */
  #shown(place) {
    return new Promise((resolve, reject) => {
      this.#element.on("ready", resolve);
      this.#element.on("loaderror", ({ error }) => reject(error));
      this.#element.mount(place);
    });
  }

  focus() {
    this.#element.focus();
  }

  /**
   * The price has changed: Stripe refuses an intent of another amount than the form's.
   * @param {number} amount minor units, of the same currency
   */
  async changeAmount(amount) {
    await this.#elements.update({ amount });
  }

  /** Whether everything is filled in; the form marks what is not. Comes before any other work of a press. */
  async isComplete() {
    return !(await this.#elements.submit()).error;
  }

  /**
   * Pay in the page, 3-D Secure included. What comes back is progress, not proof.
   * @param {string} clientSecret
   * @param {string} returnUrl where a method that has to leave comes back to
   * @returns {Promise<PaymentIntentResult>}
   */
  confirm(clientSecret, returnUrl) {
    return this.#stripe.confirmPayment({
      elements: this.#elements,
      clientSecret,
      redirect: "if_required",
      confirmParams: { return_url: returnUrl },
    });
  }
}

const UNAUTHENTICATED = "payment_intent_authentication_failure";
/** @type {[string, string[]][]} */
const REASONS = [
  ["funds", ["insufficient_funds", "withdrawal_count_limit_exceeded"]],
  ["numbers", [
    "incorrect_number", "invalid_number", "incorrect_cvc", "invalid_cvc", "expired_card", "invalid_expiry_month",
    "invalid_expiry_year", "incorrect_zip",
  ]],
  ["identity", [UNAUTHENTICATED, "authentication_required"]],
  ["later", ["processing_error", "issuer_not_available", "reenter_transaction", "try_again_later"]],
];

/**
 * Why nothing was paid, as far as it helps the buyer: `bank`, `funds`, `numbers`, `identity` or `later`; null if
 * the error may hide a payment. Of lost, stolen and suspected cards Stripe asks to say no more than that the bank
 * refused (docs.stripe.com/declines/codes).
 * @param {StripeError} error
 */
export function reasonOfRefusal({ type, code = "", decline_code: declined = "" }) {
  if (type !== "card_error" && code !== UNAUTHENTICATED) return null;
  const known = REASONS.find(([, codes]) => codes.includes(declined) || codes.includes(code));
  return known ? known[0] : "bank";
}

/** @param {string} src */
function loadScript(src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

// The checkout form: one form, many states. Every sentence is in the page; this module sets `data-state`.
//
// Order of a payment (deferred mode): the card form checks itself, then our server makes or finds the one
// order and its one intent, then Stripe.js confirms in the page, 3-D Secure included. What Stripe.js says is
// shown as progress only: paid is what our server answers at /orders/{number}/status.
import { CardForm, isRefusal } from "./card-form.js";
import { find, findAll } from "./dom.js";
import { until } from "./order-status.js";

/** @import { StripeElementLocale } from "@stripe/stripe-js" */
/**
 * @typedef {{ order: string, client_secret: string, amount: number, currency: string }} Order
 * @typedef {{ code: string, message: string, order?: string, fields?: { email?: string } }} Refusal
 */

const form = find(document, "[data-checkout]", HTMLFormElement);
const { slug, amount, currency = "", stripeScript: script = "", publishableKey = "" } = form.dataset;
const methods = (form.dataset.paymentMethods ?? "").split(" ");
const locale = /** @type {StripeElementLocale} */ (form.dataset.locale);
const csrf = find(document, 'meta[name="csrf-token"]', HTMLMetaElement).content;
const button = find(form, "[data-pay]", HTMLButtonElement);
const fields = find(form, "[data-fields]", HTMLFieldSetElement);
const message = find(form, "[data-message]", HTMLElement);
const place = find(form, "[data-payment-element]", HTMLElement);
const watchLink = find(form, "[data-watch-link]", HTMLAnchorElement);
const email = findAll(form, "[name=email]", HTMLInputElement)[0]; // an account has its own
const LOCKED = ["loading", "paying", "verifying"];
const SLOW_AFTER_MS = 20_000;

/** @type {CardForm | undefined} */
let card;

/**
 * @param {string} state
 * @param {string} [text]
 */
function show(state, text) {
  if (text) message.textContent = text;
  form.dataset.state = state;
  button.disabled = LOCKED.includes(state);
  fields.disabled = state === "paying" || state === "verifying";
}

async function start() {
  try {
    const terms = { script, publishableKey, locale, amount: Number(amount), currency, methods };
    card = await CardForm.open(place, terms);
    show("ready");
  } catch (error) {
    console.info("The card form did not load:", error);
    show("unreachable");
  }
}

function emailIsFine() {
  if (!email) return true;
  const fine = email.checkValidity();
  markEmail(fine);
  return fine;
}

/** @param {boolean} fine */
function markEmail(fine) {
  if (!email) return;
  email.setAttribute("aria-invalid", String(!fine));
  find(form, "[data-email-error]", HTMLElement).hidden = fine;
  if (!fine) email.focus();
}

async function openOrder() {
  const response = await fetch(`/checkout/${slug}/order`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify({ currency, email: email?.value }),
  });
  /** @type {Partial<Order> & { error?: Refusal }} */
  const answer = await response.json();
  return { status: response.status, ...answer };
}

/** @param {CardForm} card */
async function pay(card) {
  show("paying");
  if (!(await card.isComplete())) {
    show("ready"); // the card form marks its own fields
    return;
  }
  const { status, error, ...order } = await openOrder();
  if (error) {
    await refused(status, error);
  } else if (order.amount !== Number(amount) || order.currency !== currency) {
    show("closed"); // the price changed while the page was open: never charge what was not shown
  } else {
    await confirm(card, /** @type {Order} */ (order));
  }
}

/**
 * @param {number} status
 * @param {Refusal} error
 */
async function refused(status, error) {
  if (error.fields?.email && email) {
    show("ready");
    markEmail(false);
  } else if (error.code === "already_owned") show("owned");
  else if (status === 401 || error.code === "waits_in_mail") location.reload(); // the page itself says what to do
  else if (error.order) await waitForMoney(error.order);
  else if (error.code === "order_already_paid") show("owned");
  else if (status === 429) show("busy");
  else if (error.code === "foreign_origin") show("elsewhere");
  else if (status === 403 || error.fields?.email) show("stale"); // signed out, or the cookies are gone
  else if (status === 404 || status === 422) show("closed");
  else show("failed");
}

/**
 * @param {CardForm} card
 * @param {Order} order
 */
async function confirm(card, { order, client_secret: clientSecret }) {
  linkOrder(order);
  show("verifying");
  const { error, paymentIntent } = await card.confirm(clientSecret, `${location.origin}/orders/${order}`);
  if (error && isRefusal(error)) {
    show("declined", error.message);
  } else if (error) {
    // The answer was lost, perhaps not the payment: ask our server what became of it.
    await waitForMoney(order, { patienceMs: 6000, otherwise: "failed" });
  } else if (["succeeded", "processing", "requires_capture"].includes(paymentIntent.status)) {
    await waitForMoney(order);
  } else {
    show("declined");
  }
}

/** @param {string} order */
async function waitForMoney(order, { patienceMs = SLOW_AFTER_MS, otherwise = "processing" } = {}) {
  linkOrder(order);
  show("paying");
  const outcome = await until(order, patienceMs);
  if (outcome.watch_url) {
    succeeded(outcome.watch_url);
    return;
  }
  if (outcome.status === "canceled") {
    show("failed");
    return;
  }
  show(otherwise);
  if (otherwise !== "processing") return;
  const later = await until(order, Infinity);
  if (later.watch_url) succeeded(later.watch_url);
  else show("failed");
}

/** @param {string} watchUrl */
function succeeded(watchUrl) {
  watchLink.href = watchUrl;
  show("succeeded");
  watchLink.focus();
}

/** @param {string} order */
function linkOrder(order) {
  for (const link of findAll(form, "[data-order-link]", HTMLAnchorElement)) link.href = `/orders/${order}`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!card || button.disabled || !emailIsFine()) return;
  try {
    await pay(card);
  } catch (error) {
    // A lost connection: pressing again finds the same order and the same intent.
    console.error(error);
    show("failed");
  }
});
email?.addEventListener("change", emailIsFine);

start();

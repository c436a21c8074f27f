// The checkout form: one form, many states. Every sentence is in the page; this module sets `data-state`.
//
// Order of a payment (deferred mode): the card form checks itself, then our server makes or finds the one
// order and its one intent, then Stripe.js confirms in the page, 3-D Secure included. What Stripe.js says is
// shown as progress only: paid is what our server answers at /orders/{number}/status.
import { CardForm, reasonOfRefusal } from "./card-form.js";
import { find, findAll } from "./dom.js";
import { until } from "./order-status.js";

/** @import { StripeElementLocale, StripeError } from "@stripe/stripe-js" */
/**
 * @typedef {{ order: string, client_secret: string | null, amount: number, currency: string }} Order
 * @typedef {{ total: number, currency: string, digest: string, total_text: string }} Quote
 * @typedef {Partial<Quote> & { code: string, order?: string, fields?: { email?: string } }} Refusal
 */

const form = find(document, "[data-checkout]", HTMLFormElement);
const { slug, currency = "" } = form.dataset;
const csrf = find(document, 'meta[name="csrf-token"]', HTMLMetaElement).content;
const button = find(form, "[data-pay]", HTMLButtonElement);
const fields = find(form, "[data-fields]", HTMLFieldSetElement);
const place = find(form, "[data-payment-element]", HTMLElement);
const watchLink = find(form, "[data-watch-link]", HTMLAnchorElement);
const email = findAll(form, "[name=email]", HTMLInputElement)[0]; // an account has its own
const LOCKED = ["loading", "paying", "verifying"];
const SLOW_AFTER_MS = 20_000;
const TOLD_BY_THE_PAGE = ["waits_in_mail", "payment_disputed"];
/** @type {Record<string, string>} */
const STATE_OF_REFUSAL = {
  already_owned: "owned",
  order_already_paid: "owned",
  order_in_progress: "in-progress",
  too_many_requests: "busy",
  foreign_origin: "elsewhere",
  currency_not_offered: "closed",
  not_found: "closed",
};

/** @type {CardForm | undefined} */
let card;

// What the page shows, and all that may be charged.
let shown = { total: Number(form.dataset.amount), digest: form.dataset.digest };

/** @param {string} state */
function show(state) {
  form.dataset.state = state;
  button.disabled = LOCKED.includes(state);
  fields.disabled = state === "paying" || state === "verifying";
}

/**
 * Ends a press in a state that has something to say: what says it gets the focus, with the button in view.
 * @param {string} state
 */
function tell(state) {
  show(state);
  const [notice] = findAll(form, `[data-notice][data-when="${state}"]`, HTMLElement);
  const said = notice ?? findAll(form, `.pay-done [data-when="${state}"] a`, HTMLElement)[0];
  said?.focus({ preventScroll: true });
  said?.scrollIntoView({ block: "nearest" });
  button.scrollIntoView({ block: "nearest" });
}

// The card form says its part of a refusal a moment later, and grows by it.
new ResizeObserver(() => {
  if (document.activeElement?.matches("[data-notice]")) button.scrollIntoView({ block: "nearest" });
}).observe(place);

async function openCard() {
  try {
    card = await CardForm.open(place, {
      script: form.dataset.stripeScript ?? "",
      publishableKey: form.dataset.publishableKey ?? "",
      locale: /** @type {StripeElementLocale} */ (form.dataset.locale),
      amount: shown.total,
      currency,
      methods: (form.dataset.paymentMethods ?? "").split(" "),
    });
    return true;
  } catch (error) {
    console.info("The card form did not load:", error);
    show("unreachable");
    return false;
  }
}

async function start() {
  if (shown.total === 0 || (await openCard())) show("ready");
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
    body: JSON.stringify({ currency, email: email?.value, digest: shown.digest }),
  });
  /** @type {Order & { error?: Refusal }} */
  const answer = await response.json();
  return { status: response.status, ...answer };
}

async function pay() {
  show("paying");
  if (shown.total > 0 && !(await card?.isComplete())) {
    show("ready"); // the card form marks its own fields
    return;
  }
  const { status, error, ...order } = await openOrder();
  if (error) await refused(status, error);
  else if (order.amount !== shown.total || order.currency !== currency) tell("closed"); // never what was not shown
  else if (order.client_secret === null) await waitForMoney(order.order);
  else await confirm(order.order, order.client_secret);
}

/**
 * @param {number} status
 * @param {Refusal} error
 */
async function refused(status, error) {
  const state = STATE_OF_REFUSAL[error.code];
  if (error.fields?.email && email) {
    show("ready");
    markEmail(false);
  } else if (error.code === "quote_changed") await changed(/** @type {Quote} */ (error));
  else if (status === 401 || TOLD_BY_THE_PAGE.includes(error.code)) location.reload(); // the page itself says what to do
  else if (error.order) await waitForMoney(error.order);
  else if (state) tell(state);
  else if (status === 403 || error.fields?.email) tell("stale"); // signed out, or the cookies are gone
  else tell("failed");
}

/**
 * Shows what is asked for now, so that the next press agrees to it.
 * @param {Quote} quote
 */
async function changed(quote) {
  if (quote.currency !== currency) {
    tell("closed");
    return;
  }
  shown = quote;
  form.dataset.amount = String(quote.total);
  for (const total of findAll(document, "[data-total]", HTMLElement)) total.textContent = quote.total_text;
  for (const line of findAll(document, "[data-breakdown]", HTMLElement)) line.hidden = true; // of the old total
  if (quote.total > 0 && card) await card.changeAmount(quote.total);
  else if (quote.total > 0 && !(await openCard())) return;
  tell("changed");
}

/**
 * @param {string} order
 * @param {string} clientSecret
 */
async function confirm(order, clientSecret) {
  linkOrder(order);
  show("verifying");
  if (!card) return;
  const { error, paymentIntent } = await card.confirm(clientSecret, `${location.origin}/orders/${order}`);
  if (error) await unpaid(order, error);
  else if (paymentIntent.status === "requires_action") declined("identity"); // the bank's page was left
  else await waitForMoney(order);
}

/** @param {string} reason */
function declined(reason) {
  for (const one of findAll(form, "[data-reason]", HTMLElement)) one.hidden = one.dataset.reason !== reason;
  tell("declined");
}

/**
 * @param {string} order
 * @param {StripeError} error
 */
async function unpaid(order, error) {
  const reason = reasonOfRefusal(error);
  if (reason) declined(reason);
  else if (error.type === "validation_error") show("ready"); // the card form marks its own fields
  // The answer was lost, perhaps not the payment: ask our server what became of it.
  else await waitForMoney(order, { patienceMs: 6000, otherwise: "failed" });
}

/** @param {string} order */
async function waitForMoney(order, { patienceMs = SLOW_AFTER_MS, otherwise = "processing" } = {}) {
  linkOrder(order);
  show("paying");
  let outcome = await until(order, patienceMs);
  if (outcome.status === "pending" && otherwise === "processing") {
    tell("processing");
    outcome = await until(order, Infinity);
  }
  if (outcome.watch_url) {
    watchLink.href = outcome.watch_url;
    tell("succeeded");
  } else if (outcome.status === "gone") tell("gone");
  else if (["pending", "unpaid", "canceled"].includes(outcome.status)) tell("failed");
  else location.assign(`/orders/${order}`); // paid, and given back already: that page says so
}

/** @param {string} order */
function linkOrder(order) {
  for (const link of findAll(form, "[data-order-link]", HTMLAnchorElement)) link.href = `/orders/${order}`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.disabled || !emailIsFine()) return;
  try {
    await pay();
  } catch (error) {
    // A lost connection: pressing again finds the same order and the same intent.
    console.error(error);
    tell("failed");
  }
});
email?.addEventListener("change", emailIsFine);
find(form, "[data-to-card]", HTMLButtonElement).addEventListener("click", () => card?.focus());

start();

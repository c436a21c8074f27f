// The checkout form: one form, many states. Every sentence is in the page; this module sets `data-state`.
//
// Order of a payment (deferred mode): the card form checks itself, then our server makes or finds the one
// order and its one intent, then Stripe.js confirms in the page, 3-D Secure included. What Stripe.js says is
// shown as progress only: paid is what our server answers at /orders/{number}/status.
import { PAYMENT_FONT, paymentAppearance } from "./appearance.js";
import { until } from "./order-status.js";

const form = document.querySelector("[data-checkout]");
const { slug, amount, currency, locale, stripeScript, publishableKey } = form.dataset;
const csrf = document.querySelector('meta[name="csrf-token"]').content;
const button = form.querySelector("[data-pay]");
const fields = form.querySelector("[data-fields]");
const message = form.querySelector("[data-message]");
const place = form.querySelector("[data-payment-element]");
const email = form.elements.namedItem("email");
const emailError = form.querySelector("[data-email-error]");
const LOCKED = ["loading", "paying", "verifying"];
const ANSWERED = ["card_error", "validation_error"]; // the bank or the form said no: nothing is under way
const SLOW_AFTER_MS = 20_000;

let stripe;
let elements;

function show(state, text) {
  if (text) message.textContent = text;
  form.dataset.state = state;
  button.disabled = LOCKED.includes(state);
  fields.disabled = state === "paying" || state === "verifying";
}

function loadScript(src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

async function start() {
  try {
    await loadScript(stripeScript);
    stripe = window.Stripe(publishableKey, { locale });
    elements = stripe.elements({
      mode: "payment",
      amount: Number(amount),
      currency: currency.toLowerCase(),
      appearance: paymentAppearance(place),
      fonts: [PAYMENT_FONT],
      loader: "never", // the page has a skeleton of its own, of the right height
    });
  } catch {
    show("unreachable");
    return;
  }
  const payment = elements.create("payment", { layout: "tabs" });
  payment.on("ready", () => show("ready"));
  payment.on("loaderror", () => show("unreachable"));
  payment.mount(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    elements.update({ appearance: paymentAppearance(place) });
  });
}

function emailIsFine() {
  if (!email) return true;
  const fine = email.checkValidity();
  email.setAttribute("aria-invalid", String(!fine));
  emailError.hidden = fine;
  if (!fine) email.focus();
  return fine;
}

async function openOrder() {
  const response = await fetch(`/checkout/${slug}/order`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify({ currency, email: email?.value }),
  });
  return { status: response.status, ...(await response.json()) };
}

async function pay() {
  show("paying");
  const { error: incomplete } = await elements.submit();
  if (incomplete) {
    show("ready"); // the card form marks its own fields
    return;
  }
  const order = await openOrder();
  if (order.error) {
    await refused(order.status, order.error);
    return;
  }
  if (order.amount !== Number(amount) || order.currency !== currency) {
    show("closed"); // the price changed while the page was open: never charge what was not shown
    return;
  }
  await confirm(order);
}

async function refused(status, error) {
  if (error.fields?.email && email) {
    show("ready");
    email.setAttribute("aria-invalid", "true");
    emailError.hidden = false;
    email.focus();
  } else if (error.code === "already_owned") show("owned");
  else if (status === 401 || error.code === "waits_in_mail") location.reload(); // the page itself says what to do
  else if (error.order) await waitForMoney(error.order);
  else if (error.code === "order_already_paid") show("owned");
  else if (status === 429) show("busy");
  else if (status === 403 || error.fields?.email) show("stale"); // signed out, or the cookies are gone
  else if (status === 404 || status === 422) show("closed");
  else show("failed");
}

async function confirm({ order, client_secret: clientSecret }) {
  linkOrder(order);
  show("verifying");
  const { error, paymentIntent } = await stripe.confirmPayment({
    elements,
    clientSecret,
    redirect: "if_required",
    confirmParams: { return_url: `${location.origin}/orders/${order}` },
  });
  if (error && (ANSWERED.includes(error.type) || error.code === "payment_intent_authentication_failure")) {
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

async function waitForMoney(order, { patienceMs = SLOW_AFTER_MS, otherwise = "processing" } = {}) {
  linkOrder(order);
  show("paying");
  const outcome = await until(order, patienceMs);
  if (outcome.watch_url) {
    form.querySelector("[data-watch-link]").href = outcome.watch_url;
    succeeded();
    return;
  }
  if (outcome.status === "canceled") {
    show("failed");
    return;
  }
  show(otherwise);
  if (otherwise !== "processing") return;
  const later = await until(order, Infinity);
  if (later.watch_url) {
    form.querySelector("[data-watch-link]").href = later.watch_url;
    succeeded();
  } else show("failed");
}

function succeeded() {
  show("succeeded");
  form.querySelector("[data-watch-link]").focus();
}

function linkOrder(order) {
  for (const link of form.querySelectorAll("[data-order-link]")) link.href = `/orders/${order}`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.disabled || !emailIsFine()) return;
  try {
    await pay();
  } catch (error) {
    // A lost connection: pressing again finds the same order and the same intent.
    console.error(error);
    show("failed");
  }
});
email?.addEventListener("change", emailIsFine);

start();

import { checkPostalCode, hasPostalCode, listCountries } from "./address.js";
import { applyAppearance, loadFonts } from "./appearance.js";
import {
  brandOf, checkCvc, checkExpiry, checkNumber, expiryOf, formatCvc, formatExpiry, formatNumber, isFull,
} from "./card.js";
import { confirm } from "./confirm.js";
import { choose, collapse, isCollapsed, method, offer, whenChosen } from "./methods.js";
import { listen, opening, tell } from "./parent.js";
import { CARD_TEXTS } from "./texts.js";

const form = document.querySelector("form");
const { number, expiry, cvc, country, postalCode } = form.elements;
const inputs = [number, expiry, cvc, postalCode];
const typedCard = inputs.slice(0, 3);
// Stripe guesses the country from where the browser is.
const HOME = "KR";

const checks = {
  number: () => checkNumber(number.value),
  expiry: () => checkExpiry(expiry.value),
  cvc: () => checkCvc(cvc.value, number.value),
  postalCode: () => (isShown(postalCode) ? checkPostalCode(postalCode.value, country.value) : null),
};
const formats = {
  number: formatNumber,
  expiry: formatExpiry,
  cvc: (text) => formatCvc(text, number.value),
  postalCode: (text) => text,
};
/** Where a refusal by the bank is shown; the real Element shows these inside the form too. */
const DECLINE_FIELDS = {
  incorrect_cvc: cvc, invalid_cvc: cvc,
  expired_card: expiry, invalid_expiry_month: expiry, invalid_expiry_year: expiry,
  generic_decline: number, insufficient_funds: number, fraudulent: number,
  lost_card: number, stolen_card: number, card_velocity_exceeded: number,
};

let texts = CARD_TEXTS.en;
let lastState = "";
let lastHeight = 0;
let offered = ["card"];
let started = false;

function showTexts(locale) {
  texts = CARD_TEXTS[locale];
  document.documentElement.lang = locale;
  listCountries(country, locale);
  for (const node of form.querySelectorAll("[data-text]")) node.textContent = texts[node.dataset.text];
  for (const input of inputs) if (input.dataset.code) showFault(input, input.dataset.code);
  offer(offered, texts);
}

function showMessage(input, message) {
  const line = document.getElementById(`${input.name}-error`);
  line.textContent = message;
  line.hidden = !message;
  input.classList.toggle("Input--invalid", Boolean(message));
  input.setAttribute("aria-invalid", String(Boolean(message)));
}

/** `code` is what is wrong with the field, null when nothing is. */
function showFault(input, code) {
  input.dataset.code = code ?? "";
  showMessage(input, code ? texts[code] : "");
}

/** Shows every fault, puts the cursor into the first, and says which it is. */
function validate() {
  if (method() !== "card") return { method: method() };
  if (isCollapsed()) choose("card");
  for (const input of inputs) showFault(input, checks[input.name]());
  const first = inputs.find((input) => input.dataset.code);
  report();
  if (!first) return { method: "card" };
  first.focus();
  const code = first.dataset.code;
  return { error: { type: "validation_error", code, message: texts[code] } };
}

/** Puts the formatted text back without moving the cursor away from the digit it stood behind. */
function reformat(input, deleting) {
  const before = input.value.slice(0, input.selectionStart).replace(/\D/g, "").length;
  const atEnd = input.selectionStart === input.value.length;
  const text = formats[input.name](input.value, deleting);
  if (text === input.value) return;
  input.value = text;
  let cursor = text.length;
  if (!atEnd) for (cursor = 0; text.slice(0, cursor).replace(/\D/g, "").length < before; ) cursor += 1;
  input.setSelectionRange(cursor, cursor);
}

function report() {
  const state = {
    empty: method() === "card" && typedCard.every((input) => !input.value),
    complete: method() !== "card" || inputs.every((input) => !checks[input.name]()),
    collapsed: isCollapsed(),
    value: { type: method() },
  };
  const text = JSON.stringify(state);
  if (!started || text === lastState) return;
  lastState = text;
  tell("change", state);
}

function reportHeight() {
  const height = Math.ceil(document.body.getBoundingClientRect().height);
  if (height === lastHeight) return;
  lastHeight = height;
  tell("resize", { height });
}

function typed(event) {
  const input = event.target;
  reformat(input, event.inputType?.startsWith("delete"));
  if (input === number) {
    document.getElementById("brand").textContent = brandOf(number.value).name;
    cvc.value = formats.cvc(cvc.value);
  }
  // While one is still typing only what can no longer become right is an error.
  const code = checks[input.name]();
  showFault(input, code?.startsWith("invalid") ? code : null);
  report();
  const atEnd = input.selectionStart === input.value.length;
  if (document.activeElement !== input || !atEnd || code) return;
  if (input === number && isFull(number.value)) expiry.focus();
  else if (input === expiry) cvc.focus();
}

function lock(locked) {
  for (const input of [...inputs, country]) input.disabled = locked;
}

const isShown = (input) => !input.closest(".field").hidden;

/** Shows what the merchant does not collect itself, and the postal code only where it is checked. */
function showAddress() {
  const fields = opening.options.fields?.billingDetails;
  const address = fields === "never" ? "never" : fields?.address ?? {};
  const isAsked = (name) => address !== "never" && address[name] !== "never";
  country.closest(".field").hidden = !isAsked("country");
  postalCode.closest(".field").hidden = !isAsked("postalCode") || !hasPostalCode(country.value);
  country.closest(".field").classList.toggle("wide", !isShown(postalCode));
}

/** The page's billing details over those of the form. */
function billingDetails({ address, ...details } = {}) {
  const own = {};
  if (isShown(country)) own.country = country.value;
  if (isShown(postalCode)) own.postal_code = postalCode.value.trim();
  return { ...details, address: { ...own, ...address } };
}

/** The method as the API takes it. */
function paidWith() {
  if (method() !== "card") return { type: method() };
  const { month, year } = expiryOf(expiry.value);
  const digits = number.value.replace(/\D/g, "");
  return { type: "card", card: { number: digits, exp_month: month, exp_year: year, cvc: cvc.value } };
}

function showMethods(types) {
  offered = types;
  offer(offered, texts);
  report();
}

const handlers = {
  start() {
    started = true;
    report();
  },
  validate,
  async confirm({ id, params }) {
    const billing = billingDetails(params.payment_method_data?.billing_details);
    lock(true);
    try {
      return await confirm(id, params, { ...paidWith(), billing_details: billing });
    } finally {
      lock(false);
    }
  },
  showError({ code, declineCode, message }) {
    const input = DECLINE_FIELDS[declineCode] ?? DECLINE_FIELDS[code];
    if (input) showMessage(input, message);
  },
  async offer(wanted) {
    const { types } = await openSession(wanted);
    if (types) showMethods(types);
  },
  look({ appearance, locale }) {
    applyAppearance(appearance);
    showTexts(locale);
  },
  update({ options }) {
    for (const input of inputs) input.readOnly = Boolean(options.readOnly);
    country.disabled = Boolean(options.readOnly);
  },
  focus: () => number.focus(),
  blur: () => document.activeElement?.blur(),
  clear() {
    for (const input of inputs) {
      input.value = "";
      showFault(input, null);
    }
    document.getElementById("brand").textContent = "";
    report();
  },
  collapse() {
    collapse();
    report();
  },
};

for (const input of inputs) {
  input.addEventListener("input", typed);
  input.addEventListener("blur", () => {
    if (input.value) showFault(input, checks[input.name]());
  });
}
form.addEventListener("focusin", (event) => {
  if (!form.contains(event.relatedTarget)) tell("focus");
});
form.addEventListener("focusout", (event) => {
  if (!form.contains(event.relatedTarget)) tell("blur");
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Escape") tell("escape");
  if (event.key === "Enter" && !event.target.matches(".Tab")) tell("enter");
});
form.addEventListener("submit", (event) => event.preventDefault());
whenChosen(() => {
  if (method() === "card" && !isCollapsed()) number.focus();
  report();
});

/** What the real Element learns from its session: `{types}` of what it offers, or the `{error}` that keeps it shut. */
async function openSession(wanted) {
  const query = new URLSearchParams([["key", opening.key], ...wanted]);
  try {
    const answer = await fetch(`/_sandbox/elements/session?${query}`);
    const body = await answer.json();
    return answer.ok ? { types: body.payment_method_types } : { error: body.error };
  } catch (failure) {
    return { error: { type: "api_connection_error", message: String(failure) } };
  }
}

country.addEventListener("change", () => {
  showFault(postalCode, null);
  showAddress();
  report();
});

loadFonts(opening.fonts);
handlers.look(opening);
handlers.update(opening);
const known = opening.options.defaultValues?.billingDetails?.address ?? {};
country.value = known.country ?? HOME;
postalCode.value = known.postal_code ?? "";
showAddress();
if (opening.options.layout?.defaultCollapsed) collapse();
listen(handlers);
new ResizeObserver(reportHeight).observe(document.body);
const { types, error } = await openSession(opening.wanted);
if (types) showMethods(types);
reportHeight();
if (error) tell("loaderror", error);
else tell("loaded");

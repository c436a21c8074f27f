// The options that each call accepts. `true` marks a value, an object a nested group of options.
// Real Stripe.js only warns of some unknown names; here every one is refused, so that a misspelled option
// cannot be silently without effect.

const ADDRESS = { line1: true, line2: true, city: true, state: true, country: true, postal_code: true };
const BILLING_DETAILS = { name: true, email: true, phone: true, tax_id: true, address: ADDRESS };
const FIELD_ADDRESS = { line1: true, line2: true, city: true, state: true, country: true, postalCode: true };
const FIELD_DETAILS = { name: true, email: true, phone: true, address: FIELD_ADDRESS };

const STRIPE_OPTIONS = {
  stripeAccount: true, apiVersion: true, locale: true, betas: true, developerTools: true,
};
const APPEARANCE = {
  theme: true, variables: true, rules: true, labels: true, inputs: true, disableAnimations: true,
};
const FONT = {
  cssSrc: true, family: true, src: true, display: true, style: true, unicodeRange: true, weight: true,
};
const LOOK_OPTIONS = {
  appearance: APPEARANCE, fonts: true, locale: true, loader: true,
  customerSessionClientSecret: true, customPaymentMethods: true,
};
const DEFERRED_OPTIONS = {
  mode: true, amount: true, currency: true, setupFutureUsage: true, captureMethod: true,
  paymentMethodCreation: true, allowedPaymentMethodTypes: true, excludedPaymentMethodTypes: true,
  paymentMethodConfiguration: true, paymentMethodOptions: true, onBehalfOf: true,
};
const ELEMENTS_OPTIONS = { clientSecret: true, ...DEFERRED_OPTIONS, ...LOOK_OPTIONS };
const ELEMENTS_UPDATE = { ...DEFERRED_OPTIONS, appearance: APPEARANCE, locale: true };
const PAYMENT_ELEMENT_OPTIONS = {
  layout: {
    type: true, defaultCollapsed: true, radios: true, spacedAccordionItems: true,
    visibleAccordionItemsCount: true, paymentMethodLogoPosition: true,
  },
  defaultValues: { billingDetails: BILLING_DETAILS, card: true },
  fields: { billingDetails: FIELD_DETAILS },
  terms: true, wallets: { applePay: true, googlePay: true, link: true }, business: { name: true },
  readOnly: true, paymentMethodOrder: true, applePay: true,
};
const CONFIRM_PARAMS = {
  return_url: true, payment_method: true, confirmation_token: true, shipping: true, receipt_email: true,
  expand: true,
  payment_method_data: { billing_details: BILLING_DETAILS, allow_redisplay: true, metadata: true },
};
const CONFIRM_OPTIONS = { elements: true, clientSecret: true, confirmParams: CONFIRM_PARAMS, redirect: true };

function refuse(call, message) {
  throw new IntegrationError(`Invalid value for ${call}: ${message}`);
}

/** Throws unless `options` is an object that holds only names of `known`, at every depth. */
function checkOptions(call, options, known, path = "") {
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    refuse(call, `${path || "the options"} should be an object. You specified: ${JSON.stringify(options)}.`);
  }
  for (const [name, value] of Object.entries(options)) {
    const full = path ? `${path}.${name}` : name;
    if (name === "paymentMethodTypes") {
      refuse(call, "paymentMethodTypes is no longer supported. Use allowedPaymentMethodTypes instead.");
    }
    if (!(name in known)) refuse(call, `${full} is not an accepted parameter.`);
    if (known[name] !== true && value !== undefined && typeof value !== "string") {
      checkOptions(call, value, known[name], full);
    }
  }
}

function checkOneOf(call, name, value, allowed) {
  if (value !== undefined && !allowed.includes(value)) {
    refuse(call, `${name} should be one of ${allowed.join(", ")}. You specified: ${JSON.stringify(value)}.`);
  }
}

/** Amounts are integers in minor units as Stripe counts them: 33000 is KRW 33,000, 3300 is USD 33.00. */
function checkMoney(call, amount, currency) {
  if (!Number.isInteger(amount) || amount <= 0) {
    refuse(call, `amount should be a positive integer in the smallest unit. You specified: ${amount}.`);
  }
  if (typeof currency !== "string" || !/^[a-z]{3}$/.test(currency)) {
    refuse(call, `currency should be a three-letter code in lower case. You specified: ${currency}.`);
  }
}

function checkLook(call, { appearance = {}, loader }) {
  checkOneOf(call, "appearance.theme", appearance.theme, ["stripe", "night", "flat"]);
  checkOneOf(call, "appearance.labels", appearance.labels, ["auto", "above", "floating"]);
  checkOneOf(call, "appearance.inputs", appearance.inputs, ["spaced", "condensed"]);
  checkOneOf(call, "loader", loader, ["auto", "always", "never"]);
}

function checkFonts(call, fonts) {
  if (!Array.isArray(fonts)) refuse(call, "fonts should be an array.");
  for (const font of fonts) {
    checkOptions(call, font, FONT, "fonts[]");
    if (!font.cssSrc && !(font.family && font.src)) {
      refuse(call, "a font should have a cssSrc, or a family and a src.");
    }
  }
}

function checkElementsOptions(options) {
  const call = "stripe.elements()";
  checkOptions(call, options, ELEMENTS_OPTIONS);
  checkLook(call, options);
  checkFonts(call, options.fonts ?? []);
  if (options.clientSecret !== undefined) {
    intentId(call, options.clientSecret);
    const deferred = Object.keys(options).find((name) => name in DEFERRED_OPTIONS);
    if (deferred) refuse(call, `${deferred} cannot be combined with clientSecret.`);
  } else if (options.mode !== undefined) {
    checkOneOf(call, "mode", options.mode, ["payment"]);
    checkMoney(call, options.amount, options.currency);
  }
}

/** The id inside a PaymentIntent's client secret `pi_…_secret_…`. */
function intentId(call, clientSecret) {
  const match = /^(pi_[A-Za-z0-9]+)_secret_[A-Za-z0-9]+$/.exec(clientSecret);
  if (!match) {
    refuse(call, "client secret should be of the form ${id}_secret_${secret}. " +
      `You specified: ${JSON.stringify(clientSecret)}.`);
  }
  return match[1];
}

function checkReturnUrl(call, url, redirect) {
  if (url === undefined && redirect === "if_required") return;
  const absolute = typeof url === "string" && /^[a-z][a-z0-9+.-]*:\/\//i.test(url) && URL.canParse(url);
  if (!absolute) refuse(call, "confirmParams.return_url should be a URL with an explicit scheme.");
}

// The look of the Payment Element, read from the page's own tokens, so that both change together.
/** @import { Appearance, CustomFontSource } from "@stripe/stripe-js" */

/**
 * The computed color behind a token: light-dark() is only settled where it is used.
 * @param {HTMLElement} probe
 * @param {string} token
 */
function color(probe, token) {
  probe.style.color = `var(${token})`;
  return getComputedStyle(probe).color;
}

/**
 * The page's letters, for a form that stands on Stripe's site: as in css/tokens.css.
 * @type {CustomFontSource}
 */
export const PAYMENT_FONT = {
  family: "Playbill Text",
  src: `url(${new URL("../fonts/playbill-text-latin.woff2", import.meta.url)})`,
  weight: "45 920",
  display: "swap",
  unicodeRange:
    "U+0000-00FF, U+0131, U+0152-0153, U+02C6, U+02DA, U+02DC, U+2010-2027, U+2030, U+2032-2033, " +
    "U+2039-203A, U+2044, U+20A9, U+20AC, U+2122, U+2190-2193, U+2212, U+2215, U+22C5",
};

/**
 * Options for `stripe.elements({appearance})`.
 * @param {HTMLElement} place where the element will stand
 * @returns {Appearance}
 */
export function paymentAppearance(place) {
  const probe = document.createElement("span");
  place.append(probe);
  /** @param {string} token */
  const of = (token) => color(probe, token);
  /** @type {Appearance} */
  const appearance = {
    theme: "flat",
    labels: "above",
    disableAnimations: matchMedia("(prefers-reduced-motion: reduce)").matches,
    variables: {
      colorPrimary: of("--accent"),
      colorBackground: of("--raised"),
      colorText: of("--ink"),
      colorTextSecondary: of("--muted"),
      colorTextPlaceholder: of("--muted"),
      colorDanger: of("--bad"),
      fontFamily: getComputedStyle(place).fontFamily,
      fontSizeBase: "16px",
      borderRadius: "2px",
      spacingUnit: "4px",
      gridRowSpacing: "16px",
    },
    rules: {
      ".Label": { fontSize: "15px", fontWeight: "650" },
      ".Input": { border: `1px solid ${of("--line-strong")}`, boxShadow: "none", padding: "12px" },
      ".Input:focus": { border: `1px solid ${of("--focus")}`, boxShadow: `0 0 0 1px ${of("--focus")}` },
      ".Input--invalid": { border: `1px solid ${of("--bad")}` },
      ".Tab": { border: `1px solid ${of("--line-strong")}`, boxShadow: "none" },
      ".Tab--selected": { border: `1px solid ${of("--ink")}` },
    },
  };
  probe.remove();
  return appearance;
}

// The look of the Payment Element, read from the page's own tokens, so that both change together.

/** The computed colour behind a token: light-dark() is only settled where it is used. */
function colour(probe, token) {
  probe.style.color = `var(${token})`;
  return getComputedStyle(probe).color;
}

/**
 * Options for `stripe.elements({appearance})`.
 * @param {HTMLElement} place where the element will stand
 * @returns {object} Stripe's appearance object
 */
export function paymentAppearance(place) {
  const probe = document.createElement("span");
  place.append(probe);
  const of = (token) => colour(probe, token);
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

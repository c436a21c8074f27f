const ZERO_DECIMAL = new Set(
  "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" "));
const THREE_DECIMAL = new Set("bhd jod kwd omr tnd".split(" "));

/** Minor units as Stripe counts them, as people of `locale` write the amount. */
function formatAmount(amount, currency, locale) {
  const digits = ZERO_DECIMAL.has(currency) ? 0 : THREE_DECIMAL.has(currency) ? 3 : 2;
  return new Intl.NumberFormat(locale, {
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(amount / 10 ** digits);
}

const OVERLAY_STYLE = `.__PrivateStripeChallenge {
  position: fixed !important; inset: 0 !important; z-index: 2147483647 !important;
  width: 100vw !important; height: 100dvh !important; color-scheme: light only !important;
}`;

/**
 * Shows the bank's 3-D Secure page over the whole page and resolves when it is closed, whatever its outcome.
 * What had the focus has it again afterwards.
 */
function showChallenge(intent, locale) {
  // The API may have been reached under another name of this server than the one that the page may frame.
  const { pathname, search } = new URL(intent.next_action.use_stripe_sdk.stripe_js, ORIGIN);
  const overlay = document.createElement("div");
  overlay.className = "__PrivateStripeChallenge";
  const focused = document.activeElement;
  return new Promise((resolve) => {
    const frame = new Frame("/_sandbox/elements/three-ds-2-challenge", {
      title: "3D Secure 2 authentication frame",
      opening: {
        challenge: pathname + search, locale,
        amount: formatAmount(intent.amount, intent.currency, locale),
      },
      styles: { width: "100%", height: "100%" },
      handlers: {
        closed: () => {
          frame.remove();
          overlay.remove();
          focused?.focus();
          resolve();
        },
      },
    });
    insertStyle(OVERLAY_STYLE);
    overlay.append(frame.iframe);
    document.body.append(overlay);
  });
}

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

/**
 * Shows the bank's 3-D Secure page over the whole page and resolves when it is closed, whatever its outcome.
 * A modal dialog keeps the focus inside, makes the page behind inert, and gives the focus back at the end.
 */
function showChallenge(intent, locale) {
  // The API may have been reached under another name of this server than the one that the page may frame.
  const { pathname, search } = new URL(intent.next_action.use_stripe_sdk.stripe_js, ORIGIN);
  const dialog = document.createElement("dialog");
  const full = { width: "100vw", height: "100dvh", "max-width": "none", "max-height": "none" };
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
          dialog.close();
          dialog.remove();
          frame.remove();
          resolve();
        },
      },
    });
    setStyles(dialog, {
      ...full, position: "fixed", inset: "0", margin: "0", padding: "0", border: "0", overflow: "hidden",
      background: "transparent", "color-scheme": "light only",
    });
    // Escape would leave the payment undecided behind a closed window.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    // The dialog holds the focus until the bank's page is there and takes it.
    dialog.autofocus = true;
    dialog.append(frame.iframe);
    document.body.append(dialog);
    dialog.showModal();
  });
}

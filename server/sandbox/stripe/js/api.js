// The frames, the API and this script stand on one origin; the page that loads the script is on another.
const ORIGIN = new URL(document.currentScript.src).origin;

const CONNECTION_ERROR = { type: "api_connection_error", message: "Stripe could not be reached." };

/** Stripe's answer as `{paymentIntent}` or `{error}`; a lost connection is an error of the same shape. */
async function fetchIntent(id, clientSecret, key) {
  const query = new URLSearchParams({ client_secret: clientSecret, key });
  try {
    const answer = await fetch(`${ORIGIN}/v1/payment_intents/${id}?${query}`, { credentials: "omit" });
    const body = await answer.json();
    return answer.ok ? { paymentIntent: body } : { error: body.error };
  } catch (failure) {
    if (failure instanceof TypeError) return { error: CONNECTION_ERROR };
    return { error: { type: "api_error", message: String(failure) } };
  }
}

// The one place from which a card number travels, and its one goal: the API on this frame's own origin.

/** `{a: {b: 1}}` as the pairs `a[b]=1`, the way Stripe reads forms. */
function* formPairs(value, name) {
  if (value === undefined || value === null) return;
  if (typeof value !== "object") {
    yield [name, String(value)];
    return;
  }
  for (const [key, inner] of Object.entries(value)) yield* formPairs(inner, name ? `${name}[${key}]` : key);
}

/** The answer of the API, after the trouble that the sandbox was told to make. */
async function send(id, params) {
  const trouble = await (await fetch("/_sandbox/browser")).json();
  const answer = await fetch(`/v1/payment_intents/${id}/confirm`, {
    method: "POST", credentials: "omit", body: new URLSearchParams([...formPairs(params)]),
  });
  const body = await answer.json();
  await new Promise((resolve) => setTimeout(resolve, trouble.confirm_delay_ms));
  if (trouble.confirm_drop) throw new TypeError("The connection was dropped.");
  return answer.ok ? { paymentIntent: body } : { error: body.error };
}

/** Confirms PaymentIntent `id` with `method` (its type, billing details and card, if it is one) and `params`. */
export async function confirm(id, params, method) {
  const data = { ...params.payment_method_data, ...method };
  try {
    return await send(id, { ...params, payment_method_data: data });
  } catch (failure) {
    // Whether the API had acted before the connection was lost cannot be known here.
    const type = failure instanceof TypeError ? "api_connection_error" : "api_error";
    return { error: { type, message: String(failure) } };
  }
}

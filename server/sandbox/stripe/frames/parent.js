// The channel to the page that shows this frame. The page names itself in the fragment; whatever comes from
// another window or another origin is not heard, and nothing is said to another origin.

export const opening = JSON.parse(decodeURIComponent(window.location.hash.slice(1)));

export function tell(type, payload, id) {
  window.parent.postMessage({ type, payload, id }, opening.parent);
}

/** Runs `handlers[type]` for each message of the page, and answers those that carry an id. */
export function listen(handlers) {
  window.addEventListener("message", async (event) => {
    if (event.source !== window.parent || event.origin !== opening.parent) return;
    const { type, id, payload } = event.data ?? {};
    const result = await handlers[type]?.(payload);
    if (id) tell("reply", result, id);
  });
}

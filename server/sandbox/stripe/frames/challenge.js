// The bank's page. Going back counts as a failed check: the payment would stay undecided otherwise.
// Whatever the answer is, Stripe.js reads from the API what became of the payment.

import { opening, tell } from "./parent.js";
import { CHALLENGE_TEXTS } from "./texts.js";

const texts = CHALLENGE_TEXTS[opening.locale];
const buttons = document.querySelectorAll("button");
const trouble = document.querySelector(".trouble");

/**
 * Whether there is nothing left to decide here: the check was taken, a card was declined after it, or the
 * payment was paid, failed or canceled from elsewhere while this page stood open.
 */
async function isOver(answer) {
  if (answer.ok || answer.status === 402) return true;
  return answer.status === 400 && (await answer.json()).error.code === "payment_intent_unexpected_state";
}

async function decide(outcome) {
  const clientSecret = new URLSearchParams(window.location.search).get("client_secret");
  for (const button of buttons) button.disabled = true;
  trouble.hidden = true;
  try {
    const answer = await fetch(window.location.pathname, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ client_secret: clientSecret, outcome }),
    });
    if (!(await isOver(answer))) throw new TypeError(`HTTP ${answer.status}`);
    tell("decided");
  } catch (failure) {
    console.warn("3-D Secure:", failure);
    trouble.hidden = false;
    for (const button of buttons) button.disabled = false;
  }
}

document.documentElement.lang = opening.locale;
document.title = texts.title;
for (const node of document.querySelectorAll("[data-text]")) node.textContent = texts[node.dataset.text];
document.querySelector(".amount strong").textContent = opening.amount;
for (const button of buttons) button.addEventListener("click", () => decide(button.dataset.outcome));
// This reaches through both frames around it. They must not ask for the focus as well: a frame that is
// focused from outside while it takes the focus itself can end up with none. Nor does it scroll the merchant's page to
// itself: it stands over the whole window, or the merchant has made a mistake that should be seen.
buttons[0].focus({ preventScroll: true });

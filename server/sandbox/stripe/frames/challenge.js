// The bank's page. Going back counts as a failed check: the payment would stay undecided otherwise.

import { opening, tell } from "./parent.js";
import { CHALLENGE_TEXTS } from "./texts.js";

const texts = CHALLENGE_TEXTS[opening.locale];
const buttons = document.querySelectorAll("button");
const trouble = document.querySelector(".trouble");

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
    // A card can be declined after the check was passed: that is an outcome too.
    if (!answer.ok && answer.status !== 402) throw new TypeError(`HTTP ${answer.status}`);
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
// focused from outside while it takes the focus itself can end up with none.
buttons[0].focus();

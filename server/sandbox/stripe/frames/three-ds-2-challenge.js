// The darkened layer over the merchant's page, with the bank's page in a frame of its own.

import { opening, tell } from "./parent.js";

const frame = document.querySelector("iframe");
const challenge = new URL(opening.challenge, window.location.origin);
if (challenge.origin !== window.location.origin || !challenge.pathname.startsWith("/_sandbox/3ds/")) {
  throw new Error("The challenge is not on this server.");
}
const { locale, amount } = opening;
challenge.hash = encodeURIComponent(JSON.stringify({ locale, amount, parent: window.location.origin }));

window.addEventListener("message", (event) => {
  if (event.origin !== window.location.origin || event.source !== frame.contentWindow) return;
  if (event.data.type === "decided") tell("closed");
});
frame.src = challenge.href;

// Asks our server what became of an order, quickly at first, then ever more calmly.

const SETTLED = ["paid", "partially_refunded", "refunded", "canceled", "unpaid"];
const QUICKEST_MS = 1000;
const CALMEST_MS = 60_000;

/** @typedef {{ status: string, watch_url: string | null }} Outcome */

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The last answer once the order is settled, or after `patienceMs`; `gone`: no longer ours.
 * @param {string} order its number
 * @param {number} patienceMs
 * @returns {Promise<Outcome>}
 */
export async function until(order, patienceMs) {
  const began = performance.now();
  /** @type {Outcome} */
  let answer = { status: "pending", watch_url: null };
  for (;;) {
    try {
      const response = await fetch(`/orders/${order}/status`, { headers: { Accept: "application/json" } });
      if (response.ok) answer = await response.json();
      // In an account by now, where one has to sign in; or never this visitor's.
      if (response.status === 401 || response.status === 404) return { status: "gone", watch_url: null };
    } catch {
      // Offline for a moment: ask again.
    }
    const passed = performance.now() - began;
    if (SETTLED.includes(answer.status) || passed > patienceMs) return answer;
    await pause(Math.min(CALMEST_MS, Math.max(QUICKEST_MS, passed / 5)));
  }
}

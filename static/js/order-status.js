// Asks our server what became of an order, quickly at first, then calmly.

const SETTLED = ["paid", "partially_refunded", "refunded", "canceled"];
const QUICK_MS = 1000;
const CALM_MS = 4000;
const QUICK_FOR_MS = 15_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The last answer `{status, watch_url}` once the order is settled, or after `patienceMs`. */
export async function until(order, patienceMs) {
  const began = performance.now();
  let answer = { status: "pending", watch_url: null };
  for (;;) {
    try {
      const response = await fetch(`/orders/${order}/status`, { headers: { Accept: "application/json" } });
      if (response.ok) answer = await response.json();
    } catch {
      // Offline for a moment: ask again.
    }
    const passed = performance.now() - began;
    if (SETTLED.includes(answer.status) || passed > patienceMs) return answer;
    await pause(passed < QUICK_FOR_MS ? QUICK_MS : CALM_MS);
  }
}

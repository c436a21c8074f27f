// Calls of the page to its own origin, about its own view.

const RETRY_MS = 1000;

export class StandIn {
  constructor(view) {
    this.base = `/_player/views/${view}`;
  }

  async post(path, body, { keepalive = false } = {}) {
    const response = await fetch(`${this.base}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      keepalive,
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  }
}

export const pause = () => new Promise((resolve) => setTimeout(resolve, RETRY_MS));

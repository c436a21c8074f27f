// Sends progress reports to the site, from the browser, as the real player does: in order, one at a time,
// again and again while the site cannot be reached. The site's answer is not looked at.

import { filled } from "./lms.js";
import { pause } from "./stand-in.js";

// A browser refuses a keepalive request whose body is larger than 64 KiB.
const KEEPALIVE_BYTES = 60000;

export class Reporter {
  constructor({ url, templates, identity, hold }, record, standIn) {
    this.url = url;
    this.templates = templates;
    this.identity = identity;
    this.hold = hold;
    this.record = record;
    this.standIn = standIn;
    this.waiting = [];
    this.failing = false;
    this.sending = false;
  }

  data() {
    return this.record.data(this.identity);
  }

  report() {
    this.waiting.push({ form: filled(this.templates, this.data()), posts: null });
    this.#send();
  }

  // The page goes away: there is no time to wait for answers, so everything leaves at once and survives the page.
  leave() {
    const last = { form: filled(this.templates, this.data()), posts: null };
    const kept = this.failing || this.hold;
    for (const entry of [...this.waiting, last]) {
      if (entry.posts > 0 && !this.failing) continue; // on its way already, and kept alive
      const note = { url: this.url, form: entry.form, unsent: kept };
      this.standIn.post("reports", note, { keepalive: true }).catch(console.debug);
      if (!kept) this.#post(entry.form).catch(console.debug);
    }
    this.waiting = [];
  }

  async #send() {
    if (this.sending) return;
    this.sending = true;
    while (this.waiting.length) {
      const entry = this.waiting[0];
      try {
        await this.#deliver(entry);
        this.failing = false;
        if (this.waiting[0] === entry) this.waiting.shift();
      } catch {
        this.failing = true;
        await pause();
      }
    }
    this.sending = false;
  }

  // The stand-in says what to post, and how often (0: it keeps the report itself).
  async #deliver(entry) {
    if (entry.posts === null) {
      const { posts, form } = await this.standIn.post("reports", { url: this.url, form: entry.form });
      Object.assign(entry, { posts, form });
      this.hold = posts === 0;
    }
    while (entry.posts > 0) {
      await this.#post(entry.form);
      entry.posts -= 1;
    }
  }

  #post(form) {
    const body = new URLSearchParams(form);
    const keepalive = body.toString().length < KEEPALIVE_BYTES;
    return fetch(this.url, { method: "POST", mode: "no-cors", credentials: "omit", body, keepalive });
  }
}

// The real script styles what it inserts by style attributes and by a <style> element, both of which a page's policy
// must allow ('unsafe-inline' among its style sources). The CSSOM would get by without: so it is not used here.
function styleAttribute(node, styles) {
  const rules = Object.entries(styles).map(([name, value]) => `${name}: ${value} !important;`);
  node.setAttribute("style", rules.join(" "));
}

/** A <style> element in the page's head, once. */
function insertStyle(css) {
  if ([...document.head.querySelectorAll("style")].some((style) => style.textContent === css)) return;
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
}

/** One of our frames in the merchant's page, and the only channel to what is typed in it. */
class Frame {
  #asked = new Map();
  #styles;
  #handlers;
  #receive = (event) => {
    if (event.origin !== ORIGIN || event.source !== this.iframe.contentWindow) return;
    const { type, id, payload } = event.data;
    if (type === "reply") this.#settle(id, payload);
    else this.#handlers[type]?.(payload);
  };

  /** `opening` travels in the fragment, which is never sent to a server; it holds no card data. */
  constructor(path, { title, opening, handlers, styles }) {
    const fragment = encodeURIComponent(JSON.stringify({ ...opening, parent: window.location.origin }));
    this.#handlers = handlers;
    this.iframe = document.createElement("iframe");
    this.iframe.name = `__privateStripeFrame${Math.random().toString(36).slice(2, 10)}`;
    this.iframe.title = title;
    this.iframe.src = `${ORIGIN}${path}#${fragment}`;
    // A frame whose color scheme differs from its document's is painted on an opaque ground.
    this.#styles = { border: "0", display: "block", "color-scheme": "light only", ...styles };
    this.style({});
    window.addEventListener("message", this.#receive);
  }

  /** Changes some of the frame's styles. */
  style(changes) {
    this.#styles = { ...this.#styles, ...changes };
    styleAttribute(this.iframe, this.#styles);
  }

  tell(type, payload) {
    this.iframe.contentWindow?.postMessage({ type, payload }, ORIGIN);
  }

  /** Resolves with the frame's answer; rejects when the frame goes away before it has answered. */
  ask(type, payload) {
    const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.iframe.contentWindow.postMessage({ type, id, payload }, ORIGIN);
    });
  }

  remove() {
    window.removeEventListener("message", this.#receive);
    this.iframe.remove();
    for (const { reject } of this.#asked.values()) {
      reject(new IntegrationError(
        "We could not retrieve data from the specified Element. " +
        "Please make sure the Element you are attempting to use is still mounted."));
    }
    this.#asked.clear();
  }

  #settle(id, result) {
    this.#asked.get(id)?.resolve(result);
    this.#asked.delete(id);
  }
}

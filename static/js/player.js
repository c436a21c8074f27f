// The page around Kollus's player: tells in plain words what goes wrong in it, offers the next lecture at the
// end, and shows how much has been watched. It reports nothing: the player itself tells the server.

import { find, findAll } from "./dom.js";
import { Place } from "./place.js";
import { WatchedMap } from "./watched.js";

/**
 * Kollus's controller, which its own script defines.
 * @typedef {new (target: { target_window: Window | null, target_origin: string }) => Controller} ControllerKind
 * @typedef {object} Controller
 * @property {(event: string, hear: (...facts: number[]) => void) => void} on
 * @property {(seconds: number) => void} play
 * @property {(seconds: number) => void} set_current_time
 */

const PATIENCE_MS = 12_000; // for the player to be ready, before the visitor is told that it is late
const DOUBT_MS = 3_000; // for its page to say a word, before we ask whether Kollus answers at all

class PlayerPage {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.frame = find(root, "iframe", HTMLIFrameElement);
    this.origin = new URL(this.frame.src).origin;
    this.end = find(root, "[data-player-end]", HTMLElement);
    this.troubles = findAll(root, "[data-player-trouble]", HTMLElement);
    this.place = new Place();
    this.status = findAll(document, "[data-place]", HTMLElement)[0];
    const figure = findAll(document, "[data-watched]", HTMLElement)[0];
    this.map = figure && new WatchedMap(figure, Number(new URL(this.frame.src).searchParams.get("s")));
    this.turn("loading");
    window.addEventListener("message", ({ source }) => {
      if (source === this.frame.contentWindow) this.root.dataset.alive = "";
    });
    setTimeout(() => this.isLate(), PATIENCE_MS);
    const loaded = whenLoaded(this.frame);
    loaded.then(() => {
      this.loaded = true;
      setTimeout(() => this.doubt(), DOUBT_MS);
    });
    Promise.all([whenControllable(), loaded]).then(([Controller]) => this.connect(Controller));
  }

  /** @param {ControllerKind} Controller */
  connect(Controller) {
    const player = new Controller({ target_window: this.frame.contentWindow, target_origin: this.origin });
    player.on("ready", () => {
      const place = this.place.recall();
      if (place !== null) player.set_current_time(place);
      this.turn("ready");
    });
    player.on("play", () => this.turn("playing"));
    player.on("pause", () => this.pause());
    player.on("seeking", () => {
      this.map?.jumped();
      this.place.jumped();
    });
    player.on("progress", (percent = 0, position = 0, duration = 0) => {
      this.map?.reached(position, duration);
      this.place.reached(position, duration);
    });
    player.on("done", () => this.finish());
    // Some players send the code negative.
    player.on("error", (code = 0) => this.fail(Math.abs(code)));
    find(this.end, "[data-player-again]", HTMLElement).addEventListener("click", () => player.play(0));
  }

  /**
   * @param {string} state
   * @param {HTMLElement} [trouble] what is told in it, if anything
   */
  turn(state, trouble) {
    this.root.dataset.state = state;
    this.end.hidden = state !== "done";
    for (const one of this.troubles) one.hidden = one !== trouble;
    if (state === "playing") this.tellPlace("");
  }

  pause() {
    this.turn("paused");
    // The player has told the server at the same moment.
    this.tellPlace(this.status?.dataset.place ?? "");
  }

  /** @param {string} words */
  tellPlace(words) {
    if (this.status) find(this.status, "[role=status]", HTMLElement).textContent = words;
  }

  finish() {
    this.turn("done");
    // What the frame shows full-screen would hide the offer.
    if (document.fullscreenElement) document.exitFullscreen();
    find(this.end, "a", HTMLElement).focus({ preventScroll: true });
  }

  /** @param {number} code Kollus's, for instance 8673 */
  fail(code) {
    const shown = this.trouble(String(code)) ?? this.troubles.at(-1);
    this.turn("error", shown);
    this.root.dataset.code = String(code);
    if (shown) find(shown, "[data-player-code]", HTMLElement).textContent = String(code);
  }

  /** @param {string} code */
  trouble(code) {
    return this.troubles.find((one) => one.dataset.playerTrouble?.split(" ").includes(code));
  }

  isLate() {
    if (this.root.dataset.state !== "loading") return;
    this.turn("late", this.trouble("late"));
    this.doubt();
  }

  // A frame that was refused loads the browser's own page in its place, and does not say so. Without the controller
  // a player is as silent: then it plays without us.
  async doubt() {
    if (!this.isSilent()) return;
    const answers = await fetch(this.origin, { mode: "no-cors", method: "HEAD" }).catch(() => null);
    if (!this.isSilent()) return;
    if (!answers) {
      this.turn("away", this.trouble("away"));
    } else if (!controller()) {
      this.root.dataset.alive = "";
      if (this.loaded) this.turn("alone");
    }
  }

  isSilent() {
    return ["loading", "late"].includes(this.root.dataset.state ?? "") && !("alive" in this.root.dataset);
  }
}

// The frame may have loaded before this module ran: then the page's own load event is still to come, or past.
/** @param {HTMLIFrameElement} frame */
function whenLoaded(frame) {
  return new Promise((resolve) => {
    if (document.readyState === "complete") resolve(null);
    frame.addEventListener("load", resolve, { once: true });
    window.addEventListener("load", resolve, { once: true });
  });
}

/** Kollus's controller, once its script has run. */
function controller() {
  return /** @type {Window & { VgControllerClient?: ControllerKind }} */ (window).VgControllerClient;
}

/** @returns {Promise<ControllerKind>} */
function whenControllable() {
  return new Promise((resolve) => {
    const look = () => {
      const found = controller();
      if (found) resolve(found);
    };
    look();
    find(document, "[data-controller]", HTMLElement).addEventListener("load", look, { once: true });
  });
}

const root = findAll(document, "[data-player-url]", HTMLElement)[0];
if (root) new PlayerPage(root);

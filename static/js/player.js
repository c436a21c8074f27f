// The page around Kollus's player: tells in plain words what goes wrong in it, offers the next lecture at the
// end, and shows how much has been watched. It reports nothing: the player itself tells the server.

import { WatchedMap } from "./watched.js";

const PATIENCE_MS = 12_000; // for the player to be ready, before the visitor is told that it is late
const DOUBT_MS = 3_000; // for its page to say a word, before we ask whether Kollus answers at all

class PlayerPage {
  constructor(root) {
    this.root = root;
    this.frame = root.querySelector("iframe");
    this.origin = new URL(this.frame.src).origin;
    this.end = root.querySelector("[data-player-end]");
    this.troubles = [...root.querySelectorAll("[data-player-trouble]")];
    this.place = document.querySelector("[data-place]");
    const figure = document.querySelector("[data-watched]");
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
    Promise.all([loaded, whenControllable()]).then(() => this.connect());
  }

  connect() {
    this.player = new window.VgControllerClient({
      target_window: this.frame.contentWindow,
      target_origin: this.origin,
    });
    this.player.on("ready", () => this.turn("ready"));
    this.player.on("play", () => this.turn("playing"));
    this.player.on("pause", () => this.pause());
    this.player.on("seeking", () => this.map?.jumped());
    this.player.on("progress", (percent, position, duration) => this.map?.reached(position, duration));
    this.player.on("done", () => this.finish());
    // Some players send the code negative.
    this.player.on("error", (code) => this.fail(Math.abs(code)));
    this.end.querySelector("[data-player-again]").addEventListener("click", () => this.player.play(0));
  }

  turn(state, trouble) {
    this.root.dataset.state = state;
    this.end.hidden = state !== "done";
    for (const one of this.troubles) one.hidden = one !== trouble;
    if (this.place && state === "playing") this.place.textContent = "";
  }

  pause() {
    this.turn("paused");
    // The player has told the server at the same moment.
    if (this.place) this.place.textContent = this.place.dataset.place;
  }

  finish() {
    this.turn("done");
    // What the frame shows full-screen would hide the offer.
    if (document.fullscreenElement) document.exitFullscreen();
    this.end.querySelector("a").focus({ preventScroll: true });
  }

  fail(code) {
    const shown = this.trouble(String(code)) ?? this.troubles.at(-1);
    this.turn("error", shown);
    this.root.dataset.code = code;
    shown.querySelector("[data-player-code]").textContent = code;
  }

  trouble(code) {
    return this.troubles.find((one) => one.dataset.playerTrouble.split(" ").includes(code));
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
    } else if (!window.VgControllerClient) {
      this.root.dataset.alive = "";
      if (this.loaded) this.turn("alone");
    }
  }

  isSilent() {
    return ["loading", "late"].includes(this.root.dataset.state) && !("alive" in this.root.dataset);
  }
}

// The frame may have loaded before this module ran: then the page's own load event is still to come, or past.
function whenLoaded(frame) {
  return new Promise((resolve) => {
    if (document.readyState === "complete") resolve();
    frame.addEventListener("load", resolve, { once: true });
    window.addEventListener("load", resolve, { once: true });
  });
}

function whenControllable() {
  return new Promise((resolve) => {
    if (window.VgControllerClient) resolve();
    document.querySelector("[data-controller]").addEventListener("load", resolve, { once: true });
  });
}

const root = document.querySelector("[data-player-url]");
if (root) new PlayerPage(root);

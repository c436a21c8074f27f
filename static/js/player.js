// The page around Kollus's player: tells in plain words what goes wrong in it, offers the next lecture at the
// end, and shows how much has been watched. It reports nothing: the player itself tells the server.

import { WatchedMap } from "./watched.js";

class PlayerPage {
  constructor(root) {
    this.root = root;
    this.frame = root.querySelector("iframe");
    this.end = root.querySelector("[data-player-end]");
    this.place = document.querySelector("[data-place]");
    const figure = document.querySelector("[data-watched]");
    this.map = figure && new WatchedMap(figure, Number(new URL(this.frame.src).searchParams.get("s")));
    whenLoaded(this.frame, () => this.connect());
  }

  connect() {
    if (!window.VgControllerClient) return; // its script did not come; the player plays without us
    this.player = new window.VgControllerClient({
      target_window: this.frame.contentWindow,
      target_origin: new URL(this.frame.src).origin,
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

  turn(state) {
    this.root.dataset.state = state;
    this.end.hidden = state !== "done";
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
    this.turn("error");
    this.root.dataset.code = code;
    const troubles = [...this.root.querySelectorAll("[data-player-trouble]")];
    const known = troubles.find((one) => one.dataset.playerTrouble.split(" ").includes(String(code)));
    const shown = known ?? troubles.at(-1);
    for (const one of troubles) one.hidden = one !== shown;
    shown.querySelector("[data-player-code]").textContent = code;
  }
}

// The frame may have loaded before this module ran: then the page's own load event is still to come, or past.
function whenLoaded(frame, act) {
  if (document.readyState === "complete") {
    act();
    return;
  }
  const once = new AbortController();
  const loaded = () => {
    once.abort();
    act();
  };
  frame.addEventListener("load", loaded, { signal: once.signal });
  window.addEventListener("load", loaded, { signal: once.signal });
}

const root = document.querySelector("[data-player-url]");
if (root) new PlayerPage(root);

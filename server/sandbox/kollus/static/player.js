// The player: asks for approval, loads the clip, keeps to what the site allowed, tells the embedding page what happens.

import { Controls } from "./controls.js";
import { Gateway } from "./gateway.js";
import { Record } from "./lms.js";
import { Reporter } from "./reporter.js";
import { StandIn } from "./stand-in.js";
import { showWatermark } from "./watermark.js";

const TICK_MS = 250;
const PROGRESS_MS = 1000;
const ASK_MS = 1000;
const SLOWEST = 0.5;
const FASTEST = 4;

class Player {
  constructor(boot) {
    this.boot = boot;
    this.video = document.querySelector("video");
    this.standIn = new StandIn(boot.view);
    this.record = null;
    this.reporter = null;
    this.section = [0, boot.duration];
    this.opened = false; // approved and ready
    this.done = false;
    this.dead = false;
    this.video.muted = boot.mute;
    this.gateway = new Gateway({
      play: (seconds) => this.play(seconds),
      pause: () => this.video.pause(),
      mute: () => this.toggleMute(),
      ff: () => this.jump(10),
      rw: () => this.jump(-10),
      set_current_time: (seconds) => this.seekTo(Number(seconds)),
      set_volume: (volume) => this.setVolume(Number(volume)),
      set_speed: (rate) => this.setSpeed(Number(rate)),
      get_lms_data: () => this.reporter?.data() ?? null,
      get_player_id: () => playerId(),
      get_video_info: () => ({ width: this.video.videoWidth, height: this.video.videoHeight }),
    });
    this.controls = new Controls(this, boot);
  }

  async start() {
    try {
      await this.#load();
    } catch (error) {
      this.#failWith(8900, String(error));
    }
  }

  async #load() {
    const terms = await this.standIn.post("open", { player_id: playerId(), device_name: deviceName() });
    if (terms.error) return this.fail(terms.error);
    this.#take(terms);
    this.video.addEventListener("error", () => this.#failWith(8900));
    this.video.src = terms.media;
    await event(this.video, "loadedmetadata");
    this.gateway.reach("loaded");
    if (this.#firstPosition() > 0) {
      this.video.currentTime = this.#firstPosition();
      await event(this.video, "seeked");
    }
    if (this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) await event(this.video, "canplay");
    const { error } = await this.standIn.post("ready", {});
    return error ? this.fail(error) : this.#open();
  }

  // Ends playback for good. error: {code, message, detail}
  fail(error) {
    if (this.dead) return;
    this.dead = true;
    this.opened = false;
    this.#account();
    this.video.pause();
    this.#close();
    showError(error);
    this.gateway.reach("error", { code: error.code, message: error.message, param: error.detail });
  }

  play(seconds = null) {
    if (!this.opened) return undefined;
    if (seconds !== null) this.seekTo(Number(seconds));
    if (this.done) this.seekTo(this.section[0], { restart: true });
    this.done = false;
    return this.video.play().catch((error) => {
      if (error.name !== "NotAllowedError" && error.name !== "AbortError") throw error; // autoplay is up to the browser
    });
  }

  toggle() {
    if (this.video.paused) this.play();
    else this.video.pause();
  }

  toggleMute() {
    this.video.muted = !this.video.muted;
  }

  setVolume(volume) {
    this.video.volume = Math.min(Math.max(volume, 0), 100) / 100;
  }

  setSpeed(rate) {
    if (this.boot.rates.length === 0 || !Number.isFinite(rate)) return;
    this.#account();
    this.video.playbackRate = Math.min(Math.max(rate, SLOWEST), FASTEST);
  }

  jump(seconds) {
    this.seekTo(this.video.currentTime + seconds);
  }

  // Whole film again is always allowed; else the token's seek rule holds.
  seekTo(seconds, { restart = false } = {}) {
    if (!this.opened) return;
    const [first, last] = this.section;
    const target = Math.min(Math.max(seconds, first), last);
    const forbidden = !this.boot.seek && target > this.boot.seekableEnd;
    if (!Number.isFinite(target) || (forbidden && !restart)) return;
    this.#account();
    this.done = false;
    this.video.currentTime = target;
    this.record?.seek(target);
    this.lastPosition = target;
  }

  #take(terms) {
    this.terms = terms;
    this.expiresAt = terms.expiresIn === null ? Infinity : performance.now() + terms.expiresIn * 1000;
    if (terms.section) this.section = [terms.section[0], Math.min(terms.section[1], this.boot.duration)];
    this.record = new Record(this.boot.duration, terms.lms?.blockCount ?? 1);
    if (terms.lms) this.reporter = new Reporter(terms.lms, this.record, this.standIn);
  }

  #firstPosition() {
    const [first, last] = this.section;
    const wanted = this.boot.start ?? first;
    return wanted >= first && wanted < last ? wanted : first;
  }

  #open() {
    this.opened = true;
    this.lastWall = performance.now();
    this.lastPosition = this.video.currentTime;
    this.record.seek(this.lastPosition);
    this.nextReport = this.terms.lms ? this.terms.lms.period * 1000 : Infinity;
    this.#listen();
    this.ticking = setInterval(() => this.#tick(), TICK_MS);
    this.telling = setInterval(() => this.#tellProgress(), PROGRESS_MS);
    if (this.terms.alone) this.asking = setInterval(() => this.#askToGoOn(), ASK_MS);
    this.controls.enable(...this.section);
    this.controls.setSeekable(this.boot.seek || this.boot.seekableEnd >= 0);
    if (this.boot.watermark) showWatermark(document.querySelector("[data-watermark]"), this.boot.watermark);
    this.gateway.reach("ready");
    if (this.boot.autoplay) this.play();
  }

  #listen() {
    const { video, gateway } = this;
    const on = (name, act) =>
      video.addEventListener(name, () => {
        if (this.dead) return;
        this.#account();
        act();
        this.controls.update();
      });
    on("play", () => this.#tell("play"));
    on("pause", () => !this.done && !video.ended && !video.seeking && this.#tell("pause"));
    on("seeking", () => gateway.emit("seeking"));
    on("seeked", () => this.#tell("seeked"));
    on("ended", () => this.#finish());
    on("timeupdate", () => this.#keepToSection());
    on("ratechange", () => gateway.emit("speedchange", video.playbackRate));
    on("volumechange", () => {
      gateway.emit("volumechange", Math.round(video.volume * 100));
      gateway.emit("muted", video.muted);
    });
    window.addEventListener("pagehide", () => this.#leave());
  }

  #tell(name) {
    this.gateway.emit(name);
    this.reporter?.report();
  }

  #tellProgress() {
    if (this.video.paused) return;
    this.#emitProgress();
  }

  #emitProgress() {
    const position = Math.min(this.video.currentTime, this.boot.duration);
    const percent = Math.floor((position / this.boot.duration) * 100);
    this.gateway.emit("progress", { percent, position, duration: this.boot.duration });
  }

  #tick() {
    this.#account();
    this.controls.update();
    if (performance.now() >= this.expiresAt) return this.#failWith(7000);
    const allowed = this.terms.expirationPlaytime;
    if (allowed && this.record.playtime >= allowed) return this.#failWith(8686);
    this.#keepToSection();
    if (this.record.showtime * 1000 < this.nextReport) return undefined;
    this.nextReport += this.terms.lms.period * 1000;
    return this.reporter.report();
  }

  // Another device of the same user may have begun.
  async #askToGoOn() {
    try {
      const { error } = await this.standIn.post("watching", {});
      if (error) this.fail(error);
    } catch (failure) {
      console.debug(failure); // nobody answers: the next asking will tell
    }
  }

  // Books the time since the last call: what the picture moved was watched, the rest was waiting.
  #account() {
    if (!this.lastWall) return;
    const now = performance.now();
    const wall = (now - this.lastWall) / 1000;
    const rate = this.video.playbackRate;
    const position = this.video.currentTime;
    const played = position - this.lastPosition;
    this.lastWall = now;
    this.lastPosition = position;
    // a jump that did not come through seekTo is not watching
    if (played > 0 && played <= (wall + 1) * rate && !this.video.seeking) {
      this.record.watch(position - played, position, rate);
      this.record.idle(Math.max(0, wall - played / rate));
    } else {
      this.record.idle(wall);
    }
  }

  #keepToSection() {
    if (this.done || this.dead || this.video.paused) return;
    if (this.video.currentTime >= this.section[1] && this.section[1] < this.boot.duration) this.#finish();
  }

  #finish() {
    if (this.done) return;
    this.done = true;
    this.video.pause();
    this.#emitProgress();
    this.#tell("done");
  }

  #failWith(code, detail = "") {
    this.fail({ code, message: this.boot.errors[code], detail });
  }

  #close() {
    clearInterval(this.ticking);
    clearInterval(this.telling);
    clearInterval(this.asking);
    if (this.lastWall) this.reporter?.report();
    this.lastWall = 0;
  }

  #leave() {
    if (!this.lastWall) return;
    this.#account();
    this.reporter?.leave();
  }
}

function showError({ code, message, detail }) {
  const panel = document.querySelector("[data-error]");
  document.body.dataset.errorCode = code;
  panel.querySelector("[data-code]").textContent = code;
  panel.querySelector("[data-message]").textContent = message;
  panel.querySelector("[data-detail]").textContent = detail;
  panel.hidden = false;
  document.querySelector("[data-player]").hidden = true;
}

function event(target, name) {
  return new Promise((resolve) => {
    target.addEventListener(name, resolve, { once: true });
  });
}

// One id per browser, where the browser lets an embedded page remember anything; else one per view.
function playerId() {
  playerId.value ??= remembered() ?? randomId();
  return playerId.value;
}

function remembered() {
  try {
    const known = localStorage.getItem("player_id") ?? randomId();
    localStorage.setItem("player_id", known);
    return known;
  } catch {
    return null; // storage is blocked
  }
}

function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function deviceName() {
  const platform = navigator.userAgentData?.platform || "Browser";
  const brand = navigator.userAgentData?.brands?.find(({ brand: name }) => !name.includes("Brand"))?.brand;
  return [platform, brand].filter(Boolean).join(" ");
}

const boot = JSON.parse(document.querySelector("#boot").textContent);
if (boot.error) {
  const { code, message, detail } = boot.error;
  new Gateway({}).reach("error", { code, message, param: detail });
} else {
  new Player(boot).start();
}

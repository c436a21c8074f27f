// The bar under the picture. It only asks; what is allowed is decided by the player.

const IDLE_MS = 2500;
const JUMP_S = 10;

export class Controls {
  constructor(player, { rates, labels }) {
    this.player = player;
    this.labels = labels;
    this.root = document.querySelector("[data-player]");
    const part = (name) => this.root.querySelector(`[data-${name}]`);
    this.toggle = part("toggle");
    this.big = part("big");
    this.seek = part("seek");
    this.time = part("time");
    this.speed = part("speed");
    this.mute = part("mute");
    this.full = part("full");
    this.#fillSpeeds(rates);
    this.#listen();
  }

  enable(first, last) {
    this.seek.min = first;
    this.seek.max = last;
    for (const control of [this.toggle, this.big, this.seek, this.speed, this.mute]) control.disabled = false;
    this.root.dataset.state = "ready";
    this.update();
  }

  setSeekable(allowed) {
    this.seek.disabled = !allowed;
  }

  update() {
    const { video } = this.player;
    const position = video.currentTime;
    if (!this.dragging) this.seek.value = position;
    this.#paintSeek();
    this.seek.setAttribute("aria-valuetext", clock(position));
    this.time.textContent = `${clock(position)} / ${clock(Number(this.seek.max))}`;
    this.root.dataset.playing = String(!video.paused);
    this.root.dataset.muted = String(video.muted);
    name(this.toggle, video.paused ? this.labels.play : this.labels.pause);
    name(this.mute, video.muted ? this.labels.unmute : this.labels.mute);
    this.speed.value = String(video.playbackRate);
  }

  #paintSeek() {
    const part = (this.seek.value - this.seek.min) / (this.seek.max - this.seek.min);
    this.seek.style.setProperty("--played", `${part * 100}%`);
  }

  #fillSpeeds(rates) {
    this.speed.hidden = rates.length === 0;
    for (const rate of rates) this.speed.add(new Option(`${rate}×`, String(rate)));
  }

  #listen() {
    const { player } = this;
    this.toggle.addEventListener("click", () => player.toggle());
    this.big.addEventListener("click", () => player.toggle());
    player.video.addEventListener("click", () => player.toggle());
    this.mute.addEventListener("click", () => player.toggleMute());
    this.full.addEventListener("click", () => toggleFullScreen());
    this.speed.addEventListener("change", () => player.setSpeed(Number(this.speed.value)));
    this.seek.addEventListener("input", () => {
      this.dragging = true;
      this.#paintSeek();
    });
    this.seek.addEventListener("change", () => {
      this.dragging = false;
      player.seekTo(Number(this.seek.value));
      this.update();
    });
    document.addEventListener("keydown", (event) => this.#press(event));
    for (const name of ["pointermove", "pointerdown", "keydown", "focusin"]) {
      document.addEventListener(name, () => this.#wake());
    }
  }

  #press(event) {
    const onControl = event.target.closest("button, select, input");
    const keys = {
      " ": () => this.player.toggle(),
      k: () => this.player.toggle(),
      m: () => this.player.toggleMute(),
      f: () => toggleFullScreen(),
      ArrowLeft: () => this.player.jump(-JUMP_S),
      ArrowRight: () => this.player.jump(JUMP_S),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    if (onControl && (event.key === " " || event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    keys[event.key]();
  }

  // The bar steps back while the film runs and nobody moves.
  #wake() {
    this.root.dataset.idle = "false";
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => {
      this.root.dataset.idle = "true";
    }, IDLE_MS);
  }
}

function name(button, label) {
  button.setAttribute("aria-label", label);
  button.title = label;
}

async function toggleFullScreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen();
}

export function clock(seconds) {
  const total = Math.floor(Number.isFinite(seconds) ? seconds : 0);
  const parts = [Math.floor(total / 60) % 60, total % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(total / 3600);
  return hours ? `${hours}:${parts.join(":")}` : parts.join(":").replace(/^0(?=\d:)/, "");
}

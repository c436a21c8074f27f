// The map of what has been watched: drawn by the server, filled in while the video plays.

import { find } from "./dom.js";

const CELLS = 1000;
const SVG = "http://www.w3.org/2000/svg";
// Players tell their position about once a second, at up to four times the speed; what is more is a jump.
const LONGEST_STEP_S = 8;

export class WatchedMap {
  /**
   * @param {HTMLElement} figure holds the svg, the words beneath it, and their text in data-watched
   * @param {number} position where the player starts, in seconds
   */
  constructor(figure, position) {
    this.svg = find(figure, "svg", SVGSVGElement);
    this.words = find(figure, "[data-watched-words]", HTMLElement);
    this.text = figure.dataset.watched ?? "";
    this.cells = new Uint8Array(CELLS);
    /** @type {number | null} */
    this.position = position;
    for (const { x, width } of this.svg.querySelectorAll("rect")) {
      const first = Math.round(x.baseVal.value * 10);
      this.cells.fill(1, first, first + Math.round(width.baseVal.value * 10));
    }
  }

  /** The viewer jumped: what lies between was not watched. */
  jumped() {
    this.position = null;
  }

  /**
   * The player is at `position` of `duration` seconds.
   * @param {number} position
   * @param {number} duration
   */
  reached(position, duration) {
    const from = this.position ?? position;
    const step = position - from;
    if (step > 0 && step <= LONGEST_STEP_S && duration > 0) {
      const scale = CELLS / duration;
      this.cells.fill(1, Math.floor(from * scale), Math.ceil(position * scale));
      this.draw();
    }
    this.position = position;
  }

  draw() {
    this.svg.replaceChildren(...this.stretches().map(([first, end]) => rectangle(first / 10, (end - first) / 10)));
    const percent = Math.floor((this.cells.reduce((sum, cell) => sum + cell, 0) * 100) / CELLS);
    this.words.textContent = this.text.replace("{percent}", String(percent));
  }

  stretches() {
    /** @type {[number, number][]} */
    const found = [];
    for (let first = this.cells.indexOf(1); first >= 0; ) {
      const gap = this.cells.indexOf(0, first);
      const end = gap < 0 ? CELLS : gap;
      found.push([first, end]);
      first = this.cells.indexOf(1, end);
    }
    return found;
  }
}

/**
 * @param {number} x
 * @param {number} width
 */
function rectangle(x, width) {
  const rect = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x, y: 0, width, height: 1 })) rect.setAttribute(name, String(value));
  return rect;
}

// The map of what has been watched: drawn by the server, filled in while the video plays.

const CELLS = 1000;
const SVG = "http://www.w3.org/2000/svg";
// Players tell their position about once a second, at up to four times the speed; what is more is a jump.
const LONGEST_STEP_S = 8;

export class WatchedMap {
  /**
   * @param {HTMLElement} figure holds the svg, the caption, and the caption's text in data-watched
   * @param {number} position where the player starts, in seconds
   */
  constructor(figure, position) {
    this.svg = figure.querySelector("svg");
    this.caption = figure.querySelector("figcaption");
    this.text = figure.dataset.watched;
    this.cells = new Uint8Array(CELLS);
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

  /** The player is at `position` of `duration` seconds. */
  reached(position, duration) {
    const step = this.position === null ? 0 : position - this.position;
    if (step > 0 && step <= LONGEST_STEP_S && duration > 0) {
      const scale = CELLS / duration;
      this.cells.fill(1, Math.floor(this.position * scale), Math.ceil(position * scale));
      this.draw();
    }
    this.position = position;
  }

  draw() {
    this.svg.replaceChildren(...this.stretches().map(([first, end]) => rectangle(first / 10, (end - first) / 10)));
    const percent = Math.floor((this.cells.reduce((sum, cell) => sum + cell, 0) * 100) / CELLS);
    this.caption.textContent = this.text.replace("{percent}", percent);
  }

  stretches() {
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

function rectangle(x, width) {
  const rect = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x, y: 0, width, height: 1 })) rect.setAttribute(name, value);
  return rect;
}

// Where the player was when its page went away. Its last report leaves when the next page is made already, so after
// a reload the server's address would lead back by up to a whole period of reports.

const KEY = "place";
// Older than a period of reports: then the server knows, and perhaps of another device that went on.
const FRESH_MS = 60_000;
const ENDING_S = 5; // who stopped there begins anew, as the server has it

export class Place {
  constructor() {
    /** @type {{ path: string, position: number, at: number } | null} */
    this.heard = null;
    window.addEventListener("pagehide", () => this.keep());
  }

  /**
   * The player is at `position` of `duration` seconds.
   * @param {number} position
   * @param {number} duration
   */
  reached(position, duration) {
    const isOver = position > duration - ENDING_S;
    this.heard = isOver ? null : { path: location.pathname, position, at: Date.now() };
  }

  /** The viewer jumped: of that the player tells the server at once. */
  jumped() {
    this.heard = null;
  }

  keep() {
    if (this.heard) store()?.setItem(KEY, JSON.stringify(this.heard));
  }

  /** Whole seconds into the video of this page, or null; it is told once. */
  recall() {
    const kept = JSON.parse(store()?.getItem(KEY) ?? "null");
    store()?.removeItem(KEY);
    const isHere = kept?.path === location.pathname && Date.now() - kept.at < FRESH_MS;
    return isHere ? Math.floor(kept.position) : null;
  }
}

function store() {
  try {
    return sessionStorage;
  } catch {
    return null; // the browser keeps nothing for this site
  }
}

import { element, find, show } from "./dom.js";
import { matches, parsePattern } from "./pattern.js";
import { Row } from "./row.js";

/** @typedef {import("./message.js").Message} Message */
/** @typedef {import("./row.js").Way} Way */

const ROWS = 2000;
const COLOURS = 8;
const THREADS = 500;
const NEAR_PX = 60;

/** The live log. Lines are added once a frame, however many messages came, and only the newest 2,000 are kept. */
export class Log {
  #isOwn;
  #list = find("rows", HTMLOListElement);
  #filter = find("log-filter", HTMLInputElement);
  #heartbeats = find("log-heartbeats", HTMLInputElement);
  #pause = find("log-pause", HTMLButtonElement);
  #count = find("log-count", HTMLParagraphElement);
  #newest = find("log-newest", HTMLButtonElement);
  /** In the list, the oldest first. @type {(Row | Divider)[]} */
  #rows = [];
  /** Not in the list yet. @type {(Row | Divider)[]} */
  #waiting = [];
  /** Colours of threads by id. @type {Map<string, number>} */
  #threads = new Map();
  #lastColour = 0;
  #logged = 0;
  #paused = false;
  #following = true;
  #frame = 0;

  /** @param {(id: string) => boolean} isOwn whether the message with that id was sent by this page */
  constructor(isOwn) {
    this.#isOwn = isOwn;
    this.#filter.addEventListener("input", () => this.#refilter());
    this.#heartbeats.addEventListener("change", () => this.#refilter());
    this.#pause.addEventListener("click", () => this.#togglePause());
    this.#newest.addEventListener("click", () => this.#follow());
    find("log-clear", HTMLButtonElement).addEventListener("click", () => this.#clear());
    find("log-copy", HTMLButtonElement).addEventListener("click", (event) => this.#copy(event));
    this.#list.addEventListener("scroll", () => this.#scrolled());
    this.#list.addEventListener("toggle", (event) => this.#toggled(event), true);
  }

  /**
   * Add a message. One of the stream that is in the log already is not added again.
   *
   * @param {Message} message
   * @param {Way} way
   */
  add(message, way) {
    if (message.offset !== undefined) {
      if (message.offset <= this.#logged) {
        return;
      }
      this.#logged = message.offset;
    }
    const own = message.id !== undefined && this.#isOwn(message.id);
    this.#queue(new Row(message, { way, own, thread: this.#colour(message) }));
  }

  /**
   * Draw a line with a text across the log.
   *
   * @param {string} text
   */
  divide(text) {
    this.#queue(new Divider(text));
  }

  /** The stream is another one now: its offsets begin anew. */
  beginEpoch() {
    this.#logged = 0;
  }

  /** @param {Row | Divider} row */
  #queue(row) {
    this.#waiting.push(row);
    if (this.#waiting.length > ROWS) {
      this.#waiting.shift();
    }
    this.#schedule();
  }

  #schedule() {
    if (!this.#frame) {
      this.#frame = requestAnimationFrame(() => this.#flush());
    }
  }

  #flush() {
    this.#frame = 0;
    if (!this.#paused) {
      const fresh = this.#waiting;
      this.#waiting = [];
      this.#append(fresh);
    }
    this.#showCount();
  }

  /** @param {(Row | Divider)[]} fresh */
  #append(fresh) {
    this.#rows.push(...fresh);
    const gone = this.#rows.splice(0, Math.max(0, this.#rows.length - ROWS));
    for (const row of gone) {
      row.element.remove();
    }
    const wanted = this.#wanted();
    const kept = fresh.slice(-ROWS);
    for (const row of kept) {
      row.element.hidden = !wanted(row);
    }
    this.#list.append(...kept.map((row) => row.element));
    if (this.#following) {
      this.#list.scrollTop = this.#list.scrollHeight;
    }
  }

  /**
   * The colour of a thread: a command, its replies, its events and its outcome. What nobody asked for has none.
   *
   * @param {Message} message
   * @returns {number}
   */
  #colour({ id, correlationId, channel, topic, source }) {
    const fromBridge = source === "workspace-bridge" || (channel === "Bridge" && topic !== "Message");
    const thread = correlationId ?? (fromBridge ? undefined : id);
    if (thread === undefined) {
      return 0;
    }
    const known = this.#threads.get(thread);
    if (known) {
      return known;
    }
    this.#lastColour = (this.#lastColour % COLOURS) + 1;
    this.#threads.set(thread, this.#lastColour);
    if (this.#threads.size > THREADS) {
      const [oldest] = this.#threads.keys();
      this.#threads.delete(oldest);
    }
    return this.#lastColour;
  }

  /** @returns {(row: Row | Divider) => boolean} whether the filter lets a row be seen */
  #wanted() {
    const text = this.#filter.value.trim();
    const pattern = /[/*]/.test(text) ? parsePattern(text) : null;
    const needle = text.toLowerCase();
    const heartbeats = this.#heartbeats.checked;
    return (row) => {
      if (row instanceof Divider) {
        return true;
      }
      if (!heartbeats && row.message.channel === "Bridge" && row.message.subtopic === "Heartbeat") {
        return false;
      }
      return pattern ? matches(pattern, row.message) : !needle || row.text.includes(needle);
    };
  }

  #refilter() {
    const wanted = this.#wanted();
    for (const row of this.#rows) {
      row.element.hidden = !wanted(row);
    }
    this.#schedule();
  }

  #showCount() {
    const rows = this.#rows.filter((row) => row instanceof Row);
    const seen = rows.filter((row) => !row.element.hidden).length;
    const waiting = this.#paused && this.#waiting.length ? `, ${this.#waiting.length} waiting` : "";
    show(this.#count, `${seen === rows.length ? seen : `${seen} of ${rows.length}`} shown${waiting}`);
  }

  #togglePause() {
    this.#paused = !this.#paused;
    this.#pause.setAttribute("aria-pressed", String(this.#paused));
    show(this.#pause, this.#paused ? "Resume" : "Pause");
    this.#schedule();
  }

  #clear() {
    this.#rows = [];
    this.#waiting = [];
    this.#list.replaceChildren();
    this.#schedule();
  }

  /** @param {MouseEvent} event */
  async #copy({ currentTarget }) {
    const button = /** @type {HTMLButtonElement} */ (currentTarget);
    const seen = this.#rows.flatMap((row) => (row instanceof Row && !row.element.hidden ? [row.message] : []));
    try {
      await navigator.clipboard.writeText(seen.map((message) => `${JSON.stringify(message)}\n`).join(""));
      show(button, `Copied ${seen.length}`);
    } catch {
      show(button, "Not allowed"); // by the browser: no permission, or a page that came over plain HTTP
    }
    setTimeout(() => show(button, "Copy"), 1500);
  }

  #scrolled() {
    const below = this.#list.scrollHeight - this.#list.clientHeight - this.#list.scrollTop;
    this.#following = below < NEAR_PX;
    this.#newest.hidden = this.#following;
  }

  #follow() {
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** @param {Event} event */
  #toggled({ target }) {
    const line = /** @type {HTMLElement} */ (target).closest("li");
    const row = this.#rows.find((each) => each.element === line);
    if (row instanceof Row) {
      row.expand((thread) => {
        this.#filter.value = thread;
        this.#refilter();
      });
    }
  }
}

/** A line across the log: something happened to the connection. */
class Divider {
  /** @param {string} text */
  constructor(text) {
    this.element = element("li", { class: "divider" }, text);
  }
}

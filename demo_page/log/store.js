import { matches, parsePattern } from "../bus/pattern.js";
import { Divider } from "./row.js";

/** @typedef {import("./row.js").Row | Divider} Line */

export const MAX_LINES = 20_000;
const MAX_SIZE = 32_000_000;

/** Lines of a log, the newest 20,000 of them or 32 MB, and those among them that the filter lets through. */
export class LogStore {
  /** The oldest first. @type {Line[]} */
  #lines = [];
  /** @type {Line[]} */
  #shown = [];
  #size = 0;
  #counts = { kept: 0, shown: 0, dropped: 0 };
  /** @type {(line: Line) => boolean} */
  #wanted = wanted("", false);

  /** @returns {readonly Line[]} what is to be seen, the oldest first */
  get shown() {
    return this.#shown;
  }

  /** @returns {{kept: number, shown: number, dropped: number}} how many messages there are; dividers do not count */
  get counts() {
    return { ...this.#counts };
  }

  /** @param {readonly Line[]} fresh */
  add(fresh) {
    for (const line of fresh) {
      this.#lines.push(line);
      this.#size += line.size;
      this.#counts.kept += weight(line);
      if (this.#wanted(line)) {
        this.#shown.push(line);
        this.#counts.shown += weight(line);
      }
    }
    this.#prune();
  }

  /** @param {readonly Line[]} lost too old to be kept once they would be added */
  skip(lost) {
    this.#counts.dropped += weigh(lost);
  }

  #prune() {
    let gone = 0;
    while (this.#lines.length - gone > MAX_LINES || (this.#size > MAX_SIZE && gone < this.#lines.length - 1)) {
      const line = this.#lines[gone];
      this.#size -= line.size;
      this.#counts.kept -= weight(line);
      this.#counts.dropped += weight(line);
      gone += 1;
    }
    if (gone) {
      this.#lines.splice(0, gone);
      this.#pruneShown(this.#lines[0].number);
    }
  }

  /** @param {number} oldest number of the oldest line that stays */
  #pruneShown(oldest) {
    const stay = this.#shown.findIndex((line) => line.number >= oldest);
    const gone = this.#shown.splice(0, stay < 0 ? this.#shown.length : stay);
    this.#counts.shown -= weigh(gone);
  }

  /**
   * @param {string} text a pattern of addresses where it has a slash or a star, else to be found anywhere in a message
   * @param {boolean} heartbeats whether to show them too
   */
  filter(text, heartbeats) {
    this.#wanted = wanted(text.trim(), heartbeats);
    this.#shown = this.#lines.filter(this.#wanted);
    this.#counts.shown = weigh(this.#shown);
  }

  clear() {
    this.#lines = [];
    this.#shown = [];
    this.#size = 0;
    this.#counts = { kept: 0, shown: 0, dropped: 0 };
  }
}

/**
 * @param {Line} line
 * @returns {number} 1 for a message, 0 for a divider
 */
function weight(line) {
  return line instanceof Divider ? 0 : 1;
}

/** @param {readonly Line[]} lines */
function weigh(lines) {
  return lines.reduce((sum, line) => sum + weight(line), 0);
}

/**
 * @param {string} text
 * @param {boolean} heartbeats
 * @returns {(line: Line) => boolean}
 */
function wanted(text, heartbeats) {
  const pattern = /[/*]/.test(text) ? parsePattern(text) : null;
  const needle = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
  return (line) => {
    if (line instanceof Divider) {
      return true;
    }
    if (!heartbeats && line.channel === "Bridge" && line.subtopic === "Heartbeat") {
      return false;
    }
    return pattern ? matches(pattern, line) : needle.test(line.json);
  };
}

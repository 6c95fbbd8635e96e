import { isOutcome } from "./bridge.js";
import { matches, patternText } from "./pattern.js";
import { Recent } from "./recent.js";
import { tooMuch } from "./refusal.js";

/** @typedef {import("./bridge.js").Joined} Joined */
/** @typedef {import("./bridge.js").Message} Message */
/** @typedef {import("./pattern.js").Pattern} Pattern */

/** In one window. */
export const PATTERNS = 128;

/** Subscribes that wait for the bridge to come back. */
const WAITING = 128;

/** Ids that were sent, to know one's own messages by when they come back. */
const SENT = 4096;

/** What one window listens to. Of each message it is told once, however many of its patterns match. */
export class Listening {
  #listed;
  /** @type {Map<string, Pattern>} */
  #patterns = new Map();
  /** Texts of the patterns that it has, or will have when its Subscribe is answered. @type {Set<string>} */
  #wanted = new Set();
  /** Subscribes that have no answer yet: how to call each off. @type {Set<() => void>} */
  #waiting = new Set();
  /** Ids on the bus of what it sent. @type {Recent<string, true>} */
  #sent = new Recent(SENT);
  /** Whether its own messages are delivered to it too. */
  echo = false;

  /** @param {import("./listed.js").Listed} listed */
  constructor(listed) {
    this.#listed = listed;
  }

  /** Whether something is, or will soon be, delivered. */
  get isOn() {
    return this.#patterns.size > 0 || this.#waiting.size > 0;
  }

  /**
   * Listen to more, from a snapshot on.
   *
   * @param {Pattern[]} patterns
   * @param {(snapshot: object) => void} answer is told first: the body of `Subscribed`
   * @param {(error: unknown) => void} refused
   * @throws {import("./refusal.js").Refusal} too many
   */
  add(patterns, answer, refused) {
    const texts = patterns.map(patternText);
    if (new Set([...this.#wanted, ...texts]).size > PATTERNS) {
      throw tooMuch(`${PATTERNS} patterns`, PATTERNS);
    }
    if (this.#waiting.size >= WAITING) {
      throw tooMuch(`${WAITING} subscriptions without an answer`, WAITING);
    }
    texts.forEach((text) => this.#wanted.add(text));
    const { feed } = this.#listed;
    feed.open();
    const callOff = feed.snapshot(
      (joined) => {
        this.#waiting.delete(callOff);
        const still = patterns.filter((pattern) => this.#wanted.has(patternText(pattern)));
        still.forEach((pattern) => this.#patterns.set(patternText(pattern), pattern));
        answer(this.#standing(joined, patterns));
      },
      (error) => {
        this.#waiting.delete(callOff);
        this.remove(texts.filter((text) => !this.#patterns.has(text)));
        refused(error);
      },
    );
    this.#waiting.add(callOff);
  }

  /** @returns {boolean} whether there was something that ends: what still waits for an answer gets one of its own */
  end() {
    const had = this.#patterns.size > 0;
    this.#patterns.clear();
    this.#wanted.clear();
    return had;
  }

  /** @param {string[]} texts of patterns; unknown ones are ignored */
  remove(texts) {
    for (const text of texts) {
      this.#wanted.delete(text);
      this.#patterns.delete(text);
    }
  }

  stop() {
    this.#wanted.clear();
    this.#patterns.clear();
    this.#waiting.forEach((callOff) => callOff());
    this.#waiting.clear();
  }

  /** @param {string} id on the bus, of what it publishes now */
  noteSent(id) {
    this.#sent.set(id, true);
  }

  /**
   * Whether a message of the stream is for it. Outcomes of its own commands come on another way, always.
   *
   * @param {Message} message
   * @returns {"wanted" | "withheld" | "no"}
   */
  judge(message) {
    const isMeant = [...this.#patterns.values()].some((pattern) => matches(pattern, message));
    if (!isMeant || (isOutcome(message) && this.#sent.has(message.correlationId ?? ""))) {
      return "no";
    }
    return !this.echo && this.#sent.has(message.id ?? "") ? "withheld" : "wanted";
  }

  /**
   * @param {Joined} joined after messages were lost for good
   * @returns {object | undefined} the body of a `Subscribed` that nobody asked for, if it has patterns
   */
  standAnew(joined) {
    const more = { recovered: false, messages: [] };
    return this.#patterns.size ? { ...this.#standing(joined, [...this.#patterns.values()]), ...more } : undefined;
  }

  /**
   * @param {Joined} joined
   * @param {Pattern[]} patterns
   */
  #standing({ epoch, offset, messages }, patterns) {
    const snapshot = messages
      .filter((message) => patterns.some((pattern) => matches(pattern, message)))
      .map((message) => this.#listed.ids.inMessage(message));
    return { patterns: patterns.map(patternText), epoch, offset, snapshot };
  }
}

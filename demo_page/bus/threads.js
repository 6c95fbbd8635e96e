/**
 * Threads: a command or a published message, its replies, the events that it caused, and its outcome. Each has a number
 * and a colour, the same in the log and in the story.
 */

/** @typedef {import("./message.js").Message} Message */

export const COLOURS = 8;
const KEPT = 1000;

export class Threads {
  /** Numbers by the id that began the thread. @type {Map<string, number>} */
  #numbers = new Map();
  #last = 0;

  /**
   * @param {Message} message
   * @returns {number} of its thread, from 1; 0 where nobody asked for it
   */
  of(message) {
    const id = threadId(message);
    if (id === undefined) {
      return 0;
    }
    const known = this.#numbers.get(id);
    if (known !== undefined) {
      return known;
    }
    return begins(message) ? this.#begin(id) : 0;
  }

  /** @param {string} id */
  #begin(id) {
    this.#last += 1;
    this.#numbers.set(id, this.#last);
    if (this.#numbers.size > KEPT) {
      const [oldest] = this.#numbers.keys();
      this.#numbers.delete(oldest);
    }
    return this.#last;
  }
}

/** Those of the page. */
export const threads = new Threads();

/**
 * @param {number} thread
 * @returns {number} of its colour, 0 for none
 */
export function colourOf(thread) {
  return thread && ((thread - 1) % COLOURS) + 1;
}

/**
 * @param {Message} message
 * @returns {string | undefined} the id that began the thread which it belongs to
 */
export function threadId({ id, correlationId }) {
  return correlationId ?? id;
}

/**
 * What another widget tells on a channel of its own begins nothing: nobody answers it. What this page tells there does,
 * by its `Accepted`, which comes first.
 *
 * @param {Message} message
 */
function begins({ channel, topic, correlationId, source }) {
  if (channel === "Bridge") {
    return correlationId !== undefined && (topic === "Message" || topic === "Command");
  }
  return correlationId !== undefined || (source !== "workspace-bridge" && ["Cisco", "Simulator"].includes(channel));
}

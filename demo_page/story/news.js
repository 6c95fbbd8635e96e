import { isCallEvent } from "../bus/calls.js";
import { othersOf } from "./parties.js";
import { callWords, newsWords } from "./words.js";

/** @typedef {import("../bus/message.js").Message} Message */

/** What the bridge tells, in words that say what is new in it. */
export class News {
  /** What was told last, by call. @type {Map<string, {words: string, actions: string}>} */
  #calls = new Map();

  /** Forget all: a snapshot follows. */
  reset() {
    this.#calls.clear();
  }

  /**
   * @param {Message} message from the bridge
   * @param {string} extension of the agent
   * @param {string} asked subtopic of the agent's command that led to it, empty where none did
   * @returns {string}
   */
  words(message, extension, asked) {
    if (!isCallEvent(message)) {
      return newsWords(message);
    }
    const { call } = message.data;
    const others = othersOf(call, extension).filter(({ state }) => call.ended || state !== "DROPPED");
    return this.#newOf(call, call.ended && asked === "SetCONFERENCE" ? "the two calls are one now" : callWords(call, others));
  }

  /**
   * @param {any} call
   * @param {string} words
   * @returns {string} the words, or what else has changed where they were said before
   */
  #newOf(call, words) {
    const before = this.#calls.get(call.id);
    const actions = call.ActionsAllowed.join(" ");
    this.#calls.set(call.id, { words, actions });
    if (call.ended) {
      this.#calls.delete(call.id);
    }
    if (before?.words !== words) {
      return words;
    }
    return before.actions === actions ? "the call’s data have changed" : "other actions are possible now";
  }
}

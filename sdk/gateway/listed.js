import { noCounters } from "./counters.js";
import { Feed } from "./feed.js";
import { Ids } from "./ids.js";
import { contains, covers, patternText } from "./pattern.js";
import { Bucket } from "./rate.js";
import { tooMuch } from "./refusal.js";

/** @typedef {import("./gadget.js").Gadget} Gadget */
/** @typedef {import("./pattern.js").Pattern} Pattern */

const BURST_SECONDS = 2;
const ANSWERED_PER_SECOND = 2;
const ANSWERED_AT_ONCE = 20;

/** More windows of one gadget than any page has use for; a gadget can open frames within itself without end. */
const WINDOWS = 8;

/** Messages of one gadget that wait for an answer or an outcome. */
const PENDING = 1024;

/** One entry of the host's list at work: its rights, and what all its windows share. */
export class Listed {
  #now;
  #rate;
  /** Who sends too fast is told so, but not as often as it sends. */
  #answers;
  /** How many of its messages have no answer, or no outcome, yet. */
  #pending = 0;
  /** @type {Set<Gadget>} */
  #gadgets = new Set();

  /**
   * @param {import("./options.js").Grant} grant
   * @param {import("./bridge.js").Bridge} bridge
   * @param {() => number} now
   */
  constructor(grant, bridge, now) {
    this.grant = grant;
    this.ids = new Ids(grant.origin);
    this.counters = noCounters(grant.app);
    this.#now = now;
    this.#rate = new Bucket(grant.messagesPerSecond, grant.messagesPerSecond * BURST_SECONDS, now());
    this.#answers = new Bucket(ANSWERED_PER_SECOND, ANSWERED_AT_ONCE, now());
    this.feed = new Feed(bridge, grant.subscribe.map(patternText), {
      message: (message) => this.#gadgets.forEach((gadget) => gadget.deliver(message)),
      anew: (joined) => this.#gadgets.forEach((gadget) => gadget.tellAnew(joined)),
      ended: (error) => this.#gadgets.forEach((gadget) => gadget.tellEnded(error)),
    });
  }

  get isFull() {
    return this.#gadgets.size >= WINDOWS;
  }

  /**
   * @param {() => Promise<void>} act what one of its messages asks for; too much of that at once is refused
   */
  async whilePending(act) {
    if (this.#pending >= PENDING) {
      throw tooMuch(`${PENDING} messages without an answer`, PENDING);
    }
    this.#pending += 1;
    try {
      await act();
    } finally {
      this.#pending -= 1;
    }
  }

  /** @param {Gadget} gadget */
  add(gadget) {
    this.#gadgets.add(gadget);
    this.counters.windows = this.#gadgets.size;
  }

  /** @param {Gadget} gadget */
  remove(gadget) {
    this.#gadgets.delete(gadget);
    this.counters.windows = this.#gadgets.size;
    this.rest();
  }

  /** Cease to read where no window reads any more. */
  rest() {
    if (![...this.#gadgets].some((gadget) => gadget.listening.isOn)) {
      this.feed.close();
    }
  }

  /** @returns {number} 0, or the milliseconds after which the next message may come */
  take() {
    return this.#rate.take(this.#now());
  }

  /** @returns {boolean} whether one more message that came too fast is answered */
  mayAnswer() {
    return this.#answers.take(this.#now()) === 0;
  }

  /** @param {{channel: string, topic: string, subtopic: string}} address */
  mayPublish(address) {
    return address.channel !== "Bridge" && this.grant.publish.some((pattern) => covers(pattern, address));
  }

  /** @param {Pattern} pattern */
  maySubscribe(pattern) {
    return this.grant.subscribe.some((granted) => contains(granted, pattern));
  }

  /**
   * @param {string} channel
   * @returns {Pattern[]} what is granted of a channel
   */
  grantedOf(channel) {
    return this.grant.subscribe
      .filter(([granted]) => granted === "*" || granted === channel)
      .map(([, topic, subtopic]) => [channel, topic, subtopic]);
  }

  /** @param {string} code */
  countRefusal(code) {
    this.counters.refused[code] = (this.counters.refused[code] ?? 0) + 1;
  }
}

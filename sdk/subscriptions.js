import { rejected, report } from "./errors.js";
import { matches } from "./message.js";

/** @typedef {import("./workspace-bridge.js").Message} Message */
/** @typedef {import("./workspace-bridge.js").Via} Via */

/**
 * @typedef {object} Subscription
 * @property {string[]} patterns
 * @property {(message: any, how: {via: Via}) => void} listener
 * @property {import("./workspace-bridge.js").SubscribeOptions} options
 * @property {boolean} joined whether the bridge has answered, on this connection or an earlier one
 */

/**
 * @typedef {object} Told what is needed from the bridge's side
 * @property {(address: string, data: any) => string} send gives the id of what was sent
 * @property {(address: string, data: any) => Promise<Message>} ask
 * @property {(ms: number) => Promise<boolean>} pause gives whether the connection is still the same
 * @property {(message: Message, via: Via) => void} message of the stream, before the listeners get it
 * @property {() => void} placed the position is known anew
 */

const SUBSCRIBE = "Bridge/Subscription/Subscribe";
const PROBE = "Bridge/Session/Heartbeat";
const AGAIN_MS = 1_000;

/** Who wants which messages, and how far the stream was read. All listeners see one order. */
export class Subscriptions {
  #told;
  /** @type {Set<Subscription>} */
  #all = new Set();
  /** Who waits for the answer to which Subscribe. @type {Map<string, Subscription[]>} */
  #asked = new Map();
  /** Offsets of what this session published. @type {Set<number>} */
  #own = new Set();
  /** Whether the position is of the present connection. */
  #fresh = false;
  /** Whether those who had joined wait to go on: until then the position must stay where they stopped. */
  #resuming = false;
  /** @type {{epoch: string, offset: number} | undefined} */
  position;

  /** @param {Told} told */
  constructor(told) {
    this.#told = told;
  }

  /** @returns {string | undefined} of the present connection */
  get epoch() {
    return this.#fresh ? this.position?.epoch : undefined;
  }

  /**
   * @param {Subscription} subscription
   * @param {boolean} open
   */
  add(subscription, open) {
    this.#all.add(subscription);
    if (open && !this.#resuming) {
      this.#subscribe([subscription]);
    }
  }

  /**
   * @param {Subscription} subscription
   * @returns {string[]} patterns that nobody wants any more
   */
  remove(subscription) {
    const known = this.#all.delete(subscription);
    const wanted = patternsOf(this.#all);
    return known ? subscription.patterns.filter((pattern) => !wanted.includes(pattern)) : [];
  }

  lost() {
    this.#fresh = this.#resuming = false;
    this.#asked.clear();
    this.#own.clear();
  }

  /** After each connect: all together go on where they stopped; then those begin that never had an answer. */
  rejoin() {
    const joined = [...this.#all].filter((each) => each.joined);
    this.#resuming = joined.length > 0;
    if (this.#resuming) {
      this.#subscribe(joined, { recover: this.position });
    } else {
      this.#begin();
    }
  }

  /** Learn the stream's epoch where nobody subscribes. */
  probe() {
    if (!this.#fresh && !this.#resuming && !this.#asked.size) {
      this.#asked.set(this.#told.send(SUBSCRIBE, { patterns: [PROBE] }), []);
    }
  }

  /** @param {number} offset of a message of this session */
  published(offset) {
    this.#own.add(offset);
  }

  /** @param {Message} message any that came */
  take(message) {
    const { correlationId = "", data } = message;
    const asked = this.#asked.get(correlationId);
    if (message.offset !== undefined) {
      this.#live(message, message.offset);
    } else if (asked) {
      this.#asked.delete(correlationId);
      message.subtopic === "Subscribed" ? this.#join(asked, data) : this.#refused(asked, data).catch(report);
    } else if (message.channel === "Bridge" && message.subtopic === "Heartbeat" && !this.#resuming) {
      this.#place(data.epoch, data.offset);
    }
  }

  /**
   * The bridge does not allow some patterns any more.
   *
   * @param {string[]} patterns
   */
  ended(patterns) {
    const why = { code: "not_permitted", message: `the newer token does not allow ${patterns.join(", ")}` };
    for (const each of this.#all) {
      if (each.patterns.some((pattern) => patterns.includes(pattern))) {
        this.#end(each, why);
      }
    }
  }

  /**
   * @param {Subscription[]} subscriptions
   * @param {object} [more]
   */
  #subscribe(subscriptions, more) {
    const echo = [...this.#all].some((each) => each.options.echo);
    const wish = { patterns: patternsOf(subscriptions), ...(echo && { echo }), ...more };
    this.#asked.set(this.#told.send(SUBSCRIBE, wish), subscriptions);
  }

  #begin() {
    const asked = [...this.#asked.values()].flat();
    [...this.#all].filter((each) => !each.joined && !asked.includes(each)).forEach((each) => this.#subscribe([each]));
  }

  /**
   * @param {string} epoch
   * @param {number} offset
   */
  #place(epoch, offset) {
    this.position = { epoch, offset };
    if (!this.#fresh) {
      this.#fresh = true;
      this.#told.placed();
    }
  }

  /**
   * @param {Message} message
   * @param {number} offset
   */
  #live(message, offset) {
    const position = this.position;
    if (!position || !this.#fresh || offset <= position.offset) {
      return; // it was read already
    }
    position.offset = offset;
    const own = this.#own.has(offset);
    this.#own.clear();
    this.#told.message(message, "live");
    for (const each of [...this.#all]) {
      if (each.joined && (!own || each.options.echo)) {
        this.#hand(each, message, "live");
      }
    }
  }

  /**
   * @param {Subscription[]} asked
   * @param {any} reply body of `Subscribed`
   */
  #join(asked, { epoch, offset, recovered = false, messages, snapshot }) {
    const before = this.position;
    this.#resuming = false;
    const again = asked.some((each) => each.joined);
    const list = recovered ? messages : snapshot;
    const via = recovered ? "recovered" : "snapshot";
    const sameEpoch = before?.epoch === epoch;
    this.position = { epoch, offset };
    for (const each of asked.filter((each) => this.#all.has(each))) {
      each.joined = true;
      const mine = list.filter((/** @type {Message} */ message) => matches(each.patterns, message));
      guarded(() => each.options.onJoined?.({ recovered, again, sameEpoch, epoch, offset, messages: mine }));
    }
    for (const message of list) {
      this.#told.message(message, via);
      asked.forEach((each) => this.#hand(each, message, via));
    }
    this.#place(epoch, offset);
    if (again) {
      this.#begin();
    }
  }

  /**
   * @param {Subscription} subscription
   * @param {Message} message
   * @param {Via} via
   */
  #hand(subscription, message, via) {
    if (this.#all.has(subscription) && matches(subscription.patterns, message)) {
      guarded(() => subscription.listener(message, { via }));
    }
  }

  /**
   * @param {Subscription[]} asked
   * @param {any} body of `Rejected`
   */
  async #refused(asked, body) {
    const again = asked.some((each) => each.joined);
    if (body.temporary) {
      if (await this.#told.pause(body.retryAfterMs ?? AGAIN_MS)) {
        again ? this.rejoin() : asked.forEach((each) => this.#all.has(each) && this.#subscribe([each]));
      }
      return;
    }
    const refused = again && body.code === "not_permitted" ? await this.#notAllowed(asked) : asked;
    if (await this.#told.pause(0)) {
      (refused.length ? refused : asked).forEach((each) => this.#end(each, body));
      if (again) {
        this.rejoin();
      }
    }
  }

  /**
   * A refusal is for all patterns together, and a newer token may have lost only some.
   *
   * @param {Subscription[]} asked
   */
  async #notAllowed(asked) {
    const lost = new Set();
    for (const address of patternsOf(asked)) {
      const { data } = await this.#told.ask("Bridge/Policy/Explain", { action: "subscribe", address });
      if (!data.allowed) {
        lost.add(address);
      }
    }
    return asked.filter((each) => each.patterns.some((pattern) => lost.has(pattern)));
  }

  /**
   * @param {Subscription} subscription
   * @param {any} why body of `Rejected`
   */
  #end(subscription, why) {
    if (this.#all.delete(subscription)) {
      const error = rejected(undefined, why);
      guarded(() => (subscription.options.onRefused ?? report)(error));
    }
  }
}

/** @param {Iterable<Subscription>} subscriptions */
const patternsOf = (subscriptions) => [...new Set([...subscriptions].flatMap((each) => each.patterns))];

/** A listener that throws must not stop the stream. @param {() => void} call */
function guarded(call) {
  try {
    call();
  } catch (fault) {
    report(fault);
  }
}

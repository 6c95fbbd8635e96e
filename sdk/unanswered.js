import { BridgeError, rejected } from "./errors.js";
import { addressOf } from "./message.js";

/** @typedef {import("./workspace-bridge.js").Message} Message */

/**
 * @typedef {object} Waiting something that was sent and has no answer yet
 * @property {string} id
 * @property {"control" | "publish" | "command"} kind
 * @property {string | undefined} epoch of the stream that it went to, as far as it is known
 * @property {number} sentAt
 * @property {boolean} accepted
 * @property {boolean} doubt whether the answer can only be had by asking
 * @property {number} lostAt
 * @property {(value: any) => void} resolve
 * @property {(error: BridgeError) => void} reject
 * @property {(value: any) => void} accept
 * @property {(error: BridgeError) => void} refuse
 */

/** A bridge remembers ids for five minutes; after that, "unknown" says nothing. */
const REMEMBERED_MS = 290_000;
/** So long after a loss the bridge may still read what the lost connection carried. */
const SETTLE_MS = 1_000;

/** @type {Record<string, string>} */
const OUTCOMES = { Completed: "", Failed: "failed", TimedOut: "timed_out" };

/** What waits for its answer, by id. Nothing is ever sent twice from here. */
export class Unanswered {
  #now;
  /** @type {Map<string, Waiting>} */
  #waiting = new Map();

  /** @param {() => number} now */
  constructor(now) {
    this.#now = now;
  }

  /** @returns {Waiting[]} those to ask for */
  get inDoubt() {
    return [...this.#waiting.values()].filter((each) => each.doubt);
  }

  /** @param {string} id */
  has(id) {
    return this.#waiting.has(id);
  }

  /**
   * @param {Waiting["kind"]} kind
   * @param {string} id
   * @param {string | undefined} epoch
   * @returns {{answer: Promise<any>, accepted: Promise<any>}}
   */
  add(kind, id, epoch) {
    /** @type {Partial<Waiting>} */
    const waiting = { id, kind, epoch, sentAt: this.#now(), accepted: false, doubt: false, lostAt: 0 };
    const accepted = new Promise((accept, reject) => Object.assign(waiting, { accept, refuse: reject }));
    const answer = new Promise((resolve, reject) => Object.assign(waiting, { resolve, reject }));
    accepted.catch(() => {}); // whoever waits for the outcome hears of it there
    this.#waiting.set(id, /** @type {Waiting} */ (waiting));
    return { answer, accepted };
  }

  /** @param {Message} message that may answer something, or say how it ended */
  take(message) {
    const address = addressOf(message);
    // What cannot be read as JSON is refused without its id. Answers come in order, so the oldest is meant.
    const waiting = message.correlationId === undefined && address === "Bridge/Message/Rejected"
      ? [...this.#waiting.values()].find((each) => !each.accepted && !each.doubt)
      : this.#waiting.get(message.correlationId ?? "");
    if (!waiting) {
      return;
    }
    const { data } = message;
    if (address === "Bridge/Message/Rejected") {
      this.#settle(waiting, rejected(waiting.id, data));
    } else if (waiting.kind === "control") {
      this.#settle(waiting, null, message);
    } else if (address === "Bridge/Message/Accepted") {
      this.#accept(waiting, data);
    } else if (waiting.kind === "command" && message.channel === "Bridge" && message.topic === "Command") {
      this.#end(waiting, message);
    }
  }

  /** The connection is gone, and with it the answers that were on their way. */
  lost() {
    for (const waiting of this.#waiting.values()) {
      if (waiting.kind === "control") {
        this.#settle(waiting, new BridgeError("unknown", "the connection was lost before the answer came"));
      } else if (!waiting.doubt) {
        waiting.doubt = true;
        waiting.lostAt = this.#now();
      }
    }
  }

  /** @param {string} epoch of the stream, now that it is known */
  inEpoch(epoch) {
    for (const waiting of this.#waiting.values()) {
      if (!waiting.doubt) {
        waiting.epoch ??= epoch;
      } else if (waiting.epoch !== epoch) {
        this.#unknown(waiting, "the bridge began anew and remembers nothing");
      }
    }
  }

  /**
   * @param {Waiting} waiting
   * @param {any} data what `Command/Status` says of it
   */
  status(waiting, data) {
    if (data.known) {
      this.#accept(waiting, { offset: data.offset, duplicate: false, warnings: [], outcome: data.outcome });
    } else if (waiting.accepted || Math.abs(this.#now() - waiting.sentAt) > REMEMBERED_MS) {
      this.#unknown(waiting, "the bridge does not remember it any more");
    } else if (Math.abs(this.#now() - waiting.lostAt) >= SETTLE_MS) {
      const text = `${waiting.id} did not reach the bridge: the connection was lost before`;
      this.#settle(waiting, new BridgeError("not_sent", text, waiting.id, undefined, true));
    }
  }

  /** @param {BridgeError} error why there will be no answers any more */
  end(error) {
    for (const waiting of this.#waiting.values()) {
      this.#settle(waiting, new BridgeError("closed", error.message, waiting.id));
    }
  }

  /**
   * @param {Waiting} waiting
   * @param {any} data body of `Accepted`
   */
  #accept(waiting, data) {
    const value = { ...data, id: waiting.id };
    waiting.accepted = true;
    waiting.accept(value);
    if (waiting.kind === "publish") {
      this.#settle(waiting, null, value);
    } else if (data.outcome) {
      this.#end(waiting, data.outcome);
    } else if (data.duplicate && !waiting.doubt) {
      waiting.doubt = true; // its outcome goes to who sent it first
    }
  }

  /**
   * @param {Waiting} waiting
   * @param {Message} outcome
   */
  #end(waiting, { subtopic, data }) {
    const code = OUTCOMES[subtopic];
    if (code === "") {
      waiting.accept({ id: waiting.id, duplicate: false, warnings: [] });
      this.#settle(waiting, null, data);
    } else if (code) {
      waiting.accept({ id: waiting.id, duplicate: false, warnings: [] });
      const text = code === "failed" ? `${data.errorType}: ${data.message}` : `nothing is known after ${data.afterMs} ms`;
      this.#settle(waiting, new BridgeError(code, `${data.address} ${code}: ${text}`, waiting.id, data));
    }
  }

  /**
   * @param {Waiting} waiting
   * @param {string} why
   */
  #unknown(waiting, why) {
    const text = `it is not known what became of ${waiting.id}: ${why}; read the state instead`;
    this.#settle(waiting, new BridgeError("unknown", text, waiting.id));
  }

  /**
   * @param {Waiting} waiting
   * @param {BridgeError | null} error
   * @param {unknown} [value]
   */
  #settle(waiting, error, value) {
    if (this.#waiting.get(waiting.id) === waiting) {
      this.#waiting.delete(waiting.id);
      if (error) {
        waiting.refuse(error);
        waiting.reject(error);
      } else {
        waiting.resolve(value);
      }
    }
  }
}

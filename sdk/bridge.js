import { BridgeError, report } from "./errors.js";
import { Line } from "./line.js";
import { addressOf, canonical, newId } from "./message.js";
import { renew } from "./renewal.js";
import { Subscriptions } from "./subscriptions.js";
import { Unanswered } from "./unanswered.js";

/** @typedef {import("./workspace-bridge.js").Message} Message */
/** @typedef {import("./workspace-bridge.js").StateChange} StateChange */

const STATUS = "Bridge/Command/Status";
const ASK_MS = 1_000;
const ID = /^[\x20-\x7e]{1,64}$/;

/** One session in one workspace, across connections. */
export class Bridge extends EventTarget {
  #env;
  #line;
  #unanswered;
  #subscriptions;
  #onState;
  #inquiring = 0;
  /** How to end each pause early. @type {Map<any, (ended: boolean) => void>} */
  #pauses = new Map();
  /** @type {StateChange["state"]} */
  #state = "connecting";
  /** @type {any} */
  #opened;
  /** @type {BridgeError | undefined} */
  #over;
  /** @type {{resolve: (bridge: any) => void, reject: (error: BridgeError) => void} | undefined} */
  #first;

  /**
   * @param {import("./environment.js").Environment} env
   * @param {URL} url
   * @param {import("./workspace-bridge.js").ConnectOptions} options
   */
  constructor(env, url, options) {
    super();
    this.#env = env;
    this.#onState = options.onState;
    this.#unanswered = new Unanswered(env.now);
    this.#subscriptions = new Subscriptions({
      send: (address, data) => this.#control(address, data),
      ask: (address, data) => this.#ask(address, data),
      pause: (ms) => this.#pause(ms),
      message: (message, via) => this.#show(message, via),
      placed: () => this.#placed(),
    });
    this.#line = new Line(env, url, options.token, {
      state: (change) => this.#tell(change),
      opened: (message) => this.#begin(message),
      message: (message) => this.#take(message),
      lost: () => this.#lost(),
      ended: (error) => this.#end(error),
      probe: () => this.#line.isOpen && this.#control(STATUS, { id: "sign-of-life" }),
    });
  }

  /** @returns {Promise<Bridge>} when the first `Opened` has come */
  open() {
    const opened = new Promise((resolve, reject) => (this.#first = { resolve, reject }));
    this.#line.connect();
    return opened;
  }

  get state() {
    return this.#state;
  }

  get opened() {
    return this.#opened;
  }

  get position() {
    return this.#subscriptions.position && { ...this.#subscriptions.position };
  }

  /**
   * @param {string | string[]} patterns
   * @param {(message: any, how: any) => void} listener
   * @param {import("./workspace-bridge.js").SubscribeOptions} [options]
   * @returns {() => void}
   */
  subscribe(patterns, listener, options = {}) {
    const subscription = { patterns: [patterns].flat().map(canonical), listener, options, joined: false };
    if (!this.#over) {
      this.#subscriptions.add(subscription, this.#line.isOpen);
    }
    return () => {
      const idle = this.#subscriptions.remove(subscription);
      if (idle.length && this.#line.isOpen) {
        this.#control("Bridge/Subscription/Unsubscribe", { patterns: idle });
      }
    };
  }

  /** @param {any} message */
  async publish(message) {
    return this.#post("publish", message, message.id ?? newId()).answer;
  }

  /** @param {any} message */
  command(message) {
    const id = message.id ?? newId();
    const { answer, accepted } = this.#post("command", message, id);
    return Object.assign(answer, { id, accepted });
  }

  /** @param {any} message */
  async request(message) {
    return this.#post("control", message, message.id ?? newId()).answer;
  }

  reconnect() {
    this.#line.connect();
  }

  async close() {
    await this.#line.close(new BridgeError("closed", "it was closed"));
  }

  // Sending

  /**
   * @param {"control" | "publish" | "command"} kind
   * @param {any} message
   * @param {string} id
   */
  #post(kind, message, id) {
    const refusal = this.#refusal(id);
    const text = refusal ? "" : JSON.stringify({ ...message, id });
    const limit = this.#opened?.limits?.messageBytes;
    const long = limit && text.length * 3 > limit && new TextEncoder().encode(text).length > limit;
    const error = long ? new BridgeError("limit_exceeded", `longer than ${limit} bytes: not sent`, id) : refusal;
    if (error) {
      const answer = Promise.reject(error);
      const accepted = Promise.reject(error);
      accepted.catch(() => {});
      return { answer, accepted };
    }
    if (kind !== "control") {
      this.#subscriptions.probe();
    }
    const promises = this.#unanswered.add(kind, id, this.#subscriptions.epoch);
    this.#line.send(text);
    return promises;
  }

  /** @param {string} id */
  #refusal(id) {
    if (this.#over) {
      return new BridgeError("closed", this.#over.message, id);
    }
    if (!this.#line.isOpen) {
      return new BridgeError("offline", "there is no connection to the bridge now: not sent", id, undefined, true);
    }
    if (!ID.test(id) || this.#unanswered.has(id)) {
      return new BridgeError("invalid_envelope", "an id has 1 to 64 printable ASCII characters and is not in use", id);
    }
    return undefined;
  }

  /**
   * @param {string} address
   * @param {any} data
   * @param {string} [id]
   */
  #control(address, data, id = newId()) {
    const [channel, topic, subtopic] = address.split("/");
    this.#line.send(JSON.stringify({ channel, topic, subtopic, id, data }));
    return id;
  }

  /**
   * @param {string} address
   * @param {any} data
   * @returns {Promise<Message>}
   */
  #ask(address, data) {
    const [channel, topic, subtopic] = address.split("/");
    return this.request({ channel, topic, subtopic, data });
  }

  /**
   * @param {number} ms
   * @returns {Promise<boolean>} whether the connection is still the same
   */
  async #pause(ms) {
    const run = this.#line.run;
    if (ms && this.#line.isOpen) {
      await new Promise((resolve) => {
        const timer = this.#env.later(() => resolve(this.#pauses.delete(timer)), ms);
        this.#pauses.set(timer, resolve);
      });
    }
    return run === this.#line.run && this.#line.isOpen;
  }

  // Receiving

  /** @param {Message} message */
  #begin(message) {
    this.#opened = message.data;
    this.#show(message, "control");
    this.#tell({ state: "open", reason: "" });
    this.#first?.resolve(this);
    this.#subscriptions.rejoin();
    if (this.#unanswered.inDoubt.length) {
      this.#subscriptions.probe();
    }
    renew(this.#line, message.data.expiresInSeconds, (ms) => this.#pause(ms),
      (data) => this.#ask("Bridge/Session/Refresh", data), (patterns) => this.#subscriptions.ended(patterns)).catch(report);
  }

  /** @param {Message} message */
  #take(message) {
    if (message.offset === undefined) {
      this.#show(message, "control");
      this.#unanswered.take(message);
      if (addressOf(message) === "Bridge/Message/Accepted") {
        message.data.duplicate ? this.#inquire() : this.#subscriptions.published(message.data.offset);
      }
    } else if (!this.#subscriptions.epoch) {
      this.#unanswered.take(message); // the outcome of one's own command needs no subscription
    }
    this.#subscriptions.take(message);
  }

  /**
   * @param {Message} message
   * @param {import("./workspace-bridge.js").Via} via
   */
  #show(message, via) {
    if (via !== "control") {
      this.#unanswered.take(message);
    }
    this.#emit("message", { message, via });
  }

  #placed() {
    this.#unanswered.inEpoch(/** @type {string} */ (this.#subscriptions.epoch));
    this.#inquire();
  }

  /** Ask what became of what was sent over a connection that is gone; again while there is no outcome. */
  #inquire() {
    const run = this.#line.run;
    if (this.#inquiring !== run && this.#unanswered.inDoubt.length) {
      this.#inquiring = run;
      this.#inquireOn()
        .catch(report)
        .finally(() => this.#inquiring === run && (this.#inquiring = 0));
    }
  }

  async #inquireOn() {
    do {
      for (const waiting of this.#unanswered.inDoubt) {
        const reply = await this.#ask(STATUS, { id: waiting.id }).catch(() => undefined);
        if (reply) {
          this.#unanswered.status(waiting, reply.data);
        } else if (!(await this.#pause(ASK_MS))) {
          return;
        }
      }
    } while (this.#unanswered.inDoubt.length && (await this.#pause(ASK_MS)));
  }

  // State

  #lost() {
    this.#endPauses();
    this.#unanswered.lost();
    this.#subscriptions.lost();
  }

  /** @param {BridgeError} error */
  #end(error) {
    this.#endPauses();
    this.#over = error;
    this.#unanswered.end(error);
    this.#first?.reject(error);
  }

  /** Whoever pauses for a connection that is gone learns it now, and no timer keeps a program alive. */
  #endPauses() {
    this.#pauses.forEach((resolve, timer) => {
      this.#env.cancel(timer);
      resolve(false);
    });
    this.#pauses.clear();
  }

  /** @param {StateChange} change */
  #tell(change) {
    this.#state = change.state;
    try {
      this.#onState?.(change);
    } catch (fault) {
      report(fault);
    }
    this.#emit("state", change);
  }

  /**
   * @param {string} type
   * @param {object} detail
   */
  #emit(type, detail) {
    this.dispatchEvent(Object.assign(new Event(type), { detail }));
  }
}

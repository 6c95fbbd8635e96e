import { likelyCauses } from "./causes.js";
import { LOST, delay, explain, isFinal } from "./closing.js";
import { BridgeError } from "./errors.js";
import { Pulse } from "./pulse.js";

/** @typedef {import("./workspace-bridge.js").Message} Message */
/** @typedef {import("./workspace-bridge.js").StateChange} StateChange */

/**
 * @typedef {object} Told what the line tells
 * @property {(change: StateChange) => void} state
 * @property {(message: Message) => void} opened
 * @property {(message: Message) => void} message any other
 * @property {() => void} lost
 * @property {(error: BridgeError) => void} ended
 * @property {() => void} probe a sign of life is wanted
 */

const OPEN_MS = 15_000;
const SILENT_INTERVALS = 2;
const STABLE_MS = 10_000;
const CLOSE_MS = 1_000;
const TRIES = 3;
const OPEN = 1;

/** One connection after the other, until a close that is final. What is sent goes over the present one, or nowhere. */
export class Line {
  #env;
  #url;
  #token;
  #told;
  #pulse;
  #unlisten;
  /** @type {import("./environment.js").Socket | undefined} */
  #socket;
  /** Each attempt has its number: what belongs to an earlier one comes too late. */
  #run = 0;
  #failures = 0;
  #openedAt = 0;
  #open = false;
  #ever = false;
  #ended = false;
  /** @type {any} */
  #retry;
  #retryAt = 0;

  /**
   * @param {import("./environment.js").Environment} env
   * @param {URL} url
   * @param {import("./workspace-bridge.js").Token | undefined} token
   * @param {Told} told
   */
  constructor(env, url, token, told) {
    this.#env = env;
    this.#url = url;
    this.#token = token;
    this.#told = told;
    this.#pulse = new Pulse(env, told.probe, () => this.#lost(LOST, "no sign of life"));
    this.#unlisten = env.listen((sign, event) => this.#notice(sign, event));
  }

  get isOpen() {
    return this.#open && this.#socket?.readyState === OPEN;
  }

  /** Which connection this is: changes with each. */
  get run() {
    return this.#run;
  }

  get renewable() {
    return typeof this.#token === "function";
  }

  /** @returns {Promise<string | undefined>} */
  async token() {
    return typeof this.#token === "function" ? this.#token() : this.#token;
  }

  /** @param {string} text */
  send(text) {
    this.#socket?.send(text);
  }

  /** Connect, now; a connection that there is, is given up. */
  connect() {
    if (this.#ended) {
      return;
    }
    if (this.#open) {
      this.#drop();
      this.#told.lost();
    }
    this.#drop();
    const run = this.#run;
    this.#pulse.expect(OPEN_MS);
    if (!this.#failing) {
      this.#told.state({ state: "connecting", reason: this.#ever ? "reconnecting" : "", attempt: this.#failures + 1 });
    }
    this.#dial(run).catch((/** @type {any} */ error) => run === this.#run && this.#lost(LOST, String(error?.message)));
  }

  /** @param {BridgeError} error what to tell */
  async close(error) {
    const socket = this.#socket;
    this.#end(error, 1000);
    if (socket) {
      await new Promise((resolve) => {
        const timer = this.#env.later(() => resolve(0), CLOSE_MS);
        socket.onclose = () => resolve(this.#env.cancel(timer));
      });
    }
  }

  /** @param {number} run */
  async #dial(run) {
    const token = await this.token();
    const socket = run === this.#run && (await this.#env.dial(this.#url.href, token));
    if (!socket) {
      return;
    }
    socket.onerror = () => {}; // the close that follows says more
    if (run !== this.#run) {
      socket.close();
      return;
    }
    this.#socket = socket;
    socket.onopen = () =>
      token !== undefined && this.send(JSON.stringify({ channel: "Bridge", topic: "Session", subtopic: "Open", data: { token } }));
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
  }

  /** @param {unknown} text */
  #take(text) {
    const run = this.#run;
    this.#pulse.heard();
    try {
      const message = JSON.parse(/** @type {string} */ (text));
      if (typeof message.channel !== "string") {
        throw new TypeError();
      }
      if (message.channel === "Bridge" && message.topic === "Session" && message.subtopic === "Opened") {
        this.#opened(message);
      } else if (this.#open) {
        this.#told.message(message);
      }
    } catch {
      // Something is missing now: only a new connection can bring it.
      if (run === this.#run) {
        this.#lost(LOST, "what came is no message of the protocol");
      }
    }
  }

  /** @param {Message} message */
  #opened(message) {
    if (this.#open) {
      return;
    }
    this.#pulse.expect(message.data.heartbeatSeconds * 1000 * SILENT_INTERVALS);
    this.#open = this.#ever = true;
    this.#openedAt = this.#env.now();
    this.#told.opened(message);
  }

  get #failing() {
    return !this.#ever && this.#failures >= TRIES;
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    const text = explain(code, reason);
    if (isFinal(code, this.renewable)) {
      this.#end(new BridgeError(code, text), code);
      return;
    }
    if (this.#open && Math.abs(this.#env.now() - this.#openedAt) >= STABLE_MS) {
      this.#failures = 0;
    }
    this.#drop();
    this.#failures += 1;
    const retryInMs = delay(code, this.#failures - 1, this.#failing, this.#env.random());
    this.#wait(retryInMs);
    const causes = code === LOST ? likelyCauses(this.#url, this.#env.page) : [text];
    /** @type {StateChange} */
    const change = { state: "waiting", code, reason: text, retryInMs, attempt: this.#failures };
    this.#told.lost();
    this.#told.state(this.#failing ? { ...change, state: "failing", causes } : change);
  }

  /** @param {number} ms */
  #wait(ms) {
    this.#env.cancel(this.#retry);
    this.#retryAt = this.#env.now() + ms;
    this.#retry = this.#env.later(() => this.connect(), ms);
  }

  /**
   * @param {BridgeError} error
   * @param {number} code
   */
  #end(error, code) {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#drop();
    this.#unlisten();
    this.#told.ended(error);
    this.#told.state({ state: "closed", code, reason: error.message });
  }

  /** Let go of the socket without waiting for it: a dead link answers no close. */
  #drop() {
    this.#run += 1;
    this.#open = false;
    this.#pulse.stop();
    this.#env.cancel(this.#retry);
    this.#retryAt = 0;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
  }

  /**
   * Something happened to the page. None of it is proof: a live line answers the probe.
   *
   * @param {string} sign
   * @param {any} event
   */
  #notice(sign, event) {
    if (sign === "pagehide") {
      if (event.persisted && this.#socket) {
        this.#lost(LOST, "the page was put away"); // with an open socket it could not come back as it is
      }
    } else if (event.target?.visibilityState === "hidden") {
      return;
    } else if (!this.#retryAt) {
      this.#pulse.doubt(sign !== "visibilitychange");
    } else if (sign === "online") {
      this.#wait(this.#env.random() * 500);
    } else if (sign === "pageshow" || this.#env.now() >= this.#retryAt) {
      this.connect();
    }
  }
}

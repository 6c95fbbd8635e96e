import { judge } from "./closing.js";
import { newId } from "./message.js";

/** @typedef {import("./message.js").Message} Message */

/**
 * Where this page stopped reading: what it recovers from.
 *
 * @typedef {{epoch: string, offset: number}} Position
 */

/**
 * @typedef {object} Line state of the connection
 * @property {"connecting" | "open" | "waiting" | "ended"} phase
 * @property {string} text
 */

/**
 * How a Subscribe was answered.
 *
 * @typedef {object} Joined
 * @property {"snapshot" | "recovered"} kind `recovered`: the messages are exactly what was missed since the last one
 * @property {boolean} again whether this page was connected before
 * @property {boolean} sameEpoch whether the stream is still the one that was read before
 * @property {Message[]} messages
 */

/**
 * @typedef {object} Listener what the bus tells
 * @property {(line: Line) => void} line the connection changed
 * @property {(message: Message) => void} control a message outside the stream came: a reply, a heartbeat
 * @property {(joined: Joined) => void} joined subscribed, after each connect
 * @property {(message: Message) => void} live a message of the stream came
 */

const SUBPROTOCOL = "workspace-bridge.v1";
const OPEN_MS = 15_000;
const SILENT_INTERVALS = 2;

/**
 * One connection to the bridge that keeps coming back, and gets what it missed.
 *
 * It sends each message at most once: what became of a command whose answer was lost is for `Command/Status` to say.
 */
export class Bus {
  #url;
  #patterns;
  #listener;
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {Position | undefined} */
  #position;
  #open = false;
  #failures = 0;
  #retry = 0;
  #watch = 0;
  #heardAt = 0;
  #silenceMs = OPEN_MS;

  /**
   * @param {string} url of the bridge's WebSocket, with workspace and app
   * @param {string[]} patterns to subscribe to
   * @param {Listener} listener
   */
  constructor(url, patterns, listener) {
    this.#url = url;
    this.#patterns = patterns;
    this.#listener = listener;
    addEventListener("online", () => this.#retry && this.connect());
  }

  /** @returns {Position | undefined} epoch and offset of the last message that was read */
  get position() {
    return this.#position;
  }

  /** Connect, now. */
  connect() {
    this.#forget();
    this.#listener.line({ phase: "connecting", text: this.#position ? "reconnecting" : "connecting" });
    const socket = new WebSocket(this.#url, [SUBPROTOCOL]);
    socket.onmessage = ({ data }) => {
      this.#heardAt = performance.now();
      this.#take(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
    this.#socket = socket;
    this.#heardAt = performance.now();
    this.#silenceMs = OPEN_MS;
    this.#listen();
  }

  /**
   * Send a message, if the line is open.
   *
   * @param {string} address
   * @param {unknown} data
   * @param {string} [id]
   * @returns {boolean} whether it was handed to the connection
   */
  send(address, data, id = newId()) {
    if (!this.#open || this.#socket?.readyState !== WebSocket.OPEN) {
      return false;
    }
    this.#write(address, data, id);
    return true;
  }

  /**
   * @param {string} address
   * @param {unknown} data
   * @param {string} id
   */
  #write(address, data, id) {
    const [channel, topic, subtopic] = address.split("/");
    this.#socket?.send(JSON.stringify({ channel, topic, subtopic, id, data }));
  }

  /** @param {Message} message */
  #take(message) {
    if (message.offset !== undefined) {
      this.#live(message, message.offset);
      return;
    }
    this.#listener.control(message);
    if (message.channel !== "Bridge") {
      return;
    }
    if (message.subtopic === "Opened") {
      this.#silenceMs = message.data.heartbeatSeconds * 1000 * SILENT_INTERVALS;
      this.#listen();
      const recover = this.#position ? { recover: this.#position } : {};
      this.#write("Bridge/Subscription/Subscribe", { patterns: this.#patterns, echo: true, ...recover }, newId());
    } else if (message.subtopic === "Subscribed") {
      this.#join(message.data);
    }
  }

  /**
   * @param {Message} message
   * @param {number} offset
   */
  #live(message, offset) {
    if (this.#position) {
      this.#position = { epoch: this.#position.epoch, offset };
      this.#listener.live(message);
    }
  }

  /** @param {any} reply the body of `Subscribed` */
  #join(reply) {
    const before = this.#position;
    this.#position = { epoch: reply.epoch, offset: reply.offset };
    this.#failures = 0;
    this.#open = true;
    this.#listener.joined({
      kind: reply.recovered ? "recovered" : "snapshot",
      again: before !== undefined,
      sameEpoch: before?.epoch === reply.epoch,
      messages: reply.recovered ? reply.messages : reply.snapshot,
    });
    this.#listener.line({ phase: "open", text: "connected" });
  }

  /** Watch for silence: heartbeats come under traffic too, so two missed ones tell of a dead link. */
  #listen() {
    clearTimeout(this.#watch);
    const left = this.#heardAt + this.#silenceMs - performance.now();
    if (left <= 0) {
      this.#lost(1006, "no sign of life");
    } else {
      this.#watch = setTimeout(() => this.#listen(), left);
    }
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    this.#forget();
    const verdict = judge(code, reason, this.#failures);
    this.#failures += 1;
    if (!verdict.again) {
      this.#listener.line({ phase: "ended", text: verdict.text });
      return;
    }
    this.#listener.line({ phase: "waiting", text: verdict.text });
    this.#retry = setTimeout(() => this.connect(), verdict.delayMs);
  }

  /** Let go of the socket without waiting for it: a dead link answers no close. */
  #forget() {
    clearTimeout(this.#retry);
    clearTimeout(this.#watch);
    this.#retry = 0;
    this.#open = false;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) {
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
    }
  }
}

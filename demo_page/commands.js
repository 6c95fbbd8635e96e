import { newId } from "./message.js";

/** @typedef {import("./message.js").Message} Message */

/**
 * Where a command is on its way. `unknown`: the connection or the bridge was lost, and nobody can tell any more.
 *
 * @typedef {"sent" | "accepted" | "completed" | "failed" | "timedOut" | "refused" | "unknown"} Phase
 */

/**
 * @typedef {object} Command
 * @property {string} id
 * @property {string} address
 * @property {string} label what it does, in words
 * @property {string} [call] the call that it acts on
 * @property {Phase} phase
 * @property {any} result body of the refusal or of the outcome
 * @property {number} sentAt on the page's monotonic clock, milliseconds
 * @property {number} endedAt the same, 0 until it has ended
 */

/** @type {Record<string, Phase>} */
const OUTCOMES = { Completed: "completed", Failed: "failed", TimedOut: "timedOut" };

const STATUS = "Bridge/Command/Status";
const KEPT = 6;

/** The commands of this page, from the click to the one outcome. None is ever sent twice. */
export class Commands {
  #bus;
  #changed;
  /** @type {Map<string, Command>} */
  #commands = new Map();
  /** Ids of `Status` questions, and the command that each asks for. @type {Map<string, string>} */
  #questions = new Map();

  /**
   * @param {{send: (address: string, data: unknown, id: string) => boolean}} bus
   * @param {() => void} changed is called after each change
   */
  constructor(bus, changed) {
    this.#bus = bus;
    this.#changed = changed;
  }

  /** @returns {Command[]} the newest first */
  get all() {
    return [...this.#commands.values()].reverse();
  }

  /**
   * @param {string} address
   * @param {string} [call]
   * @returns {boolean} whether such a command has no outcome yet
   */
  isPending(address, call) {
    return this.#pending().some((command) => command.address === address && command.call === call);
  }

  /**
   * @param {string} id
   * @returns {boolean} whether the message with that id was sent by this page, and lately
   */
  isOwn(id) {
    return this.#commands.has(id);
  }

  /**
   * @param {string} label
   * @param {string} address
   * @param {Record<string, unknown>} data
   */
  send(label, address, data) {
    const id = newId();
    const call = typeof data.CallID === "string" ? data.CallID : undefined;
    /** @type {Command} */
    const command = { id, address, label, call, phase: "sent", result: null, sentAt: performance.now(), endedAt: 0 };
    this.#commands.set(id, command);
    if (!this.#bus.send(address, data, id)) {
      this.#end(command, "refused", { message: "Not connected: it was not sent." });
    }
    this.#prune();
    this.#changed();
  }

  /** Forget those that have ended. */
  clear() {
    for (const command of this.#commands.values()) {
      if (command.endedAt) {
        this.#commands.delete(command.id);
      }
    }
    this.#changed();
  }

  /**
   * Read a message for what it tells of a command: a reply or an outcome.
   *
   * @param {Message} message
   */
  take(message) {
    if (message.channel !== "Bridge" || message.correlationId === undefined) {
      return;
    }
    const asked = this.#questions.get(message.correlationId);
    if (asked !== undefined) {
      this.#questions.delete(message.correlationId);
      this.#answered(asked, message);
      return;
    }
    const command = this.#commands.get(message.correlationId);
    if (command && !command.endedAt) {
      this.#advance(command, message);
      this.#changed();
    }
  }

  /**
   * After a reconnect: ask what became of the commands that have no outcome.
   *
   * @param {boolean} sameEpoch whether the stream is the one in which they were sent; a new one knows none of them
   */
  inquire(sameEpoch) {
    for (const command of this.#pending()) {
      const question = newId();
      if (sameEpoch && this.#bus.send(STATUS, { id: command.id }, question)) {
        this.#questions.set(question, command.id);
      } else {
        this.#end(command, "unknown", { message: "The bridge was restarted. See in the calls whether it was done." });
      }
    }
    this.#changed();
  }

  #pending() {
    return [...this.#commands.values()].filter((command) => !command.endedAt);
  }

  /**
   * @param {Command} command
   * @param {Message} message
   */
  #advance(command, message) {
    const { topic, subtopic, data } = message;
    if (topic === "Message" && subtopic === "Accepted") {
      command.phase = "accepted";
    } else if (topic === "Message" && subtopic === "Rejected") {
      this.#end(command, "refused", data);
    } else if (topic === "Command" && subtopic in OUTCOMES) {
      this.#end(command, OUTCOMES[subtopic], data);
    }
  }

  /**
   * @param {string} id of the command
   * @param {Message} reply
   */
  #answered(id, reply) {
    const command = this.#commands.get(id);
    if (!command || command.endedAt) {
      return;
    }
    if (!reply.data.known) {
      this.#end(command, "unknown", { message: "The bridge does not know it: the connection was lost before it arrived, or too long ago." });
    } else if (reply.data.outcome) {
      this.#advance(command, reply.data.outcome);
    } else {
      command.phase = "accepted";
    }
    this.#changed();
  }

  /**
   * @param {Command} command
   * @param {Phase} phase
   * @param {any} result
   */
  #end(command, phase, result) {
    Object.assign(command, { phase, result, endedAt: performance.now() });
  }

  #prune() {
    for (const command of this.#commands.values()) {
      if (this.#commands.size <= KEPT) {
        return;
      }
      if (command.endedAt) {
        this.#commands.delete(command.id);
      }
    }
  }
}

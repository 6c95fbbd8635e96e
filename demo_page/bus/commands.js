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

/** How the SDK's errors end a command; any other is a refusal. @type {Record<string, Phase>} */
const ENDINGS = { failed: "failed", timed_out: "timedOut", not_sent: "unknown", unknown: "unknown", closed: "unknown" };

/** What to say where the bridge said nothing. @type {Record<string, string>} */
const WORDS = {
  offline: "Not connected: it was not sent.",
  not_sent: "The bridge does not know it: the connection was lost before it arrived.",
  unknown: "The bridge was restarted. See in the calls whether it was done.",
  closed: "The connection has ended. See in the calls whether it was done.",
};

const KEPT = 6;

/** The commands of this page, from the click to the one outcome. The SDK sends none of them twice. */
export class Commands {
  #changed;
  /** @type {import("../../sdk/workspace-bridge.js").Bridge | undefined} */
  #bridge;
  /** @type {Map<string, Command>} */
  #commands = new Map();

  /** @param {() => void} changed is called after each change */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @param {import("../../sdk/workspace-bridge.js").Bridge} bridge that carries them from now on */
  over(bridge) {
    this.#bridge = bridge;
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
    return [...this.#commands.values()]
      .some((command) => !command.endedAt && command.address === address && command.call === call);
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
    if (!this.#bridge) {
      return;
    }
    const [channel, topic, subtopic] = address.split("/");
    const run = this.#bridge.command({ channel, topic, subtopic, data });
    const call = typeof data.CallID === "string" ? data.CallID : undefined;
    /** @type {Command} */
    const command = { id: run.id, address, label, call, phase: "sent", result: null, sentAt: performance.now(), endedAt: 0 };
    this.#commands.set(run.id, command);
    run.accepted.then(() => this.#accepted(command), () => {}); // a refusal comes with the run itself
    run.then((outcome) => this.#end(command, "completed", outcome), (error) => this.#fail(command, error));
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

  /** @param {Command} command */
  #accepted(command) {
    if (!command.endedAt) {
      command.phase = "accepted";
      this.#changed();
    }
  }

  /**
   * @param {Command} command
   * @param {import("../../sdk/workspace-bridge.js").BridgeError} error
   */
  #fail(command, { code, body, message }) {
    this.#end(command, ENDINGS[code] ?? "refused", body ?? { message: WORDS[code] ?? message });
  }

  /**
   * @param {Command} command
   * @param {Phase} phase
   * @param {any} result
   */
  #end(command, phase, result) {
    Object.assign(command, { phase, result, endedAt: performance.now() });
    this.#changed();
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

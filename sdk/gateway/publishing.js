import { addressOf, compose, isCommand } from "./bridge.js";
import { digest } from "./ids.js";
import { canonicalJson } from "./json.js";
import { Owed } from "./owed.js";
import { Refusal, checkReachable, notPermitted } from "./refusal.js";

/** @typedef {import("./bridge.js").Message} Message */
/** @typedef {import("./envelope.js").Sent} Sent */
/** @typedef {import("./envelope.js").Warning} Warning */
/** @typedef {import("./gadget.js").Gadget} Gadget */

/** @typedef {{content: string, accepted: Promise<any>}} UnderWay */

/**
 * How the SDK's words for a command's end stand on the wire. Of anything else nothing is known.
 *
 * @type {Record<string, string>}
 */
const OUTCOMES = { failed: "Failed", timed_out: "TimedOut" };

/** What gadgets publish, on its way to the bridge: as the listed app, with ids that are one gadget's own. */
export class Publishing {
  #bridge;
  #spend;
  #now;
  #owed;
  /** What has no end yet, by its id on the bus. @type {Map<string, UnderWay>} */
  #underWay = new Map();

  /**
   * @param {import("./bridge.js").Bridge} bridge
   * @param {() => void} spend takes one message from the session's rate, or throws
   * @param {() => number} now
   */
  constructor(bridge, spend, now) {
    this.#bridge = bridge;
    this.#spend = spend;
    this.#now = now;
    this.#owed = new Owed(bridge);
  }

  close() {
    this.#owed.close();
  }

  /**
   * @param {Gadget} gadget
   * @param {Sent} message
   * @param {Warning[]} warnings
   */
  async publish(gadget, message, warnings) {
    const { ids, grant } = gadget.listed;
    if (!gadget.listed.mayPublish(message)) {
      throw notPermitted(`publish ${addressOf(message)}`);
    }
    checkReachable(this.#bridge);
    this.#spend();
    const { channel, topic, subtopic, data } = message;
    const id = message.id === undefined ? newId() : ids.toBus(message.id);
    const outgoing = { channel, topic, subtopic, data, id, source: grant.app };
    gadget.listening.noteSent(id);
    const tell = (/** @type {any} */ accepted) => this.#tell(gadget, message, accepted, warnings);
    const content = digest(canonicalJson([channel, topic, subtopic, data]));
    const first = this.#underWay.get(id);
    if (first) {
      tell(await this.#again(first, content));
    } else {
      await this.#first(gadget, outgoing, content, tell);
    }
  }

  /**
   * @param {Gadget} gadget
   * @param {Message & {id: string}} outgoing
   * @param {string} content
   * @param {(accepted: any) => void} tell
   */
  async #first(gadget, outgoing, content, tell) {
    const { id } = outgoing;
    const command = isCommand(outgoing) ? this.#bridge.command(outgoing) : undefined;
    const accepted = command?.accepted ?? this.#bridge.publish(outgoing);
    this.#underWay.set(id, { content, accepted });
    try {
      await (command ? this.#command(gadget, outgoing, command, tell) : accepted.then(tell));
    } finally {
      this.#underWay.delete(id);
    }
  }

  /**
   * The same id comes again before the first has come to its end: the answer that the bridge would give.
   *
   * @param {UnderWay} first
   * @param {string} content
   */
  async #again(first, content) {
    if (first.content !== content) {
      throw new Refusal("id_conflict", "this id is in use for another message");
    }
    return { ...(await first.accepted), duplicate: true };
  }

  /**
   * See a command through to its one outcome. Where the connection was lost so that nobody can tell what became of it,
   * that is what the gadget gets told.
   *
   * @param {Gadget} gadget
   * @param {Message & {id: string}} outgoing
   * @param {import("./bridge.js").Run} run
   * @param {(accepted: any) => void} tell
   */
  async #command(gadget, outgoing, run, tell) {
    const { id } = outgoing;
    const begun = this.#now();
    this.#owed.expect(id, gadget);
    const ended = run.then(
      (data) => ["Completed", data],
      ({ code, body }) => [OUTCOMES[code] ?? "TimedOut", body ?? nothingKnown(outgoing, this.#now() - begun)],
    );
    try {
      const accepted = await run.accepted;
      tell(accepted);
      if (accepted.duplicate && accepted.outcome) {
        this.#owed.forget(id); // it had ended before it was sent again: `Accepted` has told how
        return;
      }
    } catch (/** @type {any} */ error) {
      if (error.code !== "unknown") {
        this.#owed.forget(id);
        throw error;
      }
    }
    this.#owed.accepted(id);
    const [subtopic, data] = await ended;
    this.#owed.settle(id, subtopic, data);
  }

  /**
   * @param {Gadget} gadget
   * @param {Sent} message
   * @param {any} accepted
   * @param {Warning[]} warnings of the gateway's own repairs
   */
  #tell(gadget, message, accepted, warnings) {
    gadget.listed.counters.accepted += 1;
    if (message.id === undefined) {
      return;
    }
    const { offset = this.#bridge.position?.offset ?? 0, duplicate, outcome } = accepted;
    const known = duplicate && outcome ? { outcome: gadget.listed.ids.inMessage(outcome) } : {};
    const body = { offset, duplicate, warnings: [...warnings, ...(accepted.warnings ?? [])], ...known };
    gadget.answer(compose("Bridge/Message/Accepted", body, message.id));
  }
}

/**
 * @param {Message} message
 * @param {number} afterMs
 */
const nothingKnown = (message, afterMs) => ({
  address: addressOf(message),
  ...(typeof message.data?.CallID === "string" ? { call: message.data.CallID } : {}),
  afterMs: Math.round(afterMs),
});

/** Random numbers, not a UUID of the browser's: that one is missing where a page comes over plain HTTP. */
const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

import { isCallEvent } from "../bus/calls.js";
import { addressOf } from "../bus/message.js";
import { Threads } from "../bus/threads.js";
import { Asked } from "./asked.js";
import { News } from "./news.js";
import { Parties } from "./parties.js";
import { commandWords, outcomeWords } from "./words.js";

/** @typedef {import("../bus/message.js").Message} Message */
/** @typedef {"control" | "snapshot" | "recovered" | "live"} Via */

/**
 * One arrow of the story.
 *
 * @typedef {object} Step
 * @property {string} from a lane: `bridge`, `control` (call control), or a widget or party as `widget:…`, `party:…`
 * @property {string} to a lane
 * @property {boolean} toAll whether every widget gets it
 * @property {string} label in plain words
 * @property {number} thread 0 where nobody asked for it
 * @property {"ask" | "tell" | "reply"} kind
 * @property {"" | "good" | "bad"} tone
 * @property {Message} message which it was read from
 */

/** A line across the story: something happened to the connection. @typedef {{note: string}} Note */

const BRIDGE = "bridge";
const CONTROL = "control";

/** Reads messages and tells what they mean: who says what to whom. */
export class Storyteller {
  #threads;
  #parties = new Parties();
  #asked = new Asked();
  #news = new News();
  /** `Accepted` that came before its message. @type {Message | undefined} */
  #accepted;
  #extension = "";
  #own = "widget:this page";
  #seen = 0;
  #epoch = "";
  #isNew = false;

  /** @param {Threads} threads */
  constructor(threads = new Threads()) {
    this.#threads = threads;
  }

  /** @returns {string} lane of the page itself */
  get own() {
    return this.#own;
  }

  /** @param {any} opened body of `Opened` */
  open({ identity }) {
    this.#own = `widget:${identity.app}`;
    this.#extension = identity.extension ?? this.#extension;
    this.#isNew = true;
  }

  /**
   * @param {Message} message
   * @param {Via} via
   * @returns {(Step | Note)[]} what it adds to the story
   */
  take(message, via) {
    if (message.offset === undefined) {
      return this.#control(message);
    }
    if (message.offset <= this.#seen) {
      return []; // of a snapshot, what was told already
    }
    this.#seen = message.offset;
    return via === "snapshot" ? this.#stands(message) : [...this.#acceptedBefore(message), ...this.#happens(message)];
  }

  /** @param {Message} message beside the stream */
  #control(message) {
    switch (addressOf(message)) {
      case "Bridge/Session/Opened":
        this.open(message.data);
        return [];
      case "Bridge/Subscription/Subscribed":
        return this.#subscribed(message.data);
      case "Bridge/Message/Accepted":
        return this.#hold(message);
      case "Bridge/Message/Rejected":
        return this.#rejected(message);
      default:
        return [];
    }
  }

  /** @param {any} reply body of `Subscribed` */
  #subscribed({ epoch, recovered, messages = [] }) {
    const isAgain = this.#epoch !== "";
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#seen = 0;
      this.#asked.clear();
    }
    if (!this.#isNew) {
      return [];
    }
    this.#isNew = false;
    if (recovered) {
      return [{ note: `Connected again: ${messages.length} missed messages follow` }];
    }
    this.#parties.reset();
    this.#news.reset();
    return [{ note: isAgain ? "Connected again, but too much was missed: this is how things stand" : "Connected: this is how things stand" }];
  }

  /**
   * The reply comes before the message itself, but the story tells the question first. Where the message does not come
   * (it came before, or nobody may see it), the reply is told with the next.
   *
   * @param {Message} accepted
   */
  #hold(accepted) {
    const before = this.#acceptedBefore(undefined);
    if (accepted.data.duplicate) {
      return [...before, this.#reply(accepted, "known already", "")];
    }
    this.#accepted = accepted;
    return before;
  }

  /**
   * @param {Message | undefined} message that comes now
   * @returns {Step[]}
   */
  #acceptedBefore(message) {
    const held = this.#accepted;
    if (!held || held.correlationId === message?.id) {
      return []; // told in its place, after its message
    }
    this.#accepted = undefined;
    return [this.#reply(held, "accepted", "")];
  }

  /** @param {Message} rejected */
  #rejected(rejected) {
    const { address = "", code } = rejected.data;
    const [channel = "", , subtopic = "a message"] = address.split("/");
    const ask = { ...this.#step(this.#own, BRIDGE, rejected), label: channel === "Bridge" ? subtopic : commandWords(subtopic, undefined) };
    return [...this.#acceptedBefore(undefined), { ...ask, kind: /** @type {const} */ ("ask") }, this.#reply(rejected, `refused: ${code}`, "bad")];
  }

  /**
   * @param {Message} reply
   * @param {string} label
   * @param {"" | "good" | "bad"} tone
   * @returns {Step}
   */
  #reply(reply, label, tone) {
    return { ...this.#step(BRIDGE, this.#own, reply), kind: "reply", label, tone };
  }

  /** @param {Message} message out of a snapshot: nobody asked for it now */
  #stands(message) {
    if (isCallEvent(message)) {
      this.#parties.take(message.data.call, this.#extension, "");
    }
    return message.source === "workspace-bridge" ? this.#tidings(message).map((step) => ({ ...step, thread: 0 })) : [];
  }

  /** @param {Message} message of the stream */
  #happens(message) {
    const { channel, topic, source = "" } = message;
    if (channel === "Bridge" && topic === "Command") {
      return this.#outcome(message);
    }
    if (source === "workspace-bridge") {
      return [...this.#deeds(message), ...this.#tidings(message)];
    }
    const widget = `widget:${source}`;
    const isCommand = channel === "Cisco" || channel === "Simulator";
    return isCommand ? this.#command(message, widget) : this.#published(message, widget);
  }

  /**
   * @param {Message} message
   * @param {string} widget
   */
  #command(message, widget) {
    const label = commandWords(message.subtopic, message.data);
    this.#asked.add(message, widget);
    const step = { ...this.#step(widget, BRIDGE, message), kind: /** @type {const} */ ("ask"), label };
    return [step, ...this.#itsReply(widget), { ...step, from: BRIDGE, to: CONTROL }];
  }

  /**
   * @param {Message} message on a channel of the widgets' own
   * @param {string} widget
   */
  #published(message, widget) {
    const label = `${message.channel}: ${message.subtopic}`;
    const step = { ...this.#step(widget, BRIDGE, message), label, toAll: true };
    return [step, ...this.#itsReply(widget)];
  }

  /** @param {string} widget which gets it: this page, or a gadget for which it speaks */
  #itsReply(widget) {
    const held = this.#accepted;
    this.#accepted = undefined;
    return held ? [{ ...this.#reply(held, "accepted", ""), to: widget }] : [];
  }

  /** @param {Message} message */
  #outcome(message) {
    const widget = this.#asked.widget(message) ?? this.#own;
    const tone = message.subtopic === "Completed" ? /** @type {const} */ ("good") : /** @type {const} */ ("bad");
    return [{ ...this.#step(BRIDGE, widget, message), kind: /** @type {const} */ ("reply"), label: outcomeWords(message), tone }];
  }

  /**
   * @param {Message} message from the bridge
   * @returns {Step[]} what the parties did that it tells of
   */
  #deeds(message) {
    if (!isCallEvent(message)) {
      return [];
    }
    return this.#parties.take(message.data.call, this.#extension, this.#asked.forAgent(message)).map(({ party, isTheirs, words }) => {
      const lane = `party:${party}`;
      return { ...this.#step(isTheirs ? lane : CONTROL, isTheirs ? CONTROL : lane, message), label: words };
    });
  }

  /**
   * @param {Message} message from the bridge
   * @returns {Step[]}
   */
  #tidings(message) {
    if (message.subtopic === "SetAgentState") {
      this.#extension = message.data.extension ?? this.#extension;
    }
    return [{ ...this.#step(CONTROL, this.#own, message), label: this.#news.words(message, this.#extension, this.#asked.forAgent(message)), toAll: true }];
  }

  /**
   * @param {string} from
   * @param {string} to
   * @param {Message} message
   * @returns {Step}
   */
  #step(from, to, message) {
    return { from, to, message, toAll: false, label: "", kind: "tell", tone: "", thread: this.#threads.of(message) };
  }
}

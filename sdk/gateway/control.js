import { addressOf, compose } from "./bridge.js";
import { isId } from "./ids.js";
import { isObject } from "./json.js";
import { PATTERNS } from "./listening.js";
import { parsePattern, patternText } from "./pattern.js";
import { RULE, checkAlive, checkReachable, notPermitted, tooMuch, unavailable, wrongFields } from "./refusal.js";

/** @typedef {import("./envelope.js").Sent} Sent */
/** @typedef {import("./gadget.js").Gadget} Gadget */
/** @typedef {import("./pattern.js").Pattern} Pattern */

const MOST_TEXTS = 3 * PATTERNS;

/** What a gadget says to the gateway itself, in channel `Bridge`: all that it may say there is in this table. */
export class Control {
  #bridge;
  #spend;
  #frames;
  #messageBytes;
  /** @type {Record<string, (gadget: Gadget, message: Sent) => void | Promise<void>>} */
  #handlers = {
    "Bridge/Gateway/Hello": (gadget, message) => this.#hello(gadget, message),
    "Bridge/Subscription/Subscribe": (gadget, message) => this.#subscribe(gadget, message),
    "Bridge/Subscription/Unsubscribe": (gadget, message) => this.#unsubscribe(gadget, message),
    "Bridge/Command/Status": (gadget, message) => this.#status(gadget, message),
    "Bridge/Policy/Explain": (gadget, message) => this.#explain(gadget, message),
  };

  /**
   * @param {import("./bridge.js").Bridge} bridge
   * @param {() => void} spend takes one message from the session's rate, or throws
   * @param {import("./frames.js").Frames} frames
   * @param {number} messageBytes
   */
  constructor(bridge, spend, frames, messageBytes) {
    this.#bridge = bridge;
    this.#spend = spend;
    this.#frames = frames;
    this.#messageBytes = messageBytes;
  }

  /**
   * @param {Gadget} gadget
   * @param {Sent} message
   */
  async take(gadget, message) {
    const address = addressOf(message);
    if (!Object.hasOwn(this.#handlers, address)) {
      throw notPermitted(`send ${address}`);
    }
    await this.#handlers[address](gadget, message);
  }

  /**
   * A first packet registers, as the documented family has it: with the channel that it names.
   *
   * @param {Gadget} gadget
   * @param {string} channel
   */
  register(gadget, channel) {
    gadget.answer(compose("Bridge/Gateway/Welcome", this.#welcome(gadget)));
    const granted = gadget.listed.grantedOf(channel);
    if (granted.length) {
      this.#join(gadget, granted, {});
    }
  }

  /**
   * @param {Gadget} gadget
   * @param {Sent} message
   */
  #hello(gadget, { id }) {
    const { window } = gadget;
    if (!this.#frames.isWatched(window)) {
      throw unavailable("no port for a frame within a shadow tree, which cannot be watched; go on without", false);
    }
    const welcome = () => compose("Bridge/Gateway/Welcome", this.#welcome(gadget), id);
    gadget.door.greet(welcome, this.#frames.hasLoaded(window));
  }

  /** @param {Gadget} gadget */
  #welcome({ listed: { grant } }) {
    const extension = this.#bridge.opened?.identity?.extension;
    return {
      app: grant.app,
      ...(extension ? { extension } : {}),
      publish: grant.publish.map(patternText),
      subscribe: grant.subscribe.map(patternText),
      limits: { messageBytes: this.#messageBytes, messagesPerSecond: grant.messagesPerSecond, subscriptions: PATTERNS },
    };
  }

  /**
   * @param {Gadget} gadget
   * @param {Sent} message
   */
  #subscribe(gadget, { data, id }) {
    const patterns = readPatterns(data);
    for (const pattern of patterns) {
      if (!gadget.listed.maySubscribe(pattern)) {
        throw notPermitted(`subscribe to ${patternText(pattern)}`);
      }
    }
    checkAlive(this.#bridge);
    this.#spend();
    this.#join(gadget, patterns, { id, recover: data.recover });
    if (typeof data.echo === "boolean") {
      gadget.listening.echo = data.echo;
    }
  }

  /**
   * What was missed before is not kept here, so `recover` is answered with the snapshot.
   *
   * @param {Gadget} gadget
   * @param {Pattern[]} patterns
   * @param {{id?: string, recover?: unknown}} asked
   */
  #join(gadget, patterns, { id, recover }) {
    const more = recover === undefined || recover === null ? {} : { recovered: false, messages: [] };
    gadget.listening.add(
      patterns,
      (snapshot) => gadget.answer(compose("Bridge/Subscription/Subscribed", { ...snapshot, ...more }, id)),
      (error) => gadget.refuse(error, { id }),
    );
  }

  /**
   * @param {Gadget} gadget
   * @param {Sent} message
   */
  #unsubscribe(gadget, { data, id }) {
    const patterns = readPatterns(data).map(patternText);
    gadget.listening.remove(patterns);
    gadget.listed.rest();
    gadget.answer(compose("Bridge/Subscription/Unsubscribed", { patterns }, id));
  }

  /**
   * @param {Gadget} gadget
   * @param {Sent} message
   */
  async #status(gadget, { data, id }) {
    if (!isId(data?.id)) {
      throw wrongData("/data/id", "id must be that of a command: 1 to 64 printable ASCII characters");
    }
    const asked = gadget.listed.ids.toBus(data.id); // another gadget's id cannot be named at all
    const { outcome, ...body } = await this.#ask("Bridge/Command/Status", { id: asked });
    const known = outcome ? { outcome: gadget.listed.ids.inMessage(outcome) } : {};
    gadget.answer(compose("Bridge/Command/Status", { ...body, ...known }, id));
  }

  /**
   * Two decide: the gateway for the gadget, and then the bridge for the session that all gadgets share.
   *
   * @param {Gadget} gadget
   * @param {Sent} message
   */
  async #explain(gadget, { data, id }) {
    const pattern = parsePattern(data?.address);
    const publish = data?.action === "publish";
    if (!pattern || (publish && data.address.split("/").length !== 3) || !(publish || data.action === "subscribe")) {
      throw wrongData("/data", "give an action, publish or subscribe, and an address");
    }
    const [channel, topic, subtopic] = pattern;
    const { listed } = gadget;
    let body = { allowed: false, rule: RULE, tried: [RULE] };
    if (publish ? listed.mayPublish({ channel, topic, subtopic }) : listed.maySubscribe(pattern)) {
      const told = await this.#ask("Bridge/Policy/Explain", { action: data.action, address: data.address });
      body = { ...told, tried: [RULE, ...told.tried] };
    }
    gadget.answer(compose("Bridge/Policy/Explained", body, id));
  }

  /**
   * @param {string} address
   * @param {any} data
   */
  async #ask(address, data) {
    checkReachable(this.#bridge);
    this.#spend();
    const reply = await this.#bridge.request(compose(address, data));
    return reply.data;
  }
}

/**
 * @param {any} data of Subscribe or Unsubscribe
 * @returns {Pattern[]} each once
 */
function readPatterns(data) {
  const texts = isObject(data) ? data.patterns : undefined;
  if (!Array.isArray(texts) || !texts.length) {
    throw wrongData("/data/patterns", 'patterns must be a list such as ["Cisco/InboundCall"]');
  }
  if (texts.length > MOST_TEXTS) {
    throw tooMuch(`${PATTERNS} patterns`, PATTERNS);
  }
  /** @type {Map<string, Pattern>} */
  const read = new Map();
  texts.forEach((text, place) => {
    const pattern = parsePattern(text);
    if (!pattern) {
      throw wrongData(`/data/patterns/${place}`, "a pattern has one to three segments, such as Cisco/*/SetHOLD");
    }
    read.set(patternText(pattern), pattern);
  });
  return [...read.values()];
}

/**
 * @param {string} pointer
 * @param {string} message
 */
const wrongData = (pointer, message) => wrongFields([{ pointer, code: "wrong_format", message }], "invalid_data");

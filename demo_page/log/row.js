import { gist } from "../bus/gist.js";
import { addressOf } from "../bus/message.js";
import { colourOf, threadId } from "../bus/threads.js";
import { element } from "../dom.js";

/** @typedef {import("../bus/message.js").Message} Message */

/**
 * How a message came: live, recovered after a reconnect, out of the snapshot, beside the stream (`control`), or out of
 * a file.
 *
 * @typedef {"live" | "recovered" | "snapshot" | "control" | "file"} Way
 */

const TIME = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});

/** Of all lines of the log, in the order in which they were made. */
let lines = 0;

/** One message in the log. It is kept as its JSON, which is small to keep and quick to search in. */
export class Row {
  number = ++lines;
  isOpen = false;
  /** What an open row is higher than a closed one, in pixels, once it was seen. */
  extra = 0;
  json;
  channel;
  topic;
  subtopic;
  #how;
  #arrived;

  /**
   * @param {Message} message
   * @param {{way: Way, own: boolean, thread: number}} how `thread` is its number, 0 for none
   */
  constructor(message, how) {
    ({ channel: this.channel, topic: this.topic, subtopic: this.subtopic } = message);
    this.json = JSON.stringify(message);
    this.#how = how;
    this.#arrived = how.way === "file" ? undefined : new Date();
  }

  get size() {
    return this.json.length;
  }

  /**
   * @param {(thread: string) => void} follow is called to see only the messages of a thread
   * @returns {HTMLLIElement}
   */
  make(follow) {
    /** @type {Message} */
    const message = JSON.parse(this.json);
    const details = element("details", { open: this.isOpen }, this.#summary(message));
    if (this.isOpen) {
      details.append(body(message, follow));
    }
    return element("li", {
      class: `thread-${colourOf(this.#how.thread)} ${this.#how.way}`,
      "data-offset": message.offset ?? "",
      "data-address": addressOf(message),
      "data-tone": toneOf(message),
    }, details);
  }

  /**
   * It was opened or closed: open, it has the whole message behind the line.
   *
   * @param {HTMLDetailsElement} details of its element
   * @param {(thread: string) => void} follow
   */
  fold(details, follow) {
    this.isOpen = details.open;
    if (this.isOpen && details.children.length === 1) {
      details.append(body(JSON.parse(this.json), follow));
    }
  }

  /** @param {Message} message */
  #summary(message) {
    const { channel, topic, subtopic, source, offset, correlationId, id } = message;
    const time = message.time ? new Date(message.time) : this.#arrived;
    const { thread } = this.#how;
    return element("summary", { tabindex: -1 },
      time ? element("time", { datetime: time.toISOString() }, TIME.format(time)) : element("span"),
      element("span", { class: "offset" }, offset === undefined ? "" : String(offset)),
      element("span", { class: "address" }, element("span", {}, `${channel}/${topic}/`), element("b", {}, subtopic)),
      element("span", { class: "thread", title: correlationId ? `correlationId ${correlationId}` : `id ${id ?? ""}` },
        correlationId ? "↳ " : "", thread ? `#${thread}` : ""),
      element("span", { class: "gist" }, element("span", { class: "source" }, this.#origin(source)), " ", gist(message)));
  }

  /** @param {string | undefined} source */
  #origin(source) {
    const { way, own } = this.#how;
    const name = source ?? "reply";
    return `${own ? "→ " : ""}${name}${way === "snapshot" || way === "recovered" ? ` (${way})` : ""}`;
  }
}

/** A line across the log: something happened to the connection. */
export class Divider {
  number = ++lines;
  isOpen = false;
  extra = 0;
  size = 0;
  #text;

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  /** There is nothing behind it. */
  fold() {}

  /** @returns {HTMLLIElement} */
  make() {
    return element("li", { class: "divider" }, this.#text);
  }
}

/**
 * @param {Message} message
 * @param {(thread: string) => void} follow
 */
function body(message, follow) {
  const thread = threadId(message);
  const whole = element("div", { class: "body" }, element("pre", { tabindex: 0 }, JSON.stringify(message, null, 2)));
  if (thread !== undefined) {
    whole.prepend(element("button", { type: "button", class: "small", click: () => follow(thread) }, "Only this thread"));
  }
  return whole;
}

/** @param {Message} message */
function toneOf({ channel, topic, subtopic }) {
  if (subtopic === "Rejected" || subtopic === "SetAPIError" || ["Failed", "TimedOut"].includes(subtopic)) {
    return "bad";
  }
  if (channel === "Bridge") {
    return topic === "Command" ? "good" : "quiet";
  }
  return "";
}

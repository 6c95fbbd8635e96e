import { element } from "./dom.js";
import { gist } from "./gist.js";
import { addressOf } from "./message.js";

/** @typedef {import("./message.js").Message} Message */

/**
 * How a message came: live, recovered after a reconnect, out of the snapshot, or beside the stream (`control`).
 *
 * @typedef {"live" | "recovered" | "snapshot" | "control"} Way
 */

const TIME = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});

/** One line of the log, and behind it the whole message. Both are made when they are looked at first. */
export class Row {
  message;
  #way;
  #own;
  #thread;
  #arrived = new Date();
  #text = "";
  /** @type {HTMLLIElement | undefined} */
  #element;

  /**
   * @param {Message} message
   * @param {{way: Way, own: boolean, thread: number}} how `thread` is the number of its colour, 0 for none
   */
  constructor(message, { way, own, thread }) {
    this.message = message;
    this.#way = way;
    this.#own = own;
    this.#thread = thread;
  }

  /** @returns {string} everything in it, in lower case, to search in */
  get text() {
    this.#text ||= JSON.stringify(this.message).toLowerCase();
    return this.#text;
  }

  get element() {
    this.#element ??= this.#make();
    return this.#element;
  }

  #make() {
    const { message } = this;
    const { channel, topic, subtopic, source, offset, correlationId, id } = message;
    const time = message.time ? new Date(message.time) : this.#arrived;
    const thread = correlationId ?? id ?? "";
    const summary = element("summary", {},
      element("time", { datetime: time.toISOString() }, TIME.format(time)),
      element("span", { class: "offset" }, offset === undefined ? "" : String(offset)),
      element("span", { class: "address" }, element("span", {}, `${channel}/${topic}/`), element("b", {}, subtopic)),
      element("span", { class: "thread", title: correlationId ? `correlationId ${thread}` : `id ${thread}` },
        correlationId ? "↳ " : "", thread.slice(0, 6)),
      element("span", { class: "gist" }, element("span", { class: "source" }, this.#origin(source)), " ", gist(message)));
    return element("li", {
      class: `thread-${this.#thread} ${this.#way}`,
      "data-offset": offset ?? "",
      "data-address": addressOf(message),
      "data-tone": toneOf(message),
    }, element("details", {}, summary));
  }

  /** @param {string | undefined} source */
  #origin(source) {
    const name = source ?? "reply";
    const mark = this.#own ? "→ " : "";
    return this.#way === "live" || this.#way === "control" ? `${mark}${name}` : `${mark}${name} (${this.#way})`;
  }

  /**
   * Put the whole message behind the line.
   *
   * @param {(thread: string) => void} follow is called to see only the messages of a thread
   */
  expand(follow) {
    const [details] = this.element.children;
    if (details.children.length > 1) {
      return;
    }
    const thread = this.message.correlationId ?? this.message.id;
    const body = element("div", { class: "body" }, element("pre", { tabindex: 0 }, JSON.stringify(this.message, null, 2)));
    if (thread) {
      body.prepend(element("button", { type: "button", class: "small", click: () => follow(thread) }, "Only this thread"));
    }
    details.append(body);
  }
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

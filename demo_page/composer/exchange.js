import { gist } from "../bus/gist.js";
import { addressOf } from "../bus/message.js";
import { element, show } from "../dom.js";

/** @typedef {import("../bus/message.js").Message} Message */

/** @typedef {"sending" | "accepted" | "done" | "answered" | "refused" | "failed" | "timed out" | "not sent" | "unknown"} Stage */

const EVENTS = 50;

/** @type {Record<string, Stage>} */
const ENDS = { failed: "failed", timed_out: "timed out", offline: "not sent", not_sent: "not sent", unknown: "unknown", closed: "unknown" };

/** One message that was sent, with its reply, the events that it caused, and its outcome, as they come. */
export class Exchange {
  #stage = element("span", { class: "stage", role: "status" });
  #came = element("ol", { class: "came" });
  #more = element("p", { class: "field-note", hidden: true });
  #reason = element("p", { class: "reason", hidden: true });
  #count = 0;

  /**
   * @param {any} message as it was sent
   * @param {{again: () => void, edit: () => void}} actions
   */
  constructor(message, { again, edit }) {
    const sent = JSON.stringify(message, null, 2);
    this.element = element("li", { class: "exchange" },
      element("header", {},
        element("b", {}, addressOf(message)), this.#stage,
        element("span", { class: "buttons" },
          element("button", { type: "button", class: "small", click: again, title: "The same message with a new id" }, "Send again"),
          element("button", { type: "button", class: "small", click: edit }, "Edit"))),
      fold("Sent", sent), this.#reason, this.#came, this.#more);
    this.stage = "sending";
  }

  /** @returns {boolean} whether nothing has come of it yet */
  get isUnanswered() {
    return this.element.dataset.stage === "sending";
  }

  /** @returns {boolean} */
  get isRefused() {
    return this.element.dataset.stage === "refused";
  }

  /** @param {Stage} stage */
  set stage(stage) {
    show(this.#stage, stage);
    this.element.dataset.stage = stage;
  }

  /** @returns {string} why it ended as it did, empty where it went well */
  get reason() {
    return this.#reason.textContent ?? "";
  }

  /** @param {Message} message that came because of it */
  add(message) {
    this.#count += 1;
    if (this.#count > EVENTS) {
      this.#more.hidden = false;
      this.#more.textContent = `and ${this.#count - EVENTS} more, see the messages`;
    } else {
      const text = JSON.stringify(message, null, 2);
      this.#came.append(element("li", { "data-address": addressOf(message) }, fold(`${message.topic}/${message.subtopic}`, text, gist(message))));
    }
  }

  /** @param {{code: string | number, message: string}} error */
  fail({ code, message }) {
    this.stage = code ? ENDS[code] ?? "refused" : "not sent";
    this.#reason.hidden = false;
    this.#reason.textContent = !code || message.startsWith(`${code}: `) ? message : `${code}: ${message}`;
  }
}

/**
 * @param {string} title
 * @param {string} json
 * @param {string} [words]
 */
function fold(title, json, words = "") {
  return element("details", {}, element("summary", {}, element("b", {}, title), " ", element("span", {}, words)),
    element("pre", { tabindex: 0 }, json));
}

import { addressOf } from "../bus/message.js";
import { threads } from "../bus/threads.js";
import { element, show } from "../dom.js";
import { KEPT, sentence, StoryList } from "./list.js";
import { Storyteller } from "./teller.js";

/** @typedef {import("./teller.js").Step} Step */
/** @typedef {import("./teller.js").Note} Note */

/** A live sequence diagram: who says what to whom, with a command and all that it caused in one colour and number. */
export class Story {
  #teller = new Storyteller(threads);
  /** Happened, and is not shown yet. @type {(Step | Note)[]} */
  #waiting = [];
  #paused = false;
  #frame = 0;
  #list = new StoryList((step) => this.#show(step));
  #count = element("p", { class: "note", role: "status" });
  #pause = element("button", { type: "button", class: "small", "aria-pressed": "false", click: () => this.#togglePause() }, "Pause");
  #detail = element("div", { class: "story-detail", role: "region", "aria-label": "The message behind the arrow", hidden: true });

  /**
   * @param {HTMLElement} panel
   * @param {import("../../sdk/workspace-bridge.js").Bridge} bridge
   */
  constructor(panel, bridge) {
    panel.querySelector("header")?.append(element("div", { class: "buttons" }, this.#count, this.#pause,
      element("button", { type: "button", class: "small", click: () => this.#clear() }, "Clear")));
    panel.append(legend(), this.#list.element, this.#detail);
    panel.addEventListener("keydown", ({ key }) => key === "Escape" && this.#hide());
    if (bridge.opened) {
      this.#teller.open(bridge.opened);
    }
    this.#listen(bridge);
    this.#queue([]);
  }

  /** @param {import("../../sdk/workspace-bridge.js").Bridge} bridge */
  #listen(bridge) {
    bridge.addEventListener("message", ({ detail: { message, via } }) => this.#queue(this.#teller.take(message, via)));
    let wasOpen = bridge.state === "open";
    bridge.addEventListener("state", ({ detail: { state, reason } }) => {
      this.#queue(wasOpen && state !== "open" ? [{ note: `The line ended: ${reason}` }] : []);
      wasOpen = state === "open";
    });
  }

  /** @param {(Step | Note)[]} entries */
  #queue(entries) {
    this.#waiting.push(...entries);
    this.#waiting.splice(0, Math.max(0, this.#waiting.length - KEPT)); // the list would not keep them either
    this.#frame ||= requestAnimationFrame(() => this.#flush());
  }

  #flush() {
    this.#frame = 0;
    if (!this.#paused) {
      this.#list.add(this.#waiting, this.#teller.own);
      this.#waiting = [];
    }
    show(this.#count, this.#paused && this.#waiting.length ? `${this.#waiting.length} waiting` : "");
  }

  #togglePause() {
    this.#paused = !this.#paused;
    this.#pause.setAttribute("aria-pressed", String(this.#paused));
    show(this.#pause, this.#paused ? "Resume" : "Pause");
    this.#queue([]);
  }

  #clear() {
    this.#waiting = [];
    this.#list.clear();
    this.#hide();
  }

  /** @param {Step} step */
  #show(step) {
    this.#detail.replaceChildren(
      element("header", {}, element("p", {}, element("b", {}, sentence(step)), " ", element("code", {}, addressOf(step.message))),
        element("button", { type: "button", class: "small", click: () => this.#hide() }, "Close")),
      element("pre", { tabindex: 0 }, JSON.stringify(step.message, null, 2)));
    this.#detail.hidden = false;
    this.#list.mark(step);
  }

  #hide() {
    this.#detail.hidden = true;
    this.#list.mark(undefined);
  }
}

function legend() {
  return element("p", { class: "note legend" },
    "A number and a colour are one command: who gave it, whether it was accepted, all that it caused, and its outcome. ",
    "Grey is what nobody asked for; dashed are answers. Point at an arrow to see its thread, click it to see its message.");
}

import { Calls, isCallEvent } from "../bus/calls.js";
import { addressOf } from "../bus/message.js";
import { element, words } from "../dom.js";
import { Catalogue } from "./catalogue.js";
import { Editor, pretty } from "./editor.js";
import { Picker } from "./picker.js";
import { completed, DOCUMENTED } from "./samples.js";
import { blank, FREE } from "./schema.js";
import { Sender } from "./sender.js";

/** @typedef {import("./catalogue.js").Entry} Entry */
/** @typedef {import("./editor.js").Remark} Remark */

const FIRST = "Cisco/InboundCall/SetCONSULT";

/** Any message by hand: chosen from the catalogue or freely, written in a form or as JSON, and what came of it. */
export class Composer {
  #bridge;
  #calls = new Calls();
  #catalogue = new Catalogue([]);
  #picker = new Picker((entry) => this.#begin(entry));
  #summary = element("p", { class: "note" });
  #remarks = element("ul", { class: "remarks", "aria-label": "What the bridge said", "aria-live": "polite" });
  #editor = new Editor({
    find: (address) => this.#catalogue.find(address),
    fieldOf: (entry) => this.#fieldOf(entry),
    shown: (address, entry) => this.#shown(address, entry),
  });
  #sender;
  /** What the form is of. @type {Entry | undefined} */
  #entry;

  /**
   * @param {HTMLElement} panel
   * @param {import("../../sdk/workspace-bridge.js").Bridge} bridge
   */
  constructor(panel, bridge) {
    this.#bridge = bridge;
    this.#sender = new Sender(bridge, {
      isCommand: (message) => this.#catalogue.find(addressOf(message))?.kind === "command",
      edit: (message) => this.#editor.write(pretty(message)),
      told: (remarks) => this.#tell(remarks),
    });
    bridge.addEventListener("message", ({ detail: { message } }) => isCallEvent(message) && this.#calls.take(message));
    panel.append(this.#layout());
    this.#load();
  }

  #layout() {
    return element("form", { class: "composer", novalidate: true, submit: (event) => this.#submit(event) },
      element("div", { class: "composer-top" }, this.#picker.element,
        element("div", { class: "buttons", role: "group", "aria-label": "Samples" },
          button("Example", () => this.#writeExample()),
          button("Documented sample", () => this.#write(DOCUMENTED)),
          button("Sample, completed", () => this.#write(completed(this.#extension, this.#call("SetCONSULT")))))),
      this.#summary, this.#remarks, this.#editor.element, this.#sender.element);
  }

  async #load() {
    try {
      this.#catalogue = await Catalogue.load();
      this.#picker.entries = this.#catalogue.entries;
      if (this.#editor.isEmpty) {
        await this.#begin(this.#catalogue.find(FIRST));
      }
    } catch (error) {
      this.#tell([{ tone: "bad", pointer: "", text: `The catalogue could not be loaded (${error}). JSON can be sent all the same.` }]);
    }
  }

  get #extension() {
    return this.#bridge.opened?.identity.extension ?? "";
  }

  /**
   * @param {string} action
   * @returns {string} id of a call that allows it, else of the newest, else empty
   */
  #call(action) {
    const all = this.#calls.all;
    return (all.find((call) => call.actions.includes(action)) ?? all.at(-1))?.id ?? "";
  }

  /** @param {Entry | undefined} entry to write anew, `undefined` for a free address */
  async #begin(entry) {
    const field = (entry && (await this.#fieldOf(entry))) ?? FREE;
    const [channel, topic, subtopic] = entry?.address.split("/") ?? ["", "", ""];
    /** @type {Record<string, string>} */
    const known = { MediaAddress: this.#extension, CallID: this.#call(subtopic) };
    const { data } = blank(field, (name) => known[name] || undefined);
    this.#write(pretty({ channel, topic, subtopic, data }));
  }

  /** @param {Entry} entry */
  async #fieldOf(entry) {
    try {
      return (await this.#catalogue.schema(entry)).field;
    } catch {
      this.#tell([{ tone: "bad", pointer: "", text: `The schema of ${entry.address} could not be loaded. JSON can be sent all the same.` }]);
      return undefined;
    }
  }

  async #writeExample() {
    const entry = this.#entry;
    if (entry) {
      const { id: _, ...example } = (await this.#catalogue.schema(entry)).example;
      this.#write(pretty(example));
    }
  }

  /** @param {string} json */
  #write(json) {
    this.#tell([]);
    this.#editor.write(json);
  }

  /**
   * @param {string} address
   * @param {Entry | undefined} entry
   */
  #shown(address, entry) {
    this.#entry = entry;
    this.#picker.show(address);
    const isOwn = /^Bridge\/(Session|Subscription)\//.test(address);
    this.#summary.replaceChildren(...words(entry?.summary ?? "This address is not in the catalogue: its data are free."),
      isOwn ? " It is about this page’s own session: afterwards the page may hear less, or have to connect again." : "");
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const message = this.#editor.read();
    if (message) {
      this.#sender.send(message);
    } else {
      this.#editor.focus();
    }
  }

  /** @param {Remark[]} remarks */
  #tell(remarks) {
    this.#editor.clear();
    const others = this.#editor.mark(remarks);
    this.#remarks.replaceChildren(...others.map(({ tone, text, pointer }) =>
      element("li", { "data-tone": tone }, pointer && element("code", {}, pointer), pointer && " ", text)));
  }
}

/**
 * @param {string} label
 * @param {() => void} click
 */
function button(label, click) {
  return element("button", { type: "button", class: "small", click }, label);
}

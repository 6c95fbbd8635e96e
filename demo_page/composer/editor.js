import { element } from "../dom.js";
import { controlOf } from "./controls.js";
import { at, changed, isObject, pathOf } from "./draft.js";
import { JsonFault, parse } from "./json.js";
import { FREE } from "./schema.js";

/** @typedef {import("./catalogue.js").Entry} Entry */
/** @typedef {import("./controls.js").Control} Control */
/** @typedef {import("./schema.js").Field} Field */

/**
 * @typedef {object} Remark what the bridge says of a message
 * @property {"bad" | "warn"} tone
 * @property {string} text
 * @property {string} pointer to what it is about, empty for the whole
 */

/**
 * @typedef {object} Source where the fields of an address come from
 * @property {(address: string) => Entry | undefined} find
 * @property {(entry: Entry) => Promise<Field | undefined>} fieldOf
 * @property {(address: string, entry: Entry | undefined) => void} shown is told of which address the form is now
 */

/**
 * A message as JSON and as a form, each in step with the other. The JSON is what counts; the form writes into it. Its
 * button submits the form that it stands in.
 */
export class Editor {
  #source;
  #place = element("div", { class: "form" });
  #raw = element("textarea", { id: "composer-json", rows: 12, spellcheck: "false", "aria-describedby": "composer-fault" });
  #fault = element("p", { id: "composer-fault", class: "fault", role: "status" });
  /** Of which catalogued address the form is, empty for another; `undefined`: there is none yet. @type {string | undefined} */
  #address;
  /** @type {Control | undefined} */
  #form;

  /** @param {Source} source */
  constructor(source) {
    this.#source = source;
    this.#raw.addEventListener("input", () => this.read());
    this.element = element("div", { class: "composer-sides" }, this.#place,
      element("div", { class: "json" }, element("label", { for: "composer-json" }, "JSON, as it is sent"), this.#raw, this.#fault,
        element("div", { class: "buttons" }, element("button", { class: "primary" }, "Send"),
          element("button", { type: "button", click: () => this.tidy() }, "Tidy"))));
  }

  get isEmpty() {
    return this.#raw.value === "";
  }

  /** @param {string} json */
  write(json) {
    this.#raw.value = json;
    this.clear();
    this.read();
  }

  /** Lay the JSON out anew. */
  tidy() {
    const message = this.read();
    if (message) {
      this.#raw.value = pretty(message);
    }
  }

  /** @returns {any} the message that the JSON is, `undefined` where it is none, which is then said beside it */
  read() {
    try {
      const { value, doubled } = this.#parse();
      this.#fault.textContent = doubled.length ? `${doubled.join(", ")} stands twice: only the last one is sent.` : "";
      this.#place.inert = false;
      this.#fit(value);
      return value;
    } catch (error) {
      const { line, column, message } = /** @type {JsonFault} */ (error);
      this.#fault.textContent = `Line ${line}, column ${column}: ${message}. Until this is mended, nothing can be sent.`;
      this.#place.inert = true;
      this.#form ?? this.#fit({});
      return undefined;
    }
  }

  #parse() {
    const { value, doubled } = parse(this.#raw.value);
    if (!isObject(value)) {
      throw new JsonFault("a message is one JSON object", this.#raw.value, 0);
    }
    return { value, doubled };
  }

  /**
   * Show a message in the form that belongs to it.
   *
   * @param {any} message
   */
  async #fit(message) {
    const address = ["channel", "topic", "subtopic"].map((part) => at(message, part) ?? "").join("/");
    const entry = this.#source.find(address);
    this.#source.shown(entry?.address ?? address, entry);
    if (this.#address === (entry?.address ?? "")) {
      this.#form?.set(message);
      return;
    }
    this.#address = entry?.address ?? "";
    const field = (entry && (await this.#source.fieldOf(entry))) ?? FREE;
    if (this.#address === (entry?.address ?? "")) {
      this.#form = controlOf(withEnvelopeLast(field), [], (path, value) => this.#edit(path, value));
      this.#place.replaceChildren(this.#form.element);
      this.read();
    }
  }

  /**
   * @param {readonly string[]} path
   * @param {unknown} value
   */
  #edit(path, value) {
    this.#raw.value = pretty(changed(this.#parse().value, path, value)); // it parses: else the form is inert
    this.read();
  }

  /** Bring the focus to what is to be mended. */
  focus() {
    this.#raw.focus();
  }

  /**
   * Show remarks at the fields that they point to.
   *
   * @param {Remark[]} remarks
   * @returns {Remark[]} those that belong to no field
   */
  mark(remarks) {
    return remarks.filter((remark) => {
      const control = remark.pointer ? this.#form?.find(pathOf(remark.pointer)) : undefined;
      control?.mark(remark);
      return !control;
    });
  }

  /** Take the marks away. */
  clear() {
    this.#form?.clear();
  }
}

/** @param {unknown} message */
export function pretty(message) {
  return JSON.stringify(message, null, 2);
}

/**
 * @param {Field} field of a message
 * @returns {Field} without the address, which is chosen above the form, and with the envelope below the data
 */
function withEnvelopeLast(field) {
  const isEnvelope = (/** @type {Field} */ { name }) => Number(name === "id" || name === "source");
  const fields = field.fields.filter(({ kind }) => kind !== "constant");
  return { ...field, fields: fields.sort((one, other) => isEnvelope(one) - isEnvelope(other)) };
}

import { element, words } from "../dom.js";
import { showProblem } from "./controls.js";

/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./draft.js").Path} Path */
/** @typedef {import("./controls.js").Changed} Changed */
/** @typedef {import("./controls.js").Problem} Problem */

/** Fields of which there may be any number: a row each, one button to add another. */
class Rows {
  #rows = element("div", { class: "field-rows" });
  #problem = element("p", { class: "field-problem", hidden: true });
  #note = element("p", { class: "field-note" });
  #field;
  #told;
  #parts;
  #adder;

  /**
   * @param {Field} field
   * @param {Path} path
   * @param {Changed} changed
   * @param {readonly string[]} parts names of the inputs of a row
   */
  constructor(field, path, changed, parts) {
    this.#field = field;
    this.#parts = parts;
    this.#told = () => {
      this.clear();
      const value = this.value(this.#texts());
      changed(path, field.required || Object.keys(value).length ? value : undefined);
    };
    this.#adder = element("button", { type: "button", class: "small", click: () => this.#add(parts.map(() => ""), true) },
      `Add to ${field.name}`);
    this.element = element("fieldset", { "data-field": path.join("/") },
      element("legend", {}, field.name, ...(field.required ? [element("small", {}, " required")] : [])),
      element("p", { class: "field-hint" }, ...words(field.hint)), this.#problem, this.#rows, this.#note, this.#adder);
  }

  /**
   * @param {string[][]} _texts of the inputs, row by row
   * @returns {Record<string, string> | string[]}
   */
  value(_texts) {
    return [];
  }

  /**
   * @param {any} _value
   * @returns {string[][] | undefined} texts of the inputs; `undefined` where the rows cannot show the value
   */
  texts(_value) {
    return undefined;
  }

  #texts() {
    return [...this.#rows.children].map((row) => [...row.querySelectorAll("input")].map((input) => input.value));
  }

  /** @param {unknown} value */
  set(value) {
    const texts = value === undefined ? [] : this.texts(value);
    this.#note.textContent = texts ? "" : `In the JSON: ${JSON.stringify(value)}`;
    if (JSON.stringify(this.value(this.#texts())) !== JSON.stringify(value ?? this.value([]))) {
      this.#rows.replaceChildren();
      texts?.forEach((row) => this.#add(row, false));
    }
  }

  /**
   * @param {string[]} texts
   * @param {boolean} isNew
   */
  #add(texts, isNew) {
    const inputs = texts.map((value, place) => {
      const input = element("input", {
        type: "text", autocomplete: "off", spellcheck: "false", input: this.#told,
        "aria-label": `${this.#field.name}: ${this.#parts[place]}`, placeholder: this.#parts[place],
      });
      input.value = value;
      return input;
    });
    const row = element("div", { class: "field-row" }, ...inputs,
      element("button", { type: "button", class: "small", "aria-label": `Remove from ${this.#field.name}`, click: () => this.#remove(row) }, "×"));
    this.#rows.append(row);
    if (isNew) {
      inputs[0].focus();
    }
  }

  /** @param {HTMLElement} row */
  #remove(row) {
    row.remove();
    this.#told();
    this.#adder.focus();
  }

  /** @param {Path} _path of an entry: its problem is shown with the whole */
  find(_path) {
    return this;
  }

  /** @param {Problem | undefined} problem */
  mark(problem) {
    showProblem(this.#problem, problem);
  }

  clear() {
    this.mark(undefined);
  }
}

/** A list of texts. */
export class ListControl extends Rows {
  /**
   * @param {Field} field
   * @param {Path} path
   * @param {Changed} changed
   */
  constructor(field, path, changed) {
    super(field, path, changed, ["entry"]);
  }

  /** @param {string[][]} texts */
  value(texts) {
    return texts.map(([text]) => text).filter(Boolean);
  }

  /** @param {any} value */
  texts(value) {
    const isShowable = Array.isArray(value) && value.every((each) => typeof each === "string");
    return isShowable ? value.map((each) => [each]) : undefined;
  }
}

/** An open object of texts: a row for each key. */
export class MapControl extends Rows {
  /**
   * @param {Field} field
   * @param {Path} path
   * @param {Changed} changed
   */
  constructor(field, path, changed) {
    super(field, path, changed, ["name", "value"]);
  }

  /** @param {string[][]} texts */
  value(texts) {
    return Object.fromEntries(texts.filter(([key]) => key));
  }

  /** @param {any} value */
  texts(value) {
    const isShowable = typeof value === "object" && value !== null && !Array.isArray(value)
      && Object.values(value).every((each) => typeof each === "string");
    return isShowable ? Object.entries(value).map(([key, each]) => [key, String(each)]) : undefined;
  }
}

import { element, words } from "../dom.js";
import { showProblem } from "./controls.js";

/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./draft.js").Path} Path */
/** @typedef {import("./controls.js").Changed} Changed */
/** @typedef {import("./controls.js").Problem} Problem */

let fields = 0;

/** One field with its label, what it means, and what is wrong with it. */
export class Leaf {
  #field;
  #input;
  #note = element("p", { class: "field-note" });
  #problem;

  /**
   * @param {Field} field
   * @param {Path} path
   * @param {Changed} changed
   */
  constructor(field, path, changed) {
    const id = `field-${++fields}`;
    this.#field = field;
    this.#problem = element("p", { class: "field-problem", id: `${id}-problem`, hidden: true });
    this.#input = inputOf(field, id);
    this.#input.addEventListener("input", () => {
      this.clear();
      changed(path, valueOf(field, this.#input.value));
      this.#check();
    });
    const needed = field.required ? [element("small", {}, " required")] : [];
    this.element = element("div", { class: "field", "data-field": path.join("/") },
      element("label", { for: id }, field.name, ...needed), this.#input,
      element("p", { class: "field-hint", id: `${id}-hint` }, ...words(field.hint)), this.#note, this.#problem);
  }

  /** @param {unknown} value */
  set(value) {
    const shown = textOf(this.#field, value);
    const isOther = shown === undefined;
    this.#note.textContent = isOther ? `In the JSON: ${JSON.stringify(value)}` : "";
    if (this.#input.value !== (shown ?? "")) {
      this.#input.value = shown ?? "";
    }
    if (!isOther) {
      this.#check();
    }
  }

  #check() {
    const { value } = this.#input;
    const isMissing = this.#field.required && value === "";
    const doubt = value && this.#field.kind === "text" ? this.#field.doubt(value) : "";
    this.#note.textContent = doubt && `The bridge will refuse this: it ${doubt}`;
    this.element.classList.toggle("missing", isMissing);
  }

  /** @param {Path} path */
  find(path) {
    return path.length ? undefined : this;
  }

  /** @param {Problem | undefined} problem */
  mark(problem) {
    showProblem(this.#problem, problem);
    this.#input.ariaInvalid = problem?.tone === "bad" ? "true" : null;
  }

  clear() {
    this.mark(undefined);
  }
}

/**
 * @param {Field} field
 * @param {string} id
 */
function inputOf(field, id) {
  const described = { id, "aria-describedby": `${id}-hint ${id}-problem`, "aria-required": field.required ? "true" : "false" };
  const choices = choicesOf(field);
  if (choices) {
    return element("select", described, ...choices.map((each) => element("option", { value: each }, each || "–")));
  }
  return element("input", {
    ...described, type: field.secret ? "password" : "text", autocomplete: "off", spellcheck: "false",
    placeholder: field.secret ? "" : field.example, inputmode: field.kind === "integer" ? "numeric" : "text",
    readonly: field.kind === "constant" || field.kind === "any",
  });
}

/** @param {Field} field */
function choicesOf({ kind, choices, required }) {
  const values = kind === "flag" ? ["true", "false"] : choices;
  return kind === "choice" || kind === "flag" ? [...(required ? [] : [""]), ...values] : undefined;
}

/**
 * @param {Field} field
 * @param {string} text
 * @returns {unknown} what goes into the JSON
 */
function valueOf({ kind, required }, text) {
  if (text === "" && !required) {
    return undefined;
  }
  if (kind === "integer" && /^-?\d{1,15}$/.test(text)) {
    return Number(text);
  }
  return kind === "flag" ? text === "true" : text;
}

/**
 * @param {Field} field
 * @param {unknown} value
 * @returns {string | undefined} as the field shows it; `undefined` where it cannot
 */
function textOf({ kind, choices }, value) {
  if (value === undefined) {
    return "";
  }
  if (kind === "any") {
    return JSON.stringify(value);
  }
  if (kind === "choice") {
    return choices.includes(String(value)) ? String(value) : undefined;
  }
  const isFlag = typeof value === "boolean";
  return (kind === "flag" ? isFlag : typeof value === "string" || typeof value === "number") ? String(value) : undefined;
}

import { element } from "../dom.js";
import { at, canonical } from "./draft.js";
import { Leaf } from "./leaf.js";
import { ListControl, MapControl } from "./rows.js";

/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./draft.js").Path} Path */

/**
 * @typedef {object} Problem what the bridge says of one field
 * @property {string} text
 * @property {"bad" | "warn"} tone
 */

/**
 * A part of the form.
 *
 * @typedef {object} Control
 * @property {HTMLElement} element
 * @property {(value: unknown) => void} set shows a value, `undefined` where there is none
 * @property {(path: Path) => Control | undefined} find
 * @property {(problem: Problem | undefined) => void} mark
 * @property {() => void} clear takes the marks away, here and below
 */

/** @typedef {(path: Path, value: unknown) => void} Changed is told what a person put into a field; `undefined`: nothing */

/**
 * @param {Field} field
 * @param {Path} path
 * @param {Changed} changed
 * @returns {Control}
 */
export function controlOf(field, path, changed) {
  switch (field.kind) {
    case "object":
      return new Group(field, path, changed);
    case "list":
      return new ListControl(field, path, changed);
    case "map":
      return new MapControl(field, path, changed);
    default:
      return new Leaf(field, path, changed);
  }
}

const ENVELOPE = new Set(["subtopic", "id", "source"]);

/** Fields of an object, one below the other. What the form does not know of it is named, and stays in the JSON. */
class Group {
  #field;
  /** @type {Map<string, Control>} */
  #controls;
  #unknown = element("p", { class: "field-note", hidden: true });
  #problem = element("p", { class: "field-problem", hidden: true });

  /**
   * @param {Field} field
   * @param {Path} path
   * @param {Changed} changed
   */
  constructor(field, path, changed) {
    this.#field = field;
    this.#controls = new Map(field.fields.map((each) => [canonical(each.name), controlOf(each, [...path, each.name], changed)]));
    const inside = field.fields.map((each) => this.#elementOf(each));
    const empty = inside.length ? [] : [element("p", { class: "field-hint" }, "This message has no fields.")];
    this.element = path.length
      ? element("fieldset", {}, element("legend", {}, field.name), this.#problem, ...inside, ...empty, this.#unknown)
      : element("div", { class: "fields" }, this.#problem, ...this.#apart(field, inside), this.#unknown);
  }

  /** @param {Field} field */
  #elementOf({ name }) {
    return /** @type {Control} */ (this.#controls.get(canonical(name))).element;
  }

  /**
   * Of a message, the fields that are seldom touched, folded together.
   *
   * @param {Field} message
   * @param {HTMLElement[]} inside
   */
  #apart({ fields }, inside) {
    const isEnvelope = (/** @type {unknown} */ _, /** @type {number} */ place) => ENVELOPE.has(fields[place].name) && !(fields[place].required && fields[place].kind === "text");
    const envelope = inside.filter(isEnvelope);
    const rest = inside.filter((each) => !envelope.includes(each));
    const names = fields.filter(isEnvelope).map(({ name }) => name).join(", ");
    return envelope.length ? [...rest, element("details", { class: "envelope" }, element("summary", {}, `Envelope: ${names}`), ...envelope)] : rest;
  }

  /** @param {unknown} value */
  set(value) {
    for (const field of this.#field.fields) {
      this.#controls.get(canonical(field.name))?.set(at(value, field.name));
    }
    const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
    const constants = ["channel", "topic", "subtopic"];
    const others = names.filter((name) => !this.#controls.has(canonical(name)) && !constants.includes(canonical(name)));
    this.#unknown.hidden = others.length === 0;
    this.#unknown.textContent = `Only in the JSON: ${others.join(", ")}`;
  }

  /**
   * @param {Path} path
   * @returns {Control | undefined}
   */
  find([name, ...rest]) {
    return name === undefined ? this : this.#controls.get(canonical(name))?.find(rest);
  }

  /** @param {Problem | undefined} problem */
  mark(problem) {
    showProblem(this.#problem, problem);
  }

  clear() {
    this.mark(undefined);
    for (const control of this.#controls.values()) {
      control.clear();
    }
  }
}

/**
 * @param {HTMLElement} node
 * @param {Problem | undefined} problem
 */
export function showProblem(node, problem) {
  node.hidden = !problem;
  node.textContent = problem?.text ?? "";
  node.dataset.tone = problem?.tone ?? "";
  const fold = node.closest("details");
  if (problem && fold) {
    fold.open = true;
  }
}

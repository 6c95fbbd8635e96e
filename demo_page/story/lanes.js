import { element } from "../dom.js";
import { GUTTER } from "./drawing.js";

/** @typedef {import("./teller.js").Step} Step */

const LANE_PX = 112;

/** @type {Record<string, [string, string]>} */
const NAMES = { bridge: ["Bridge", "passes on"], control: ["Call control", "moves the calls"] };

/** The lifelines: widgets on the left, then the bridge, call control, and the parties of the calls. */
export class Lanes {
  /** All that there ever were, in the order of their coming: none changes its place while it is there. @type {Set<string>} */
  #known = new Set();
  #layout = "";
  /** @type {ReadonlyMap<string, number>} */
  places = new Map();
  width = 0;
  element = element("div", { class: "lanes", "aria-hidden": "true" });

  /**
   * Make room for those that the steps need.
   *
   * @param {readonly Step[]} steps
   * @param {string} own lane of the page, which is always there
   * @param {number} room pixels
   * @returns {boolean} whether anything moved
   */
  fit(steps, own, room) {
    const needed = new Set([own, "bridge", "control", ...steps.flatMap(({ from, to }) => [from, to])]);
    needed.forEach((lane) => this.#known.add(lane));
    this.#known = new Set([...this.#known].filter((lane) => needed.has(lane)));
    const lanes = [...this.#known].sort((one, other) => rank(one, own) - rank(other, own));
    const width = Math.max(room, GUTTER + lanes.length * LANE_PX);
    const layout = `${lanes.join("\n")} ${width}`;
    if (layout === this.#layout) {
      return false;
    }
    this.#layout = layout;
    const each = (width - GUTTER) / lanes.length;
    this.width = width;
    this.places = new Map(lanes.map((lane, place) => [lane, Math.round(GUTTER + (place + 0.5) * each)]));
    this.element.replaceChildren(element("span", { class: "gutter" }), ...lanes.map((lane) => heading(lane, own)));
    return true;
  }
}

/**
 * @param {string} lane
 * @param {string} own
 */
function rank(lane, own) {
  const kinds = [own, "widget", "bridge", "control", "party"];
  return kinds.indexOf(lane === own ? own : lane.split(":")[0]);
}

/**
 * @param {string} lane
 * @param {string} own
 */
function heading(lane, own) {
  const [name, note] = NAMES[lane] ?? [nameOf(lane), lane === own ? "this page" : lane.split(":")[0]];
  return element("span", { class: "lane", "data-lane": lane.split(":")[0], title: name }, element("b", {}, name), element("small", {}, note));
}

/**
 * @param {string} lane
 * @returns {string} as a person calls it
 */
export function nameOf(lane) {
  const [kind, ...rest] = lane.split(":");
  return rest.join(":") || (kind === "bridge" ? "the bridge" : "call control");
}

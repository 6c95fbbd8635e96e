/** One arrow of the story as a picture: the lifelines, the arrow, and what it says. */

/** @typedef {import("./teller.js").Step} Step */
/** @typedef {ReadonlyMap<string, number>} Places of the lanes, pixels from the left */

export const ROW = 36;
export const GUTTER = 46;

const SVG = "http://www.w3.org/2000/svg";
const LABEL_Y = 14;
const LINE_Y = 25;
const LETTER = 7;

/**
 * @param {Step} step
 * @param {Places} places
 * @param {number} width
 * @returns {SVGSVGElement}
 */
export function draw(step, places, width) {
  const from = places.get(step.from) ?? GUTTER;
  const to = places.get(step.to) ?? GUTTER;
  const picture = node("svg", { width, height: ROW, viewBox: `0 0 ${width} ${ROW}` });
  picture.append(...[...places.values()].map((x) => node("line", { class: "lifeline", x1: x, x2: x, y1: 0, y2: ROW })),
    ...arrow(step, from, to, places), label(step, from, to, width), ...badge(step.thread));
  return picture;
}

/**
 * @param {Step} step
 * @param {number} from
 * @param {number} to
 * @param {Places} places
 */
function arrow(step, from, to, places) {
  const widgets = [...places].filter(([lane]) => lane.startsWith("widget:")).map(([, x]) => x);
  const others = step.toAll ? widgets.filter((x) => x !== from) : [];
  const farthest = step.toAll && from > to ? Math.min(to, ...others) : to;
  const bridge = places.get("bridge") ?? to;
  const stops = [...others, ...(from > bridge && farthest < bridge ? [bridge] : [])].filter((x) => x !== farthest && x !== to);
  const toWidgets = step.toAll && from < to ? others.map((x) => path(`M${to} ${LINE_Y + 6} L${x} ${LINE_Y + 6}`, "shaft echo")) : [];
  return [
    path(`M${from} ${LINE_Y} L${farthest} ${LINE_Y}`, "shaft"), ...toWidgets, head(farthest, Math.sign(farthest - from)),
    node("circle", { class: "start", cx: from, cy: LINE_Y, r: 3.5 }),
    ...stops.map((x) => node("circle", { class: "stop", cx: x, cy: toWidgets.length ? LINE_Y + 6 : LINE_Y, r: 4 })),
  ];
}

/**
 * @param {string} d
 * @param {string} kind
 */
function path(d, kind) {
  return node("path", { class: kind, d });
}

/**
 * @param {number} x
 * @param {number} direction
 */
function head(x, direction) {
  return path(`M${x} ${LINE_Y} L${x - direction * 9} ${LINE_Y - 5} L${x - direction * 9} ${LINE_Y + 5} Z`, "head");
}

/**
 * Above the middle of the arrow, but wholly inside of the picture.
 *
 * @param {Step} step
 * @param {number} from
 * @param {number} to
 * @param {number} width
 */
function label({ label: words }, from, to, width) {
  const half = (words.length * LETTER) / 2;
  const x = Math.max(GUTTER + half, Math.min(width - half - 4, (from + to) / 2));
  const text = node("text", { class: "label", x, y: LABEL_Y, "text-anchor": "middle" });
  text.textContent = words;
  return text;
}

/** @param {number} thread */
function badge(thread) {
  if (!thread) {
    return [];
  }
  const text = node("text", { class: "number", x: 22, y: LINE_Y - 3, "text-anchor": "middle" });
  text.textContent = String(thread);
  return [node("rect", { class: "badge-box", x: 6, y: LINE_Y - 17, width: 32, height: 20, rx: 10 }), text];
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElementTagNameMap[Tag]}
 */
function node(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, String(value));
  }
  return made;
}

import { arrange } from "../dom.js";
import { Heights } from "./heights.js";

/** @typedef {import("./store.js").Line} Line */

/** Rows that are there above and below those in sight, so that a turn of the wheel finds no gap. */
const SPARE = 50;
const NEAR_PX = 60;

/**
 * A list of any length of which only the rows around those in sight are elements of the page. A closed row has the
 * height that the style sheet gives as `--row`; an open one is measured once it is there. What is not there is made up for
 * by the heights `--above` and `--below`. The arrow keys, Page, Home and End go from row to row.
 */
export class RowWindow {
  #list;
  #seek;
  #changed;
  #heights = new Heights();
  /** @type {Map<Line, HTMLElement>} */
  #elements = new Map();
  #following = true;
  /** Number of the line where the keyboard is, 0 for none. */
  #active = 0;

  /**
   * @param {HTMLOListElement} list
   * @param {(thread: string) => void} seek is called to see only the messages of a thread
   * @param {(following: boolean) => void} changed is told whether the list stays at its end
   */
  constructor(list, seek, changed) {
    this.#list = list;
    this.#seek = seek;
    this.#changed = changed;
    list.addEventListener("scroll", () => this.#scrolled());
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("toggle", (event) => this.#toggled(event), true);
    list.addEventListener("focusin", (event) => this.#focused(event));
    new ResizeObserver(() => this.#resized()).observe(list);
  }

  /**
   * Show these lines. Where the list is not at its end, what is in sight stays where it is.
   *
   * @param {readonly Line[]} lines
   */
  update(lines) {
    const top = this.#list.scrollTop;
    const index = Math.min(this.#heights.indexAt(top), this.#heights.lines.length - 1);
    const anchor = this.#heights.lines[index];
    const within = top - this.#heights.topOf(index);
    this.#heights.lines = lines;
    this.#render(anchor ? this.#heights.topOf(this.#heights.placeOf(anchor.number)) + within : top);
  }

  /** Go to the newest line and stay with those that come. */
  follow() {
    this.#following = true;
    this.#render(0);
    this.#changed(true);
  }

  /** @param {number} wanted where to scroll to, unless the list stays at its end */
  #render(wanted) {
    const { clientHeight } = this.#list;
    const limit = Math.max(0, this.#heights.topOf(this.#heights.lines.length) - clientHeight);
    const top = this.#following ? limit : Math.max(0, Math.min(wanted, limit));
    const first = Math.max(0, this.#heights.indexAt(top) - SPARE);
    const last = Math.min(this.#heights.lines.length, this.#heights.indexAt(top + clientHeight) + 1 + SPARE);
    this.#fill(first, last);
    this.#measure();
    this.#list.style.setProperty("--above", `${this.#heights.topOf(first)}px`);
    this.#list.style.setProperty("--below", `${this.#heights.topOf(this.#heights.lines.length) - this.#heights.topOf(last)}px`);
    this.#list.scrollTop = this.#following ? this.#list.scrollHeight : top;
  }

  /**
   * Have the elements of these lines in the list, and no others.
   *
   * @param {number} first
   * @param {number} last
   */
  #fill(first, last) {
    /** @type {Map<Line, HTMLElement>} */
    const elements = new Map();
    for (let index = first; index < last; index += 1) {
      const line = this.#heights.lines[index];
      const node = this.#elements.get(line) ?? line.make(this.#seek);
      node.ariaPosInSet = String(index + 1);
      node.ariaSetSize = String(this.#heights.lines.length);
      elements.set(line, node);
    }
    this.#elements = elements;
    const wanted = [...elements.values()];
    const focused = document.activeElement;
    if (focused !== this.#list && this.#list.contains(focused) && !wanted.some((node) => node.contains(focused))) {
      this.#list.focus({ preventScroll: true });
    }
    arrange(this.#list, wanted);
  }

  #measure() {
    for (const line of this.#heights.open) {
      const node = this.#elements.get(line);
      if (node?.offsetHeight) {
        line.extra = node.offsetHeight - this.#heights.row;
      }
    }
  }

  #resized() {
    const top = this.#list.scrollTop / this.#heights.row;
    this.#heights.row = parseFloat(getComputedStyle(this.#list).getPropertyValue("--row"));
    this.#render(top * this.#heights.row);
  }

  #scrolled() {
    const { scrollHeight, clientHeight, scrollTop } = this.#list;
    this.#following = scrollHeight - clientHeight - scrollTop < NEAR_PX;
    this.#render(scrollTop);
    this.#changed(this.#following);
  }

  /** @param {Event} event */
  #toggled({ target }) {
    const line = this.#lineOf(target);
    if (!line || !(target instanceof HTMLDetailsElement) || target.open === this.#heights.open.has(line)) {
      return;
    }
    line.fold(target, this.#seek);
    if (line.isOpen) {
      this.#heights.open.add(line);
      this.#following = false; // somebody reads: nothing moves until they go to the end again
      this.#changed(false);
    } else {
      this.#heights.open.delete(line);
      line.extra = 0;
    }
    this.update(this.#heights.lines);
    this.#render(this.#topToSee(this.#heights.placeOf(line.number)));
  }

  /** @param {Event} event */
  #focused({ target }) {
    this.#active = this.#lineOf(target)?.number ?? this.#active;
  }

  /** @param {EventTarget | null} target */
  #lineOf(target) {
    const node = target instanceof Element ? target.closest("li") : null;
    return [...this.#elements].find(([, each]) => each === node)?.[0];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const inRow = event.target === this.#list || (event.target instanceof Element && event.target.matches("summary"));
    const steps = inRow && !event.ctrlKey && !event.altKey && !event.metaKey && this.#steps(event.key);
    if (steps && this.#heights.lines.length) {
      event.preventDefault();
      const first = this.#heights.indexAt(this.#list.scrollTop) - Math.sign(steps);
      const from = this.#active ? this.#heights.placeOf(this.#active) : first;
      this.#goTo(Math.max(0, Math.min(this.#heights.lines.length - 1, from + steps)), steps);
    }
  }

  /** @param {string} key */
  #steps(key) {
    const page = Math.max(1, Math.floor(this.#list.clientHeight / this.#heights.row) - 1);
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    return steps[key];
  }

  /**
   * @param {number} index
   * @returns {number} the nearest place to scroll to from which that line is seen, its beginning at least
   */
  #topToSee(index) {
    const { scrollTop, clientHeight } = this.#list;
    const top = this.#heights.topOf(index);
    const bottom = top + this.#heights.row + this.#heights.lines[index].extra;
    return top < scrollTop ? top : Math.max(scrollTop, Math.min(top, bottom - clientHeight));
  }

  /**
   * Bring a line into sight and the focus to it; a divider is passed over.
   *
   * @param {number} index
   * @param {number} steps in which direction
   */
  #goTo(index, steps) {
    const line = this.#heights.lines[index];
    this.#active = line.number;
    const top = this.#topToSee(index);
    this.#following = index === this.#heights.lines.length - 1 && !line.isOpen;
    this.#render(top);
    this.#changed(this.#following);
    const summary = this.#elements.get(line)?.querySelector("summary");
    const next = index + Math.sign(steps);
    if (summary) {
      summary.focus({ preventScroll: true });
    } else if (Math.abs(steps) === 1 && this.#heights.lines[next]) {
      this.#goTo(next, steps);
    }
  }
}

import { arrange } from "./dom.js";

/** @typedef {import("./log-store.js").Line} Line */

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
  /** In the order of their numbers. @type {readonly Line[]} */
  #lines = [];
  /** @type {Map<Line, HTMLElement>} */
  #elements = new Map();
  /** Lines that are higher than others. @type {Set<Line>} */
  #open = new Set();
  #following = true;
  /** Height of a closed row, pixels. */
  #row = 46;
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
    const index = Math.min(this.#indexAt(top), this.#lines.length - 1);
    const anchor = this.#lines[index];
    const within = top - this.#topOf(index);
    this.#lines = lines;
    this.#render(anchor ? this.#topOf(this.#placeOf(anchor.number)) + within : top);
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
    const limit = Math.max(0, this.#topOf(this.#lines.length) - clientHeight);
    const top = this.#following ? limit : Math.max(0, Math.min(wanted, limit));
    const first = Math.max(0, this.#indexAt(top) - SPARE);
    const last = Math.min(this.#lines.length, this.#indexAt(top + clientHeight) + 1 + SPARE);
    this.#fill(first, last);
    this.#measure();
    this.#list.style.setProperty("--above", `${this.#topOf(first)}px`);
    this.#list.style.setProperty("--below", `${this.#topOf(this.#lines.length) - this.#topOf(last)}px`);
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
      const line = this.#lines[index];
      const node = this.#elements.get(line) ?? line.make(this.#seek);
      node.ariaPosInSet = String(index + 1);
      node.ariaSetSize = String(this.#lines.length);
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
    for (const line of this.#open) {
      const node = this.#elements.get(line);
      if (node?.offsetHeight) {
        line.extra = node.offsetHeight - this.#row;
      }
    }
  }

  /** @returns {{index: number, extra: number}[]} the open ones among the lines, in their order */
  #opened() {
    return [...this.#open].map((line) => ({ index: this.#placeOf(line.number), line }))
      .filter(({ index, line }) => this.#lines[index] === line)
      .sort((one, other) => one.index - other.index)
      .map(({ index, line }) => ({ index, extra: line.extra }));
  }

  /**
   * @param {number} index
   * @returns {number} pixels from the top of the list to the top of that line
   */
  #topOf(index) {
    const before = this.#opened().filter((each) => each.index < index);
    return index * this.#row + before.reduce((sum, { extra }) => sum + extra, 0);
  }

  /**
   * @param {number} top
   * @returns {number} index of the line at that height
   */
  #indexAt(top) {
    let left = top;
    for (const { index, extra } of this.#opened()) {
      if (left < (index + 1) * this.#row) {
        break;
      }
      left = Math.max((index + 0.5) * this.#row, left - extra);
    }
    return Math.max(0, Math.floor(left / this.#row));
  }

  /**
   * @param {number} number
   * @returns {number} index of the first line with that number or a greater one
   */
  #placeOf(number) {
    let low = 0;
    let high = this.#lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#lines[middle].number < number) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  #resized() {
    const top = this.#list.scrollTop / this.#row;
    this.#row = parseFloat(getComputedStyle(this.#list).getPropertyValue("--row"));
    this.#render(top * this.#row);
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
    if (!line || !(target instanceof HTMLDetailsElement) || target.open === this.#open.has(line)) {
      return;
    }
    line.fold(target, this.#seek);
    if (line.isOpen) {
      this.#open.add(line);
      this.#following = false; // somebody reads: nothing moves until they go to the end again
      this.#changed(false);
    } else {
      this.#open.delete(line);
      line.extra = 0;
    }
    this.update(this.#lines);
    this.#render(this.#topToSee(this.#placeOf(line.number)));
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
    if (steps && this.#lines.length) {
      event.preventDefault();
      const first = this.#indexAt(this.#list.scrollTop) - Math.sign(steps);
      const from = this.#active ? this.#placeOf(this.#active) : first;
      this.#goTo(Math.max(0, Math.min(this.#lines.length - 1, from + steps)), steps);
    }
  }

  /** @param {string} key */
  #steps(key) {
    const page = Math.max(1, Math.floor(this.#list.clientHeight / this.#row) - 1);
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
    const top = this.#topOf(index);
    const bottom = top + this.#row + this.#lines[index].extra;
    return top < scrollTop ? top : Math.max(scrollTop, Math.min(top, bottom - clientHeight));
  }

  /**
   * Bring a line into sight and the focus to it; a divider is passed over.
   *
   * @param {number} index
   * @param {number} steps in which direction
   */
  #goTo(index, steps) {
    const line = this.#lines[index];
    this.#active = line.number;
    const top = this.#topToSee(index);
    this.#following = index === this.#lines.length - 1 && !line.isOpen;
    this.#render(top);
    this.#changed(this.#following);
    const summary = this.#elements.get(line)?.querySelector("summary");
    const next = index + Math.sign(steps);
    if (summary) {
      summary.focus({ preventScroll: true });
    } else if (Math.abs(steps) === 1 && this.#lines[next]) {
      this.#goTo(next, steps);
    }
  }
}

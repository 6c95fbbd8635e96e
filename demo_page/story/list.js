import { addressOf } from "../bus/message.js";
import { colourOf } from "../bus/threads.js";
import { element } from "../dom.js";
import { draw } from "./drawing.js";
import { Lanes, nameOf } from "./lanes.js";

/** @typedef {import("./teller.js").Step} Step */
/** @typedef {import("./teller.js").Note} Note */
/** @typedef {{step: Step | undefined, row: HTMLLIElement}} Line */

export const KEPT = 200;
const NEAR_PX = 60;

/**
 * The arrows, each a button in a list: in words for who does not see them. Arrow keys, Home and End go from one to the
 * next. The one that is pointed at shows its whole thread, and the others step back.
 */
export class StoryList {
  #lanes = new Lanes();
  /** The oldest first. @type {Line[]} */
  #lines = [];
  #following = true;
  #own = "";
  #list = element("ol", { class: "steps", "aria-label": "What happened, the newest last" });
  #empty = element("p", { class: "empty" }, "Nothing has happened yet. Offer a call, and watch.");
  #scroll = element("div", { class: "story-scroll" }, this.#lanes.element, this.#list, this.#empty);
  #newest = element("button", { type: "button", class: "newest", hidden: true, click: () => this.follow() }, "Newest ↓");
  element = element("div", { class: "story-frame" }, this.#scroll, this.#newest);

  /** @param {(step: Step) => void} chosen is told the arrow that somebody wants to know more of */
  constructor(chosen) {
    this.#scroll.addEventListener("scroll", () => this.#scrolled());
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("click", ({ target }) => {
      const step = this.#lineOf(target)?.step;
      if (step) {
        chosen(step);
      }
    });
    this.#list.addEventListener("mouseover", ({ target }) => this.#highlight(this.#lineOf(target)));
    this.#list.addEventListener("mouseleave", () => this.#highlight(undefined));
    this.#list.addEventListener("focusin", ({ target }) => this.#focused(this.#lineOf(target)));
    this.#list.addEventListener("focusout", () => this.#highlight(undefined));
    new ResizeObserver(() => this.#draw([])).observe(this.#scroll);
  }

  /**
   * @param {readonly (Step | Note)[]} entries
   * @param {string} own lane of the page
   */
  add(entries, own) {
    this.#own = own;
    const fresh = entries.map(lineOf);
    this.#lines.push(...fresh);
    this.#list.append(...fresh.map(({ row }) => row));
    const gone = this.#lines.splice(0, Math.max(0, this.#lines.length - KEPT));
    const height = this.#following ? 0 : gone.reduce((sum, { row }) => sum + row.offsetHeight, 0);
    gone.forEach(({ row }) => row.remove());
    this.#scroll.scrollTop -= height;
    this.#draw(fresh);
  }

  clear() {
    this.#lines = [];
    this.#list.replaceChildren();
    this.#draw([]);
    this.follow();
  }

  /** Go to the newest and stay with those that come. */
  follow() {
    this.#following = true;
    this.#newest.hidden = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  /**
   * Mark the arrow whose message is shown, and keep it in sight: nothing moves until somebody goes to the end again.
   *
   * @param {Step | undefined} chosen
   */
  mark(chosen) {
    for (const { step, row } of this.#lines) {
      const isChosen = step !== undefined && step === chosen;
      setCurrent(row, isChosen);
      if (isChosen) {
        this.#following = false;
        row.scrollIntoView({ block: "nearest" });
      }
    }
  }

  /** @param {readonly Line[]} fresh */
  #draw(fresh) {
    const steps = this.#lines.flatMap(({ step }) => step ?? []);
    this.#empty.hidden = this.#lines.length > 0;
    const moved = this.#lanes.fit(steps, this.#own, this.#scroll.clientWidth);
    for (const { step, row } of moved ? this.#lines : fresh) {
      if (step) {
        row.querySelector(".picture")?.replaceChildren(draw(step, this.#lanes.places, this.#lanes.width));
      }
    }
    this.#rove(this.#lines.findLast(({ row }) => row.querySelector("[tabindex='0']")) ?? this.#lines.findLast(({ step }) => step));
    if (this.#following) {
      this.follow();
    }
  }

  /** @param {EventTarget | null} target */
  #lineOf(target) {
    const row = target instanceof Element ? target.closest("li") : null;
    return this.#lines.find((line) => line.row === row);
  }

  /** @param {Line | undefined} line */
  #highlight(line) {
    const thread = line?.step?.thread;
    this.#list.classList.toggle("dimmed", Boolean(thread));
    for (const { step, row } of this.#lines) {
      row.classList.toggle("lit", Boolean(thread) && step?.thread === thread);
    }
  }

  /** @param {Line | undefined} line */
  #focused(line) {
    this.#highlight(line);
    this.#rove(line);
  }

  /**
   * Have one arrow among those that Tab goes to: the one where the keyboard was last, else the newest.
   *
   * @param {Line | undefined} chosen
   */
  #rove(chosen) {
    for (const line of this.#lines) {
      line.row.querySelector("button")?.setAttribute("tabindex", line === chosen ? "0" : "-1");
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const steps = this.#lines.filter(({ step }) => step);
    const here = steps.findIndex(({ row }) => row.contains(document.activeElement));
    const next = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: steps.length - 1 }[event.key];
    if (next !== undefined && steps[next]) {
      event.preventDefault();
      steps[next].row.querySelector("button")?.focus();
    }
  }

  #scrolled() {
    const { scrollHeight, clientHeight, scrollTop } = this.#scroll;
    this.#following = scrollHeight - clientHeight - scrollTop < NEAR_PX;
    this.#newest.hidden = this.#following;
  }
}

/**
 * @param {HTMLElement} row
 * @param {boolean} isCurrent
 */
function setCurrent(row, isCurrent) {
  const button = row.querySelector("button");
  if (button) {
    button.ariaCurrent = isCurrent ? "true" : null;
  }
}

/**
 * @param {Step | Note} entry
 * @returns {Line}
 */
function lineOf(entry) {
  if ("note" in entry) {
    return { step: undefined, row: element("li", { class: "story-note" }, element("span", {}, entry.note)) };
  }
  const picture = element("span", { class: "picture", "aria-hidden": "true" });
  const button = element("button", { type: "button", class: "arrow", tabindex: -1 }, picture, element("span", { class: "hidden" }, sentence(entry)));
  const row = element("li", {
    class: `step thread-${colourOf(entry.thread)}`, "data-thread": entry.thread, "data-kind": entry.kind,
    "data-tone": entry.tone, "data-address": addressOf(entry.message),
  }, button);
  return { step: entry, row };
}

/**
 * @param {Step} step
 * @returns {string} the arrow in words
 */
export function sentence({ from, to, toAll, label, thread }) {
  const whom = toAll ? "every widget" : nameOf(to);
  const words = from.startsWith("party:") || to.startsWith("party:")
    ? `${nameOf(from.startsWith("party:") ? from : to)} ${label}` : `${nameOf(from)} to ${whom}: ${label}`;
  return thread ? `${words}. Thread ${thread}` : words;
}

import { find } from "./dom.js";

/**
 * The views beside the desk, one at a time. Which one stands in the URL's fragment, so that a reload and a link show it
 * again. Arrow keys, Home and End move between the tabs (the tabs pattern of the ARIA Authoring Practices).
 */
export class Tabs {
  /** @type {HTMLElement[]} */
  #tabs;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#tabs = [...list.querySelectorAll("[role=tab]")].map((tab) => /** @type {HTMLElement} */ (tab));
    list.addEventListener("click", ({ target }) => this.#choose(this.#tabs.find((tab) => tab.contains(/** @type {Node} */ (target)))));
    list.addEventListener("keydown", (event) => this.#press(event));
    addEventListener("hashchange", () => this.#follow());
    this.#show(this.#tabs[0]);
    this.#follow();
  }

  /** @param {string} view the id of its section */
  open(view) {
    this.#choose(this.#named(view));
  }

  /** @param {string} view */
  #named(view) {
    return this.#tabs.find((tab) => tab.getAttribute("aria-controls") === view);
  }

  #follow() {
    const tab = this.#named(location.hash.slice(1));
    if (tab) {
      this.#show(tab);
    }
  }

  /** @param {HTMLElement | undefined} tab */
  #choose(tab) {
    if (tab) {
      this.#show(tab);
      history.replaceState(history.state, "", `#${tab.getAttribute("aria-controls")}`);
    }
  }

  /** @param {HTMLElement} chosen */
  #show(chosen) {
    for (const tab of this.#tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      find(tab.getAttribute("aria-controls") ?? "", HTMLElement).hidden = !isChosen;
    }
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const at = this.#tabs.findIndex((tab) => tab === event.target);
    const last = this.#tabs.length - 1;
    const next = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      this.#choose(this.#tabs[next]);
      this.#tabs[next].focus();
    }
  }
}

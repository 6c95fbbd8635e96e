import { element } from "../dom.js";

/** @typedef {import("./catalogue.js").Entry} Entry */

const FREE = "";
let options = 0;

/**
 * Where the address is chosen: a field to search in, with the list of the catalogue below it while it has the focus
 * (the combobox pattern of the ARIA Authoring Practices).
 */
export class Picker {
  #chosen;
  /** @type {readonly Entry[]} */
  #entries = [];
  #address = "";
  #active = -1;
  #list = element("div", { class: "picker-list", role: "listbox", id: "picker-list", "aria-label": "Addresses", hidden: true });
  #input = element("input", {
    id: "picker", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: "Search an address",
    "aria-expanded": "false", "aria-controls": "picker-list", "aria-autocomplete": "list",
  });

  /** @param {(entry: Entry | undefined) => void} chosen is told the choice, `undefined` for a free address */
  constructor(chosen) {
    this.#chosen = chosen;
    this.element = element("div", { class: "picker" }, element("label", { for: "picker" }, "Address"), this.#input, this.#list);
    this.#input.addEventListener("focus", () => this.#input.select());
    this.#input.addEventListener("click", () => this.#open(""));
    this.#input.addEventListener("input", () => this.#open(this.#input.value));
    this.#input.addEventListener("blur", () => this.#close());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the field
    this.#list.addEventListener("click", ({ target }) => this.#take(/** @type {Element} */ (target).closest("[role=option]")));
  }

  /** @param {readonly Entry[]} entries */
  set entries(entries) {
    this.#entries = entries;
  }

  /** @param {string} address to show as the chosen one */
  show(address) {
    this.#address = address;
    if (document.activeElement !== this.#input || this.#list.hidden) {
      this.#input.value = address;
    }
  }

  /** @param {string} text to find in an address or in what it does */
  #open(text) {
    const words = text.toLowerCase().split(/[\s/]+/).filter(Boolean);
    const found = this.#entries.filter(({ address, summary }) => {
      const all = `${address} ${summary}`.toLowerCase();
      return words.every((word) => all.includes(word));
    });
    this.#list.replaceChildren(...groups(found), option(FREE, "Free address", "Any address, written by hand."));
    this.#list.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
    this.#activate(words.length ? 0 : -1);
  }

  #close() {
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
    this.#input.value = this.#address;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      if (this.#list.hidden) {
        this.#open("");
      }
      this.#activate(this.#active + (key === "ArrowDown" ? 1 : -1));
    } else if (key === "Enter" && !this.#list.hidden) {
      event.preventDefault();
      this.#take(this.#options[this.#active]);
    } else if (key === "Escape") {
      this.#close();
    }
  }

  /** @returns {Element[]} */
  get #options() {
    return [...this.#list.querySelectorAll("[role=option]")];
  }

  /** @param {number} place */
  #activate(place) {
    const all = this.#options;
    this.#active = Math.max(-1, Math.min(all.length - 1, place));
    all.forEach((each, index) => each.setAttribute("aria-selected", String(index === this.#active)));
    const active = all[this.#active];
    if (active) {
      this.#input.setAttribute("aria-activedescendant", active.id);
      active.scrollIntoView({ block: "nearest" });
    }
  }

  /** @param {Element | null | undefined} chosen */
  #take(chosen) {
    if (chosen instanceof HTMLElement) {
      const { address } = chosen.dataset;
      this.#address = address || this.#address;
      this.#close();
      this.#chosen(this.#entries.find((entry) => entry.address === address));
    }
  }
}

/** @param {readonly Entry[]} entries */
function groups(entries) {
  const places = new Set(entries.map(({ address }) => address.slice(0, address.lastIndexOf("/"))));
  return [...places].map((place) => {
    const id = `picker-group-${++options}`;
    const inside = entries.filter(({ address }) => address.slice(0, address.lastIndexOf("/")) === place);
    return element("div", { role: "group", "aria-labelledby": id }, element("p", { id, role: "presentation" }, place),
      ...inside.map(({ address, summary }) => option(address, address.slice(place.length + 1), summary)));
  });
}

/**
 * @param {string} address
 * @param {string} name
 * @param {string} summary
 */
function option(address, name, summary) {
  return element("div", { role: "option", id: `picker-option-${++options}`, "data-address": address, "aria-selected": "false" },
    element("b", {}, name), " ", element("span", {}, summary.replaceAll("`", "")));
}

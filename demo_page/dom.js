/** Elements: making them, and changing what is shown without touching what stays (the focus lives there). */

/**
 * Make an element. A function among the attributes listens to the event of that name; `false` leaves an attribute out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | ((event: any) => void)>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      node.addEventListener(name, value);
    } else if (value !== false) {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  node.append(...children);
  return node;
}

/**
 * Find an element of the page by its id.
 *
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function find(id, kind) {
  const node = document.getElementById(id);
  if (!(node instanceof kind)) {
    throw new Error(`the page has no such element: ${id}`);
  }
  return node;
}

/**
 * Make the children exactly these, in this order. Those that stay are not moved, so they keep focus and text.
 *
 * @param {Element} parent
 * @param {readonly Element[]} wanted
 */
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) {
    if (!keep.has(child)) {
      child.remove();
    }
  }
  wanted.forEach((node, place) => {
    const there = parent.children[place] ?? null;
    if (there !== node) {
      parent.insertBefore(node, there);
    }
  });
}

/**
 * Show a text, without a change where it stands already (a live region would read it again).
 *
 * @param {Element} node
 * @param {string} text
 */
export function show(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/**
 * @param {string} text in which code stands between backticks, as in the descriptions of the schemas
 * @returns {(Node | string)[]}
 */
export function words(text) {
  return text.split("`").map((part, place) => (place % 2 ? element("code", {}, part) : part));
}

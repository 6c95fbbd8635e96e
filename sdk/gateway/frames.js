/**
 * The frames of the host page: which windows stand in one, which have gone, and which have loaded something new.
 *
 * A page learns little of a frame of another origin. `load` says that some document has come, not which; removal can be
 * seen in the tree; and `closed` says it for certain.
 */

/**
 * @typedef {object} Told
 * @property {() => void} changed frames may have been removed
 * @property {(window: any) => void} loaded a frame's document has loaded
 */

const BLANK = "about:blank";

export class Frames {
  #target;
  #document;
  #told;
  #observer;
  /** Frames that have loaded a document. @type {WeakSet<Element>} */
  #loaded = new WeakSet();

  /**
   * @param {any} target the host's window
   * @param {Told} told
   */
  constructor(target, told) {
    this.#target = target;
    this.#document = target.document;
    this.#told = told;
    for (const frame of this.#all()) {
      this.#loaded.add(frame); // it may have: then its `load` does not come again
    }
    this.#document.addEventListener("load", this.#hear, true); // `load` does not bubble
    this.#observer = new target.MutationObserver(() => told.changed());
    this.#observer.observe(this.#document, { childList: true, subtree: true });
  }

  close() {
    this.#document.removeEventListener("load", this.#hear, true);
    this.#observer.disconnect();
  }

  /**
   * Whether a window is that of a frame which the host page itself put there, not one within a frame, nor opened.
   *
   * @param {any} window
   */
  isChild(window) {
    return window !== this.#target && !window.closed && window.parent === this.#target;
  }

  /**
   * @param {any} window
   * @returns {boolean} whether its frame can be watched; one within a shadow tree cannot
   */
  isWatched(window) {
    return this.#find(window) !== undefined;
  }

  /** @param {any} window */
  hasLoaded(window) {
    const frame = this.#find(window);
    return frame !== undefined && this.#loaded.has(frame);
  }

  /** @param {any} window */
  #find(window) {
    return this.#all().find((frame) => frame.contentWindow === window);
  }

  /** @returns {any[]} */
  #all() {
    return [...this.#document.querySelectorAll("iframe, frame, object, embed")];
  }

  #hear = (/** @type {any} */ { target: frame }) => {
    if (frame.contentWindow && frame.contentDocument?.URL !== BLANK) {
      this.#loaded.add(frame);
      this.#told.loaded(frame.contentWindow);
    }
  };
}

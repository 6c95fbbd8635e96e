/** Keeps the focus where the person is while parts of the page are out of reach for a while. */
export class FocusKeeper {
  /** @type {HTMLElement | null} */
  #left = null;

  /**
   * Change what can be reached. An element that loses the focus by it gets it back as soon as it can be reached again,
   * unless the person has gone elsewhere.
   *
   * @param {() => void} change
   */
  keepWhile(change) {
    const before = document.activeElement;
    change();
    if (before instanceof HTMLElement && before.closest("[inert]")) {
      this.#left = before;
      before.blur();
    } else if (this.#left && !this.#left.closest("[inert]")) {
      if (document.activeElement === document.body) {
        this.#left.focus();
      }
      this.#left = null;
    }
  }
}

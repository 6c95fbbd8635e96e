/**
 * The latest things, so many and no more: the oldest are forgotten.
 *
 * @template Key
 * @template Value
 */
export class Recent {
  /** @type {Map<Key, Value>} */
  #kept = new Map();
  #most;

  /** @param {number} most */
  constructor(most) {
    this.#most = most;
  }

  get size() {
    return this.#kept.size;
  }

  /**
   * @param {Key} key
   * @param {Value} value
   */
  set(key, value) {
    this.#kept.delete(key);
    this.#kept.set(key, value);
    if (this.#kept.size > this.#most) {
      const [oldest] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
  }

  /** @param {Key} key */
  get(key) {
    return this.#kept.get(key);
  }

  /** @param {Key} key */
  has(key) {
    return this.#kept.has(key);
  }

  /** @param {Key} key */
  delete(key) {
    return this.#kept.delete(key);
  }
}

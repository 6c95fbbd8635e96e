/** `postMessage` carries more than JSON: maps, dates, numbers that are none, objects that contain themselves. */

const DEPTH = 64;

/**
 * Say whether a value can be written as JSON without a loss, in no more than about so many characters. It looks at no
 * more than that many parts, however often the value contains the same one again.
 *
 * @param {unknown} value
 * @param {number} most
 * @returns {"json" | "other" | "long"}
 */
export function judgeJson(value, most) {
  const walk = new Walk(most);
  const right = walk.visit(value, 1);
  return walk.left < 0 ? "long" : right ? "json" : "other";
}

/** @param {unknown} value */
export const isObject = (value) => Object.prototype.toString.call(value) === "[object Object]";

/**
 * Equal texts for equal values: the order of keys does not count.
 *
 * @param {unknown} value
 */
export const canonicalJson = (value) =>
  JSON.stringify(value, (_key, each) => (isObject(each) ? Object.fromEntries(Object.entries(each).sort()) : each));

/** @param {string} text */
export const byteLength = (text) => new TextEncoder().encode(text).length;

class Walk {
  /** @param {number} left */
  constructor(left) {
    this.left = left;
  }

  /**
   * @param {unknown} value
   * @param {number} depth
   * @returns {boolean} whether it is JSON, as far as one could look
   */
  visit(value, depth) {
    this.left -= typeof value === "string" ? value.length + 1 : 1;
    if (this.left < 0 || depth > DEPTH) {
      return false;
    }
    if (Array.isArray(value)) {
      return this.#fits(value.length) && Array.from(value).every((each) => this.visit(each, depth + 1));
    }
    if (value !== null && typeof value === "object") {
      return isObject(value) && Object.entries(value).every((each) => this.#visitField(each, depth));
    }
    return value === null || typeof value !== "number" ? isScalar(value) : Number.isFinite(value);
  }

  /** @param {number} parts that are still to be looked at */
  #fits(parts) {
    this.left = parts > this.left ? -1 : this.left;
    return this.left >= 0;
  }

  /**
   * A field that is `undefined` is left out, as `JSON.stringify` does.
   *
   * @param {[string, unknown]} field
   * @param {number} depth
   */
  #visitField([key, value], depth) {
    this.left -= key.length;
    return value === undefined || this.visit(value, depth + 1);
  }
}

/** @param {unknown} value */
const isScalar = (value) => value === null || ["string", "boolean"].includes(typeof value);

/** JSON that a person writes: where it is wrong, and what a parser would lose without a word. */

const MAX_DEPTH = 64;
const LITERAL = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/** Text that is no JSON, with the place where that shows. */
export class JsonFault extends Error {
  /**
   * @param {string} message
   * @param {string} text
   * @param {number} at
   */
  constructor(message, text, at) {
    super(message);
    const before = text.slice(0, at).split("\n");
    this.at = at;
    this.line = before.length;
    this.column = before[before.length - 1].length + 1;
  }
}

/**
 * @param {string} text
 * @returns {{value: any, doubled: string[]}} `doubled`: keys that stand twice in one object, of which the last one counts
 * @throws {JsonFault}
 */
export function parse(text) {
  const scanner = new Scanner(text);
  scanner.whole();
  return { value: JSON.parse(text), doubled: scanner.doubled };
}

/** Walks over JSON without keeping any of it. */
class Scanner {
  /** @type {string[]} */
  doubled = [];
  #text;
  #at = 0;
  #depth = 0;

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  whole() {
    this.#value();
    if (this.#next()) {
      this.#fail("there is more after the end of the JSON");
    }
  }

  #value() {
    const next = this.#next();
    if (next === "{" || next === "[") {
      this.#at += 1;
      this.#nest(next === "{" ? () => this.#members() : () => this.#items());
    } else if (next === '"') {
      this.#string();
    } else if (this.#match(LITERAL) === undefined) {
      this.#fail(next ? "a value was expected here" : "the JSON ends too early");
    }
  }

  /** @param {() => void} inside */
  #nest(inside) {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      this.#fail(`nested more than ${MAX_DEPTH} deep`);
    }
    inside();
    this.#depth -= 1;
  }

  #members() {
    const keys = new Set();
    this.#list("}", () => {
      if (this.#next() !== '"') {
        this.#fail("a key in double quotes was expected here");
      }
      const key = JSON.parse(this.#string());
      if (keys.has(key)) {
        this.doubled.push(key);
      }
      keys.add(key);
      this.#take(":", "a colon was expected after the key");
      this.#value();
    });
  }

  #items() {
    this.#list("]", () => this.#value());
  }

  /**
   * @param {string} end
   * @param {() => void} each
   */
  #list(end, each) {
    if (this.#next() === end) {
      this.#at += 1;
      return;
    }
    each();
    while (this.#next() === ",") {
      this.#at += 1;
      each();
    }
    this.#take(end, `a comma or ${end} was expected here`);
  }

  #string() {
    return this.#match(STRING) ?? this.#fail("this string does not end, or has a character that JSON wants escaped");
  }

  /**
   * @param {string} wanted
   * @param {string} otherwise
   */
  #take(wanted, otherwise) {
    if (this.#next() !== wanted) {
      this.#fail(otherwise);
    }
    this.#at += 1;
  }

  /** @param {RegExp} pattern */
  #match(pattern) {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  /** @returns {string} the next character that counts, empty at the end */
  #next() {
    while (" \t\r\n".includes(this.#text[this.#at] || "-")) {
      this.#at += 1;
    }
    return this.#text.charAt(this.#at);
  }

  /**
   * @param {string} message
   * @returns {never}
   */
  #fail(message) {
    throw new JsonFault(message, this.#text, this.#at);
  }
}

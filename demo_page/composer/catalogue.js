import { canonical } from "./draft.js";
import { fieldOf } from "./schema.js";

/** @typedef {import("./schema.js").Field} Field */

/**
 * @typedef {object} Entry what a client may send
 * @property {string} address
 * @property {string} file
 * @property {"command" | "control"} kind
 * @property {string} summary
 */

/** The messages that a client may send, and how each looks, as the bridge tells it under `/schemas/`. */
export class Catalogue {
  /** @type {readonly Entry[]} */
  #entries;
  /** @type {Map<string, Promise<{field: Field, example: any}>>} */
  #schemas = new Map();

  /** @param {Entry[]} entries */
  constructor(entries) {
    this.#entries = entries;
  }

  /** @returns {Promise<Catalogue>} */
  static async load() {
    const { messages } = await get("index.json");
    return new Catalogue(messages.filter((/** @type {any} */ each) => each.sender === "client"));
  }

  /** @returns {readonly Entry[]} those of the telephones first, those to the bridge itself last */
  get entries() {
    const isControl = (/** @type {Entry} */ entry) => Number(entry.kind === "control");
    return this.#entries.toSorted((one, other) => isControl(one) - isControl(other));
  }

  /**
   * @param {string} address in any spelling that the bridge takes
   * @returns {Entry | undefined}
   */
  find(address) {
    const [channel, ...rest] = address.split("/");
    const place = rest.map(canonical).join("/").replace(/\/setconsult_call$/, "/setconsult");
    return this.#entries.find((entry) => {
      const [own, ...others] = entry.address.split("/");
      return own === channel && others.join("/").toLowerCase() === place;
    });
  }

  /**
   * @param {Entry} entry
   * @returns {Promise<{field: Field, example: any}>}
   */
  schema({ file }) {
    const known = this.#schemas.get(file);
    if (known) {
      return known;
    }
    const wanted = get(file).then((schema) => ({ field: fieldOf(schema), example: schema.examples?.[0] }));
    this.#schemas.set(file, wanted);
    wanted.catch(() => this.#schemas.delete(file)); // it may be there the next time
    return wanted;
  }
}

/** @param {string} file */
async function get(file) {
  const response = await fetch(`/schemas/${file}`);
  if (!response.ok) {
    throw new Error(`${response.status} for /schemas/${file}`);
  }
  return response.json();
}

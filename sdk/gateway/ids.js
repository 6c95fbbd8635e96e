import { Recent } from "./recent.js";

/**
 * A gadget's ids, on the bus and back.
 *
 * All gadgets of a page share one session and one workspace, in which an id names one message. So each origin has a
 * prefix of its own: two gadgets may both use `1`, none can use another's, and none learns of another's outcomes by
 * repeating its id. The same id gives the same id on the bus, always: sent again, also after a reload of gadget or
 * host page, it has no second effect.
 */

const ID = /^[\x20-\x7e]{1,64}$/;
const LONGEST = 64;
const KEPT = 1024;

/** @param {unknown} id */
export const isId = (id) => typeof id === "string" && ID.test(id);

export class Ids {
  #prefix;
  /** Ids that are too long to carry the prefix, by what stands for them. @type {Recent<string, string>} */
  #long = new Recent(KEPT);

  /** @param {string} origin of the gadget */
  constructor(origin) {
    this.#prefix = `${digest(origin)}.`;
  }

  /**
   * @param {string} id as the gadget has it
   * @returns {string} as the bus has it
   */
  toBus(id) {
    const whole = this.#prefix + id;
    if (whole.length <= LONGEST && !id.startsWith("~")) {
      return whole;
    }
    const short = `${this.#prefix}~${digest(id)}${digest([...id].reverse().join(""))}`;
    this.#long.set(short, id);
    return short;
  }

  /**
   * @param {string} id as the bus has it
   * @returns {string} as the gadget has it, where the gadget gave it; otherwise as it was
   */
  fromBus(id) {
    if (!id.startsWith(this.#prefix)) {
      return id;
    }
    return this.#long.get(id) ?? id.slice(this.#prefix.length);
  }

  /**
   * @param {import("./bridge.js").Message} message of the bus
   * @returns {import("./bridge.js").Message} with the gadget's own ids where they are its own
   */
  inMessage(message) {
    const { id, correlationId } = message;
    return {
      ...message,
      ...(id === undefined ? {} : { id: this.fromBus(id) }),
      ...(correlationId === undefined ? {} : { correlationId: this.fromBus(correlationId) }),
    };
  }
}

/**
 * FNV-1a in 64 bits: short and always the same. It keeps names apart and is no protection of anything, since the
 * origins are the host's own choice.
 *
 * @param {string} text
 * @returns {string} 13 letters and digits
 */
export function digest(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(36).padStart(13, "0");
}

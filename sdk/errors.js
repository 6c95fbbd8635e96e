/** @typedef {import("./workspace-bridge.js").BridgeError} Declared */

/**
 * Everything that the SDK rejects with. `code` is a word, or the number of the close that ended the session.
 *
 * @implements {Declared}
 */
export class BridgeError extends Error {
  /**
   * @param {string | number} code
   * @param {string} message
   * @param {string} [id] of the message that it is about
   * @param {any} [body] what the bridge said
   * @param {boolean} [temporary]
   */
  constructor(code, message, id, body, temporary = false) {
    super(message);
    this.name = "BridgeError";
    this.code = code;
    this.id = id;
    this.body = body;
    this.temporary = temporary;
  }
}

/**
 * @param {string | undefined} id
 * @param {any} body of `Rejected`
 */
export const rejected = (id, body) =>
  new BridgeError(body.code, `${body.code}: ${body.message}`, id, body, body.temporary);

/**
 * Tell of a fault in somebody else's code without being stopped by it.
 *
 * @param {unknown} fault
 */
export const report = (fault) => (globalThis.reportError ?? console.error)(fault);

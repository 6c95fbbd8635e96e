/** Why a gadget's message is not carried out, in the shape of the wire protocol's `Rejected`. */

const TEMPORARY = ["rate_limited", "unavailable", "not_signed_in"];

/** @typedef {{pointer: string, code: string, message: string, hint?: string}} FieldError */

/** The rule that a gadget is told of when the gateway, and not the bridge, refuses. */
export const RULE = "gateway";

export class Refusal extends Error {
  /**
   * @param {string} code of the wire protocol
   * @param {string} message
   * @param {Record<string, unknown>} [details] further fields of this code
   */
  constructor(code, message, details = {}) {
    super(message);
    /** The body of `Rejected`. @type {Record<string, any>} */
    this.body = { code, message, temporary: TEMPORARY.includes(code), ...details };
  }
}

/** @param {string} what such as "publish Cisco/InboundCall/SetHOLD" */
export const notPermitted = (what) => new Refusal("not_permitted", `this gadget may not ${what}`, { rule: RULE });

/**
 * @param {FieldError[]} errors at least one
 * @param {string} [code]
 */
export const wrongFields = (errors, code = "invalid_envelope") =>
  new Refusal(code, errors[0].message, { errors: errors.slice(0, 16) });

/**
 * @param {string} what such as "128 patterns"
 * @param {number} limit
 */
export const tooMuch = (what, limit) => new Refusal("limit_exceeded", `more than ${what}`, { limit });

/** @param {number} waitMs */
export const tooFast = (waitMs) =>
  new Refusal("rate_limited", "this gadget sends faster than it may", { retryAfterMs: Math.max(1, Math.ceil(waitMs)) });

/**
 * @param {string} message
 * @param {boolean} [temporary]
 */
export const unavailable = (message, temporary = true) => new Refusal("unavailable", message, { temporary });

/** What the SDK gives up with where no answer came, in words for the gadget. @type {Record<string, string>} */
const LOST = {
  offline: "the bridge cannot be reached now; this was not sent",
  not_sent: "the connection was lost before this arrived; nothing was done",
  unknown: "the connection was lost before the answer: the same again with the same id has no second effect",
};

const ENDED = "the host page's session with the bridge has ended";

/** Codes of the wire protocol that the SDK refuses with itself. */
const OWN = ["limit_exceeded", "invalid_envelope", "not_permitted"];

/**
 * @param {any} error what the SDK, or the gateway itself, refused with
 * @returns {Record<string, any>} the body of `Rejected`
 */
export function refusalBody(error) {
  if (error?.body) {
    return error.body;
  }
  if (OWN.includes(error?.code)) {
    return new Refusal(error.code, error.message).body;
  }
  const text = LOST[error?.code];
  return unavailable(text ?? ENDED, text !== undefined).body;
}

/**
 * @param {{state: string}} bridge
 * @throws {Refusal} its session has ended, and no other follows
 */
export function checkAlive({ state }) {
  if (state === "closed") {
    throw unavailable(ENDED, false);
  }
}

/**
 * @param {{state: string}} bridge
 * @throws {Refusal} nothing can be sent now
 */
export function checkReachable(bridge) {
  checkAlive(bridge);
  if (bridge.state !== "open") {
    throw unavailable(LOST.offline);
  }
}

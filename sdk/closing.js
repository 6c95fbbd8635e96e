/** What the end of a connection means (wire protocol, "Close codes"): why it came, and when to connect again. */

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
const FAILING_MS = 60_000;
const RESTART_MS = 5_000;
const CROWDED_MS = 5_000;

export const LOST = 1006;
export const EXPIRED = 4402;

/** After these the same would happen again. */
const FINAL = [1000, 1002, 1003, 1007, 1008, 1009, 4401, 4403];

/** @type {Record<number, string>} */
const MEANINGS = {
  1000: "closed",
  1001: "going away",
  1002: "protocol error",
  1003: "only text is taken",
  1006: "connection lost",
  1007: "text was not UTF-8",
  1008: "against the policy",
  1009: "message too big",
  1011: "error in the bridge",
  1012: "the bridge restarts",
  1013: "the bridge is too busy",
  4401: "not authenticated",
  4402: "token expired",
  4403: "not allowed",
  4408: "opening took too long",
  4410: "read too slowly",
  4429: "too many messages or connections",
};

/**
 * @param {number} code
 * @param {string} reason as the other side gave it
 */
export function explain(code, reason) {
  const meaning = MEANINGS[code] ?? "closed";
  return reason && reason !== meaning ? `${meaning}: ${reason} (${code})` : `${meaning} (${code})`;
}

/**
 * @param {number} code
 * @param {boolean} renewable whether a newer token can be had
 */
export const isFinal = (code, renewable) => FINAL.includes(code) || (code === EXPIRED && !renewable);

/**
 * Full jitter: thousands of pages that lost their bridge at once come back spread out.
 *
 * @param {number} code
 * @param {number} attempt how many have failed in a row, from 0
 * @param {boolean} failing whether there was never a session
 * @param {number} chance from 0 to 1
 * @returns {number} milliseconds
 */
export function delay(code, attempt, failing, chance) {
  const first = code === 1001 || code === 1012 ? RESTART_MS : FIRST_MS;
  const ceiling = Math.min(failing ? FAILING_MS : LONGEST_MS, first * 2 ** attempt);
  return Math.round((code === 4429 ? CROWDED_MS : 0) + chance * ceiling);
}

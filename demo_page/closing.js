/** What the end of a connection means: why it came, and whether and when to connect again. */

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const RESTART_SPREAD_MS = 2_000;
const TOO_MANY_DELAY_MS = 5_000;

/** Codes after which the same would happen again; 4402 too, because this page has no other token to come with. */
const FINAL = new Set([1000, 1002, 1003, 1007, 1008, 1009, 4401, 4402, 4403]);

/** @type {Record<number, string>} */
const MEANINGS = {
  1000: "closed",
  1001: "the bridge is going away",
  1002: "protocol error",
  1003: "the bridge takes text only",
  1006: "connection lost",
  1007: "text that is not UTF-8",
  1008: "against the bridge’s policy",
  1009: "message too big",
  1011: "error in the bridge",
  1012: "the bridge is restarting",
  1013: "the bridge is too busy",
  4401: "not authenticated",
  4402: "token expired",
  4403: "not allowed in this workspace",
  4408: "opening took too long",
  4410: "this page read too slowly",
  4429: "too many messages or connections",
};

/**
 * @typedef {object} Verdict
 * @property {boolean} again whether to connect again
 * @property {number} delayMs when
 * @property {string} text why the connection ended
 */

/**
 * @param {number} code of the close
 * @param {string} reason as the bridge gave it
 * @param {number} attempt how many attempts in a row have failed, from 0
 * @returns {Verdict}
 */
export function judge(code, reason, attempt) {
  const meaning = MEANINGS[code] ?? "closed";
  const text = reason && reason !== meaning ? `${meaning}: ${reason} (${code})` : `${meaning} (${code})`;
  return { again: !FINAL.has(code), delayMs: delay(code, attempt), text };
}

/**
 * All pages of a site lose a restarting bridge at once: the random share keeps them from coming back at once too.
 *
 * @param {number} code
 * @param {number} attempt
 * @returns {number} milliseconds
 */
function delay(code, attempt) {
  if (attempt === 0 && (code === 1001 || code === 1012)) {
    return Math.random() * RESTART_SPREAD_MS;
  }
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  const jittered = ceiling * (0.5 + Math.random() / 2);
  return code === 4429 ? TOO_MANY_DELAY_MS + jittered : jittered;
}

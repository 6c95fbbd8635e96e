/** Patterns of addresses: one to three segments, `*` stands for any, missing ones at the end mean any. */

/** @typedef {readonly [string, string, string]} Pattern `*` in a place means any segment there */

/** @typedef {{channel: string, topic: string, subtopic: string}} Address */

const SEGMENT = /^[A-Za-z0-9_.-](?:[A-Za-z0-9 _.-]{0,62}[A-Za-z0-9_.-])?$/;
const ANY = "*";

/** Here the bridge takes topic and subtopic in any case, so a right must not depend on it. */
const CASELESS = ["Cisco", "Simulator"];

/** @param {unknown} text */
export const isSegment = (text) => typeof text === "string" && SEGMENT.test(text);

/**
 * @param {unknown} text
 * @returns {Pattern | undefined} `undefined` where it is none
 */
export function parsePattern(text) {
  const segments = typeof text === "string" ? text.split("/") : [];
  if (segments.length < 1 || segments.length > 3 || !segments.every((each) => each === ANY || isSegment(each))) {
    return undefined;
  }
  const [channel, topic = ANY, subtopic = ANY] = segments;
  return [channel, topic, subtopic];
}

/**
 * @param {Pattern} pattern
 * @returns {string} the one way to write it: without `/*` at its end
 */
export const patternText = (pattern) => pattern.join("/").replace(/(\/\*)+$/, "");

/**
 * @param {Pattern} pattern
 * @param {Address} address
 */
export const matches = ([channel, topic, subtopic], address) =>
  (channel === ANY || channel === address.channel) &&
  (topic === ANY || topic === address.topic) &&
  (subtopic === ANY || subtopic === address.subtopic);

/**
 * Whether a right to publish covers an address, however the case of a catalogued topic was written.
 *
 * @param {Pattern} pattern
 * @param {Address} address
 */
export const covers = (pattern, address) =>
  matches(pattern, address) || (CASELESS.includes(address.channel) && matches(lower(pattern), lowerAddress(address)));

/**
 * @param {Pattern} outer
 * @param {Pattern} inner
 * @returns {boolean} whether `outer` matches whatever `inner` matches
 */
export const contains = (outer, inner) => outer.every((segment, place) => segment === ANY || segment === inner[place]);

/** @returns {Pattern} */
const lower = (/** @type {Pattern} */ [channel, topic, subtopic]) => [
  channel,
  topic.toLowerCase(),
  subtopic.toLowerCase(),
];

const lowerAddress = (/** @type {Address} */ { channel, topic, subtopic }) => ({
  channel,
  topic: topic.toLowerCase(),
  subtopic: subtopic.toLowerCase(),
});

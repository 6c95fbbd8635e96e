/** Patterns of addresses: one to three segments, `*` stands for any, missing ones mean any. */

const SEGMENT = /^(?:\*|[A-Za-z0-9_.\-](?:[A-Za-z0-9 _.\-]{0,62}[A-Za-z0-9_.\-])?)$/;

/**
 * @param {string} text
 * @returns {string[] | null} the segments, or `null` where the text is no pattern
 */
export function parsePattern(text) {
  const segments = text.split("/");
  return segments.length <= 3 && segments.every((segment) => SEGMENT.test(segment)) ? segments : null;
}

/**
 * @param {readonly string[]} pattern
 * @param {Pick<import("./message.js").Message, "channel" | "topic" | "subtopic">} message
 * @returns {boolean}
 */
export function matches(pattern, message) {
  const address = [message.channel, message.topic, message.subtopic];
  return pattern.every((segment, place) => segment === "*" || segment === address[place]);
}

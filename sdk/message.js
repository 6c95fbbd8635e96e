/** @typedef {import("./workspace-bridge.js").Message} Message */

/**
 * @param {Message} message
 * @returns {string} such as `Cisco/InboundCall/SetCONSULT`
 */
export const addressOf = ({ channel, topic, subtopic }) => `${channel}/${topic}/${subtopic}`;

/** A new `id`. Not the browser's UUID, which is missing where a page came over plain HTTP; Node.js 18 has no `crypto`. */
export function newId() {
  const bytes = new Uint8Array(12).map(() => Math.random() * 256);
  globalThis.crypto?.getRandomValues(bytes);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} pattern
 * @returns {string} as the bridge spells it
 */
export const canonical = (pattern) => pattern.replace(/(\/\*)+$/, "");

/**
 * @param {Iterable<string>} patterns
 * @param {Message} message
 */
export function matches(patterns, message) {
  const address = [message.channel, message.topic, message.subtopic];
  return [...patterns].some((pattern) =>
    pattern.split("/").every((segment, place) => segment === "*" || segment === address[place]));
}

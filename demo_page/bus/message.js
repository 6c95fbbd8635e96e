/**
 * The shape of everything on the wire.
 *
 * @typedef {object} Message
 * @property {string} channel
 * @property {string} topic
 * @property {string} subtopic
 * @property {string} [source]
 * @property {any} data
 * @property {string} [id]
 * @property {string} [time] when the bridge accepted it
 * @property {number} [offset] position in the workspace's stream; control messages have none
 * @property {string} [correlationId] `id` of the command or control message that caused this one
 */

/**
 * @param {Message} message
 * @returns {string} such as `Cisco/InboundCall/SetCONSULT`
 */
export function addressOf(message) {
  return `${message.channel}/${message.topic}/${message.subtopic}`;
}

/**
 * A new `id`. Random numbers, not a UUID of the browser's: that one is missing where the page comes over plain HTTP.
 *
 * @returns {string}
 */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

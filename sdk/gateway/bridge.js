/**
 * What the gateway needs of the SDK's bridge: the seam between the two.
 *
 * @typedef {object} Message
 * @property {string} channel
 * @property {string} topic
 * @property {string} subtopic
 * @property {string} [source]
 * @property {any} [data]
 * @property {string} [id]
 * @property {string} [time]
 * @property {number} [offset]
 * @property {string} [correlationId]
 */

/** @typedef {{via: string}} Delivery how a message came: "control", "snapshot", "recovered" or "live" */

/**
 * @typedef {object} Joined
 * @property {boolean} recovered whether `messages` are exactly those that were missed; otherwise they are the snapshot
 * @property {boolean} again whether it had been joined before
 * @property {string} epoch
 * @property {number} offset
 * @property {any[]} messages
 */

/** @typedef {Promise<any> & {id: string, accepted: Promise<any>}} Run */

/**
 * @typedef {object} SubscribeOptions
 * @property {boolean} [echo] also what this session publishes
 * @property {(joined: any) => void} [onJoined]
 * @property {(error: any) => void} [onRefused]
 */

/**
 * @typedef {object} Bridge
 * @property {string} state
 * @property {any} opened
 * @property {{epoch: string, offset: number}} [position]
 * @property {(type: string, listener: (event: any) => void) => void} addEventListener
 * @property {(type: string, listener: (event: any) => void) => void} removeEventListener
 * @property {(patterns: any, listener: (message: any, delivery: any) => void, options?: SubscribeOptions) => () => void
 *   } subscribe
 * @property {(message: any) => Promise<any>} publish
 * @property {(message: any) => Run} command
 * @property {(message: any) => Promise<any>} request
 */

/** Channels of the catalogue: whatever a client may publish there is a command, and ends in one outcome. */
const COMMAND_CHANNELS = ["Cisco", "Simulator"];

const OUTCOMES = ["Completed", "Failed", "TimedOut"];

/** @param {{channel: string}} message */
export const isCommand = ({ channel }) => COMMAND_CHANNELS.includes(channel);

/** @param {Message} message */
export const isOutcome = ({ channel, topic, subtopic }) =>
  channel === "Bridge" && topic === "Command" && OUTCOMES.includes(subtopic);

/**
 * @param {{channel: string, topic: string, subtopic: string}} message
 * @returns {string} such as `Cisco/InboundCall/SetCONSULT`
 */
export const addressOf = ({ channel, topic, subtopic }) => `${channel}/${topic}/${subtopic}`;

/**
 * A message of the gateway's own, as the bridge would send it.
 *
 * @param {string} address
 * @param {any} data
 * @param {string} [correlationId]
 * @returns {Message}
 */
export function compose(address, data, correlationId) {
  const [channel, topic, subtopic] = address.split("/");
  return { channel, topic, subtopic, ...(correlationId === undefined ? {} : { correlationId }), data };
}

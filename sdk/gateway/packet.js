import { normalised } from "./envelope.js";
import { isObject } from "./json.js";

/**
 * The documented outer form: a packet with `channel`, empty `topic` and `subtopic`, `ResponseUrl`, `SubscriberID` and
 * the message. Nothing in it says who sends: the browser does.
 *
 * @typedef {object} Packet
 * @property {string} channel
 * @property {string} responseUrl as the gadget gave it; it gets it back and nothing is sent there
 * @property {string} subscriberId empty where the gadget has none yet
 * @property {unknown} message `undefined` where it only registers
 */

/** Both are mandatory in a packet; whoever sends either means one. */
const MARKS = ["responseurl", "subscriberid"];
const LONGEST = 2048;

/**
 * @param {Record<string, unknown>} posted
 * @returns {Packet | undefined} `undefined` where it is no packet
 */
export function readPacket(posted) {
  const fields = new Map(Object.entries(posted).map(([key, value]) => [normalised(key), value]));
  if (fields.get("topic") || !fields.has("channel") || !MARKS.some((mark) => fields.has(mark))) {
    return undefined;
  }
  return {
    channel: text(fields.get("channel")),
    responseUrl: text(fields.get("responseurl")),
    subscriberId: text(fields.get("subscriberid")),
    message: fields.get("message") ?? fields.get("okmessage") ?? undefined,
  };
}

/**
 * @param {unknown} message what a packet holds
 * @returns {boolean} whether it registers only: no message, or an empty one
 */
export const isEmpty = (message) =>
  message === undefined || message === "" || (isObject(message) && !Object.keys(Object(message)).length);

/**
 * @param {import("./bridge.js").Message} message
 * @param {{responseUrl: string, subscriberId: string}} packets
 */
export const wrap = (message, { responseUrl, subscriberId }) => ({
  channel: message.channel,
  topic: "",
  subtopic: "",
  ResponseUrl: responseUrl,
  SubscriberID: subscriberId,
  message,
});

/** @returns {string} eight digits, as in the documented example */
export const newSubscriberId = () => String(10_000_000 + (crypto.getRandomValues(new Uint32Array(1))[0] % 90_000_000));

/** @param {unknown} value */
const text = (value) => (typeof value === "string" || typeof value === "number" ? String(value).slice(0, LONGEST) : "");

import { isId } from "./ids.js";
import { byteLength, judgeJson } from "./json.js";
import { isSegment } from "./pattern.js";
import { Refusal, tooMuch, wrongFields } from "./refusal.js";

/** The envelope of what a gadget posted: read with the bridge's own leniency, since rights depend on the address. */

/**
 * @typedef {object} Sent a message with a good envelope, ready to be judged by its address
 * @property {string} channel
 * @property {string} topic
 * @property {string} subtopic
 * @property {any} data
 * @property {string} [id] the gadget's own
 */

/** @typedef {{pointer: string, message: string}} Warning */

/** @typedef {import("./refusal.js").FieldError} FieldError */

const ADDRESS = /** @type {const} */ (["channel", "topic", "subtopic"]);
const FIELDS = [...ADDRESS, "source", "data", "id", "time", "offset", "correlationId"];
const MOST_FIELDS = 32;

/** @type {ReadonlyMap<string, string>} */
const KNOWN = new Map(FIELDS.map((name) => [name.toLowerCase(), name]));

/** What other buses, and answers of the documented family, call the body. */
const BODIES = ["message", "payload", "body"];

/** @param {string} key */
export const normalised = (key) => key.trim().toLowerCase();

/**
 * Whether an object may be meant for the bus at all: other libraries post objects too.
 *
 * @param {object} posted
 */
export const hasAddress = (posted) =>
  Object.keys(posted).some((key) => ADDRESS.some((name) => name === normalised(key)));

/**
 * @param {Record<string, unknown>} posted
 * @param {number} limit bytes
 * @returns {{message: Sent, warnings: Warning[]}}
 * @throws {Refusal}
 */
export function readEnvelope(posted, limit) {
  const { fields, warnings, errors } = repaired(posted);
  errors.push(...ADDRESS.flatMap((name) => wrongSegment(name, fields.get(name))));
  const id = fields.get("id") ?? undefined;
  if (id !== undefined && !isId(id)) {
    errors.push({ pointer: "/id", code: "wrong_format", message: "id must be 1 to 64 printable ASCII characters" });
  }
  if (errors.length) {
    throw wrongFields(errors);
  }
  const [channel, topic, subtopic] = ADDRESS.map((name) => /** @type {string} */ (fields.get(name)));
  const message = { channel, topic, subtopic, data: fields.get("data") ?? null, id: /** @type {any} */ (id) };
  checkSize(message, limit);
  return { message, warnings };
}

/**
 * @param {Record<string, unknown>} posted
 */
function repaired(posted) {
  /** @type {Map<string, unknown>} */
  const fields = new Map();
  /** @type {Warning[]} */
  const warnings = [];
  /** @type {FieldError[]} */
  const errors = [];
  const sent = Object.entries(posted).filter(([, value]) => value !== undefined);
  for (const [key, value] of sent.slice(0, MOST_FIELDS)) {
    const name = KNOWN.get(normalised(key));
    const pointer = `/${(name ?? key).slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (name === undefined) {
      const text = `${key.slice(0, 64)} is no field of this message`;
      errors.push({ pointer, code: "unknown", message: text, ...hintOn(key) });
    } else if (fields.has(name)) {
      errors.push({ pointer, code: "doubled", message: `${name} was sent twice`, hint: "send each field once" });
    } else {
      fields.set(name, value);
      if (name !== key) {
        warnings.push({ pointer: `/${key}`, message: `'${key}' was taken as '${name}'` });
      }
    }
  }
  return { fields, warnings, errors };
}

/** @param {string} key that is unknown */
const hintOn = (key) => (BODIES.includes(normalised(key)) ? { hint: "the body goes in data" } : {});

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {FieldError[]}
 */
function wrongSegment(name, value) {
  if (isSegment(value)) {
    return [];
  }
  const pointer = `/${name}`;
  const hint = "an address has channel, topic and subtopic, each a string";
  return value === undefined
    ? [{ pointer, code: "missing", message: `${name} is required`, hint }]
    : [{ pointer, code: "wrong_format", message: `${name} is no segment of an address`, hint }];
}

/**
 * @param {Sent} message
 * @param {number} limit
 */
function checkSize(message, limit) {
  const verdict = judgeJson(message.data, limit);
  if (verdict === "other") {
    throw new Refusal("malformed_json", "data holds something that is not JSON, or nests over 64");
  }
  if (verdict === "long" || byteLength(JSON.stringify(message)) > limit) {
    throw tooMuch(`${limit} bytes`, limit);
  }
}

import { parsePattern } from "./pattern.js";

/**
 * @typedef {object} Grant one entry of the list, read
 * @property {string} origin
 * @property {string} app
 * @property {import("./pattern.js").Pattern[]} publish
 * @property {import("./pattern.js").Pattern[]} subscribe
 * @property {number} messagesPerSecond
 */

/**
 * @typedef {object} Options
 * @property {import("./bridge.js").Bridge} bridge
 * @property {Grant[]} gadgets
 * @property {Window} target
 */

const APP = /^[\x20-\x7e]{1,128}$/;
const FIELDS = ["origin", "app", "publish", "subscribe", "messagesPerSecond"];
const BRIDGE = /** @type {const} */ (["subscribe", "publish", "command", "request", "addEventListener"]);
const MESSAGES_PER_SECOND = 50;

/**
 * @param {any} options as the host page gave them
 * @returns {Options}
 */
export function readOptions(options) {
  const { bridge, gadgets, target = globalThis.window } = options ?? {};
  const isBridge = BRIDGE.every((name) => typeof bridge?.[name] === "function");
  check(isBridge, "bridge: give what connect() resolved with");
  check(Array.isArray(gadgets), "gadgets: give an array");
  check(typeof target?.addEventListener === "function", "target: give the window that the frames stand in");
  /** @type {Grant[]} */
  const read = Array.from(gadgets, (each, place) => readGadget(each, `gadgets[${place}]`));
  const origins = new Set(read.map(({ origin }) => origin));
  check(origins.size === read.length, "gadgets: an origin stands in the list twice; gadgets are known by their origin");
  return { bridge, gadgets: read, target };
}

/**
 * @param {any} gadget
 * @param {string} place
 * @returns {Grant}
 */
function readGadget(gadget, place) {
  check(typeof gadget === "object" && gadget !== null, `${place}: give an object`);
  for (const name of Object.keys(gadget)) {
    check(FIELDS.includes(name), `${place}: there is no option ${name}`);
  }
  const { origin, app, publish = [], subscribe = [], messagesPerSecond = MESSAGES_PER_SECOND } = gadget;
  checkOrigin(origin, `${place}.origin`);
  check(typeof app === "string" && APP.test(app), `${place}.app: 1 to 128 printable ASCII characters`);
  check(messagesPerSecond > 0 && Number.isFinite(messagesPerSecond), `${place}.messagesPerSecond: a number above 0`);
  return {
    origin,
    app,
    publish: readPatterns(publish, `${place}.publish`),
    subscribe: readPatterns(subscribe, `${place}.subscribe`),
    messagesPerSecond,
  };
}

/**
 * @param {unknown} origin
 * @param {string} place
 */
function checkOrigin(origin, place) {
  const url = typeof origin === "string" && URL.canParse(origin) ? new URL(origin) : undefined;
  check(origin !== "null", `${place}: "null" is the origin of every sandboxed page; give the gadget a real one`);
  check(url && /^https?:$/.test(url.protocol), `${place}: an origin such as https://notes.example.com`);
  check(url?.origin === origin, `${place}: write it exactly as browsers do: ${url?.origin}`);
}

/**
 * @param {unknown} texts
 * @param {string} place
 */
function readPatterns(texts, place) {
  check(Array.isArray(texts), `${place}: give an array of patterns`);
  return /** @type {unknown[]} */ (texts).map((text, index) => {
    const pattern = parsePattern(text);
    check(pattern, `${place}[${index}]: ${JSON.stringify(text)} is no pattern such as Cisco/InboundCall`);
    return /** @type {import("./pattern.js").Pattern} */ (pattern);
  });
}

/**
 * @param {unknown} right
 * @param {string} message
 */
function check(right, message) {
  if (!right) {
    throw new TypeError(`openGateway: ${message}`);
  }
}

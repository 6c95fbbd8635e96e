/**
 * The message that is being written, by paths. Keys are found as leniently as the bridge finds them, and what a person
 * wrote in the JSON keeps its spelling, and stays although the form does not know it.
 */

/** @typedef {readonly string[]} Path */

/**
 * @param {string} key
 * @returns {string} what of its spelling counts
 */
export function canonical(key) {
  return key.trim().toLowerCase();
}

/**
 * @param {any} object
 * @param {string} key
 * @returns {string} the key as it is spelt in the object, or as it is given where it is not there
 */
export function spelling(object, key) {
  return Object.hasOwn(object, key) ? key : Object.keys(object).find((each) => canonical(each) === canonical(key)) ?? key;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param {unknown} value
 * @param {string} key
 * @returns {any} `undefined` where there is no such thing
 */
export function at(value, key) {
  return isObject(value) ? value[spelling(value, key)] : undefined;
}

/**
 * @param {any} message
 * @param {Path} path
 * @param {unknown} value `undefined` takes it out
 * @returns {any} the message with that change
 */
export function changed(message, [key, ...rest], value) {
  const object = isObject(message) ? message : {};
  const name = spelling(object, key);
  const next = rest.length ? changed(object[name], rest, value) : value;
  const { [name]: _, ...others } = object;
  return next === undefined ? others : { ...object, [name]: next };
}

/**
 * @param {string} pointer RFC 6901
 * @returns {string[]}
 */
export function pathOf(pointer) {
  return pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

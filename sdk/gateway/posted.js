import { isId } from "./ids.js";
import { isObject } from "./json.js";
import { Refusal, tooMuch } from "./refusal.js";

/** What came by `postMessage`, before anything is known of it: an object, or a text that holds one. */

/**
 * @param {unknown} posted
 * @param {number} limit
 * @returns {Record<string, unknown>}
 * @throws {Refusal}
 */
export function readObject(posted, limit) {
  const value = typeof posted === "string" ? parse(posted, limit) : posted;
  if (!isObject(value)) {
    throw new Refusal("malformed_json", "a message is one JSON object");
  }
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * @param {unknown} posted that was refused, or not even read
 * @returns {string | undefined} its id, if it is easily found and a valid one
 */
export function salvageId(posted) {
  const { id, message } = /** @type {any} */ (isObject(posted) ? posted : {});
  const found = id ?? (isObject(message) ? message.id : undefined);
  return isId(found) ? found : undefined;
}

/**
 * @param {string} text
 * @param {number} limit
 */
function parse(text, limit) {
  if (text.length > limit) {
    throw tooMuch(`${limit} bytes`, limit);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal("malformed_json", `not valid JSON: ${/** @type {Error} */ (error).message.slice(0, 200)}`);
  }
}

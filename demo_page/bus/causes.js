/** Why a call failed, in words. @type {Record<string, string>} */
const CAUSES = { BUSY: "the number is busy", BAD_DESTINATION: "the number does not exist" };

/**
 * @param {string} cause as the switch gave it
 * @param {string} otherwise what to say of a cause that has no words here
 * @returns {string} with the code
 */
export function explainCause(cause, otherwise) {
  return cause in CAUSES ? `${CAUSES[cause]} (${cause})` : `${otherwise}${cause && ` (${cause})`}`;
}

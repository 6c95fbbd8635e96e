/** The consult message as its vendor documents it, and what the bridge makes of it. */

/** As it stands in print: two keys end in a space, and whom to call is missing. */
export const DOCUMENTED = `{   "channel": "Cisco",
    "topic": "InboundCall",
    "subtopic": "SetCONSULT",
    "data ":
    {
        "MediaAddress ": "5069",
        "CallID": "16786021"
    }
}
`;

/**
 * @param {string} extension of the agent
 * @param {string} call that is to be consulted on
 * @returns {string} the same message, with a colleague to call; the spaces are still there
 */
export function completed(extension, call) {
  return DOCUMENTED
    .replace('"5069"', JSON.stringify(extension || "5069"))
    .replace('"16786021"', `${JSON.stringify(call || "16786021")},\n        "toAddress": "5070"`);
}

/** What an agent can do with a call, in the order of the buttons; keys are the commands' subtopics. */

/**
 * @typedef {object} Action
 * @property {string} label
 * @property {"" | "go" | "stop"} tone
 */

/** Those that need nothing but the call. @type {Record<string, Action>} */
export const PLAIN = {
  SetANSWER: { label: "Answer", tone: "go" },
  SetRETRIEVE: { label: "Retrieve", tone: "go" },
  SetTRANSFER: { label: "Transfer", tone: "" },
  SetCONFERENCE: { label: "Conference", tone: "" },
  SetHOLD: { label: "Hold", tone: "" },
  SetDROP: { label: "Drop", tone: "stop" },
};

/** Those that dial a number. @type {Record<string, Action>} */
export const DIALLING = {
  SetCONSULT: { label: "Consult", tone: "" },
  SetTRANSFER_SST: { label: "Single-step transfer", tone: "" },
};

/** @type {Record<string, string>} */
const OTHER_LABELS = {
  SetSEND_DTMF: "Touch tones",
  SetUPDATE_CALL_DATA: "Call data",
  SetMakeCall: "Call",
  SetReadyState: "Ready",
  SetNotReadyState: "Not ready",
  SetUserInfo: "Sign in",
  Logout: "Sign out",
};

/**
 * @param {string} subtopic
 * @returns {string} the name on its button, or the subtopic where there is none
 */
export function labelOf(subtopic) {
  return PLAIN[subtopic]?.label ?? DIALLING[subtopic]?.label ?? OTHER_LABELS[subtopic] ?? subtopic;
}

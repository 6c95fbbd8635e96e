import { explainCause } from "../bus/causes.js";

/** What messages say, in plain words: short enough for an arrow. */

/** @typedef {import("../bus/message.js").Message} Message */

/** @type {Record<string, (data: any) => string>} */
const COMMANDS = {
  SetCONSULT: ({ toAddress }) => `consult ${toAddress}`,
  SetCONFERENCE: () => "join the two calls",
  SetTRANSFER: () => "connect them and leave",
  SetTRANSFER_SST: ({ toAddress }) => `pass the call to ${toAddress}`,
  SetANSWER: () => "answer the call",
  SetHOLD: () => "put the call on hold",
  SetRETRIEVE: () => "take the call back",
  SetDROP: () => "leave the call",
  SetSEND_DTMF: ({ digits }) => `send the tones ${digits}`,
  SetMakeCall: ({ toAddress }) => `call ${toAddress}`,
  SetUPDATE_CALL_DATA: () => "change the call’s data",
  SetReadyState: () => "ready for calls",
  SetNotReadyState: () => "not ready for calls",
  GetAgentState: () => "how is the agent’s state?",
  SetUserInfo: () => "sign the agent in",
  Logout: () => "sign the agent out",
  Offer: ({ fromAddress }) => `let ${fromAddress} call`,
  Answer: ({ address }) => `let ${address} answer`,
  Drop: ({ address }) => `let ${address} hang up`,
};

/**
 * @param {string} subtopic of a command
 * @param {any} data
 * @returns {string}
 */
export function commandWords(subtopic, data) {
  return data && Object.hasOwn(COMMANDS, subtopic) ? COMMANDS[subtopic](data) : subtopic;
}

/** @param {Message} outcome of a command */
export function outcomeWords({ subtopic, data }) {
  switch (subtopic) {
    case "Completed":
      return "done";
    case "Failed":
      return `failed: ${explainCause(data.cause ?? "", data.message)}`;
    default:
      return `no answer in ${data.afterMs / 1000} s`;
  }
}

/**
 * @param {any} call of a call event
 * @param {readonly import("./parties.js").Participant[]} others whom the agent speaks with in it
 * @returns {string}
 */
export function callWords(call, others) {
  const who = others.map(({ mediaAddress }) => mediaAddress).join(" and ") || call.ResponseActual.dialog.toAddress || "nobody";
  if (call.ended) {
    return `call with ${who} is over`;
  }
  switch (call.event) {
    case "alerting":
      return `${who} is calling the agent`;
    case "initiating":
    case "initiated":
      return diallingWords(who, others);
    case "active":
      return `the agent talks with ${who}`;
    case "held":
      return `${who} is on hold`;
    case "dropped":
      return `the agent has left ${who}`;
    case "failed":
      return `the call to ${who} failed`;
    default:
      return `call with ${who}: ${call.event}`;
  }
}

/**
 * @param {string} who
 * @param {readonly import("./parties.js").Participant[]} others
 */
function diallingWords(who, others) {
  if (others.some(({ state }) => state === "ALERTING")) {
    return `it rings at ${who}`;
  }
  return who === "nobody" ? "a call begins" : `${who} is being called`;
}

/** @param {Message} message that the bridge tells, and that is not about a call */
export function newsWords({ topic, subtopic, data }) {
  switch (`${topic}/${subtopic}`) {
    case "Agent/SetAgentState":
      return `the agent is ${String(data.state).toLowerCase().replaceAll("_", " ")}`;
    case "Connection/SetConnectionStatus":
      return data.status === "connected" ? "call control sees the calls" : `call control: ${String(data.status).replaceAll("_", " ")}`;
    case "Error/SetAPIError":
      return "the failure, in its documented form";
    default:
      return `${topic}/${subtopic}`;
  }
}

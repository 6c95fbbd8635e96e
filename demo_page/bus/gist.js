/** What a message says, in one line for the log. */

import { isCallEvent } from "./calls.js";

/** @typedef {import("./message.js").Message} Message */

/**
 * @param {Message} message
 * @returns {string}
 */
export function gist(message) {
  const { data } = message;
  if (data === null || typeof data !== "object") {
    return data === null ? "" : String(data);
  }
  if (isCallEvent(message)) {
    return callGist(data.call);
  }
  return message.channel === "Bridge" ? bridgeGist(message) : fields(data);
}

/** @param {any} call */
function callGist(call) {
  const parties = call.ResponseActual.dialog.participants
    .map((/** @type {any} */ party) => `${party.mediaAddress} ${party.state}`).join(", ");
  return `${call.id} ${call.ended ? "ended" : call.event} · ${call.CallType} · ${parties}`;
}

/** @param {Message} message */
function bridgeGist({ topic, subtopic, data }) {
  switch (`${topic}/${subtopic}`) {
    case "Message/Rejected":
      return `${data.code} · ${data.message}`;
    case "Message/Accepted":
      return `offset ${data.offset}${data.duplicate ? " · duplicate" : ""}${warned(data.warnings)}`;
    case "Command/Completed":
    case "Command/Failed":
    case "Command/TimedOut":
      return outcomeGist(data);
    case "Session/Opened":
      return `${data.workspace} · ${data.identity.app} · session ${data.session}`;
    case "Subscription/Subscribed":
      return `${data.patterns.join(" ")} · offset ${data.offset}`;
    default:
      return fields(data);
  }
}

/** @param {any} outcome */
function outcomeGist({ address, call, ...rest }) {
  const command = address.split("/").at(-1);
  return [command, call && `call ${call}`, fields(rest)].filter(Boolean).join(" · ");
}

/** @param {any[]} warnings */
function warned(warnings) {
  return warnings.length ? ` · ${warnings.map((warning) => `${warning.pointer} ${warning.message}`).join("; ")}` : "";
}

/** @param {object} data */
function fields(data) {
  return Object.entries(data).filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(" · ");
}

/** The agent's calls, as the latest event of each tells them. */

/** @typedef {import("./message.js").Message} Message */

/**
 * @typedef {object} Party
 * @property {string} address
 * @property {string} state such as `ACTIVE`, `HELD`
 * @property {string} cause such as `BUSY`, empty where all is well
 * @property {boolean} isAgent
 */

/**
 * @typedef {object} Call
 * @property {string} id
 * @property {string} topic `InboundCall` or `OutboundCall`: its commands go under the same
 * @property {string} state the agent's own, in lower case
 * @property {string} type such as `PREROUTE_ACD_IN`, `CONSULT`
 * @property {string[]} actions subtopics of the commands that it allows now
 * @property {string | null} associated the call that it was consulted from
 * @property {string | null} secondary the call that was merged into it
 * @property {string} from
 * @property {string} to empty until a number is dialled
 * @property {Party[]} parties
 * @property {Record<string, string>} variables
 * @property {string} since when the agent's part in it began, RFC 3339
 */

/**
 * @param {Message} message
 * @returns {boolean} whether it tells of a call
 */
export function isCallEvent(message) {
  return message.channel === "Cisco" && /^(In|Out)[Bb]oundCallStateChange$/.test(message.subtopic);
}

export class Calls {
  /** @type {Map<string, Call>} */
  #calls = new Map();
  #extension = "";

  /** @param {string} extension the agent's own */
  set extension(extension) {
    this.#extension = extension;
  }

  get extension() {
    return this.#extension;
  }

  /** @returns {Call[]} the oldest first, whatever the order in which a snapshot gave them */
  get all() {
    return [...this.#calls.values()].sort((one, other) =>
      one.since.localeCompare(other.since) || one.id.localeCompare(other.id, "en", { numeric: true }));
  }

  /** Forget all: a snapshot follows, and what is not in it is over. */
  reset() {
    this.#calls.clear();
  }

  /**
   * @param {Message} message a call event
   * @returns {string} what happened, in words for who does not see the page
   */
  take(message) {
    const { call } = message.data;
    const seen = this.#calls.get(call.id);
    if (call.ended) {
      this.#calls.delete(call.id);
      return seen ? `Call with ${this.partners(seen)} has ended` : "";
    }
    const next = read(message.topic, call, this.#extension);
    this.#calls.set(call.id, next);
    return seen?.state === next.state ? "" : `Call with ${this.partners(next)}: ${next.state}`;
  }

  /**
   * @param {Call} call
   * @returns {string} whom the agent speaks with in it
   */
  partners(call) {
    const others = call.parties.filter((party) => party.address !== this.#extension && party.state !== "DROPPED");
    const names = others.map((party) => party.address);
    return names.join(", ") || (call.from === this.#extension ? call.to : call.from) || "…";
  }
}

/**
 * @param {string} topic
 * @param {any} view the `call` of the event
 * @param {string} extension
 * @returns {Call}
 */
function read(topic, view, extension) {
  const dialog = view.ResponseActual.dialog;
  /** @type {any[]} */
  const participants = dialog.participants;
  const own = participants.find((party) => party.mediaAddress === extension);
  return {
    id: view.id,
    topic,
    state: view.event,
    type: view.CallType,
    actions: view.ActionsAllowed,
    associated: view.associatedCall,
    secondary: view.secondaryId ?? null,
    from: dialog.fromAddress ?? "",
    to: dialog.toAddress ?? "",
    parties: participants.map((party) => ({
      address: party.mediaAddress,
      state: party.state,
      cause: party.stateCause,
      isAgent: party.mediaAddressType === "AGENT_DEVICE",
    })),
    variables: dialog.mediaProperties.callvariables ?? {},
    since: own?.startTime ?? "",
  };
}

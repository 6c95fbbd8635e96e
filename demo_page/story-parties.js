/** What the parties of calls do, read from how the calls change. */

/**
 * @typedef {object} Deed
 * @property {string} party number or extension
 * @property {boolean} isTheirs whether the party did it; otherwise it was done to them
 * @property {string} words
 */

/** @typedef {{mediaAddress: string, state: string, stateCause?: string}} Participant */

export class Parties {
  /** States by party, by call. @type {Map<string, Map<string, string>>} */
  #calls = new Map();

  /** Forget all: a snapshot follows. */
  reset() {
    this.#calls.clear();
  }

  /**
   * @param {any} call of a call event
   * @param {string} extension of the agent, who is no party here
   * @param {boolean} wasAsked whether a command of the agent led to it
   * @returns {Deed[]} what happened at the other ends since the call's last event
   */
  take(call, extension, wasAsked) {
    const before = this.#calls.get(call.id);
    const now = othersOf(call, extension);
    if (call.ended) {
      this.#calls.delete(call.id);
    } else {
      this.#calls.set(call.id, new Map(now.map(({ mediaAddress, state }) => [mediaAddress, state])));
    }
    const caller = before ? undefined : call.ResponseActual.dialog.fromAddress;
    return now.flatMap((party) => deed(party, before?.get(party.mediaAddress), { caller, wasAsked, ended: call.ended }));
  }
}

/**
 * @param {any} call of a call event
 * @param {string} extension
 * @returns {Participant[]} all but the agent
 */
export function othersOf(call, extension) {
  return call.ResponseActual.dialog.participants.filter((/** @type {Participant} */ { mediaAddress }) => mediaAddress !== extension);
}

/**
 * @param {Participant} participant
 * @param {string | undefined} before
 * @param {{caller: string | undefined, wasAsked: boolean, ended: boolean}} circumstances
 * @returns {Deed[]} one or none
 */
function deed({ mediaAddress: party, state, stateCause }, before, { caller, wasAsked, ended }) {
  if (state === before || before === "DROPPED" || before === "FAILED") {
    return [];
  }
  if (stateCause === "BUSY") {
    return [{ party, isTheirs: true, words: "is busy" }];
  }
  if (state === "DROPPED" || ended) {
    return before === undefined ? [] : [{ party, isTheirs: !wasAsked, words: wasAsked ? "is disconnected" : "hangs up" }];
  }
  if (before === undefined) {
    return appearance(party, state, caller);
  }
  return before === "ALERTING" && state === "ACTIVE" ? [{ party, isTheirs: true, words: "answers" }] : [];
}

/**
 * @param {string} party
 * @param {string} state
 * @param {string | undefined} caller
 * @returns {Deed[]}
 */
function appearance(party, state, caller) {
  if (party === caller) {
    return [{ party, isTheirs: true, words: "calls" }];
  }
  if (state === "ALERTING") {
    return [{ party, isTheirs: false, words: "rings" }];
  }
  return state === "ACTIVE" ? [{ party, isTheirs: false, words: "is connected" }] : [];
}

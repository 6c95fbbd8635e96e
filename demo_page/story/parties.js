/** What the parties of calls do, read from how the calls change. */

/**
 * @typedef {object} Deed
 * @property {string} party number or extension
 * @property {boolean} isTheirs whether the party did it; otherwise it was done to them
 * @property {string} words
 */

/** @typedef {{mediaAddress: string, state: string, stateCause?: string}} Participant */

/** Commands after which the parties are in another call, and not gone. */
export const MOVING = new Set(["SetCONFERENCE", "SetTRANSFER", "SetTRANSFER_SST"]);

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
   * @param {string} asked subtopic of the agent's command that led to it, empty where none did
   * @returns {Deed[]} what happened at the other ends since the call's last event
   */
  take(call, extension, asked) {
    const before = this.#calls.get(call.id);
    const now = othersOf(call, extension);
    if (call.ended) {
      this.#calls.delete(call.id);
    } else {
      this.#calls.set(call.id, new Map(now.map(({ mediaAddress, state }) => [mediaAddress, state])));
    }
    const caller = before ? undefined : call.ResponseActual.dialog.fromAddress;
    const deeds = now.flatMap((party) => deed(party, before?.get(party.mediaAddress), { caller, asked, ended: call.ended }));
    return call.event === "failed" && !call.ended ? [...deeds, ...refusal(call)] : deeds;
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
 * @param {{caller: string | undefined, asked: string, ended: boolean}} circumstances
 * @returns {Deed[]} one or none
 */
function deed({ mediaAddress: party, state }, before, { caller, asked, ended }) {
  if (state === before || before === "DROPPED") {
    return [];
  }
  if (state === "DROPPED" || ended) {
    const stays = before === undefined || MOVING.has(asked);
    return stays ? [] : [{ party, isTheirs: !asked, words: asked ? "is disconnected" : "hangs up" }];
  }
  if (before === undefined) {
    return appearance(party, state, caller);
  }
  return before === "ALERTING" && state === "ACTIVE" ? [{ party, isTheirs: true, words: "answers" }] : [];
}

/**
 * @param {any} call that has failed
 * @returns {Deed[]}
 */
function refusal({ ResponseActual: { dialog } }) {
  const isBusy = dialog.participants.some((/** @type {Participant} */ { stateCause }) => stateCause === "BUSY");
  return isBusy && dialog.toAddress ? [{ party: dialog.toAddress, isTheirs: true, words: "is busy" }] : [];
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
  return state === "ACTIVE" ? [{ party, isTheirs: true, words: "joins" }] : [];
}

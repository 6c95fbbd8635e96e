import { compose, isOutcome } from "./bridge.js";

/** @typedef {import("./bridge.js").Message} Message */
/** @typedef {import("./gadget.js").Gadget} Gadget */

/** @typedef {{gadget: Gadget, accepted: boolean, outcome?: Message}} Debt */

/**
 * Outcomes that are owed: each command's goes to the gadget that sent it, subscribed or not, once, after `Accepted`.
 *
 * It is taken from the stream where it comes by, so that it keeps its place there. Where the connection was lost in
 * between, the SDK finds out what became of the command, and that is passed on.
 */
export class Owed {
  #bridge;
  /** By the command's id on the bus. @type {Map<string, Debt>} */
  #debts = new Map();

  /** @param {import("./bridge.js").Bridge} bridge */
  constructor(bridge) {
    this.#bridge = bridge;
    bridge.addEventListener("message", this.#hear);
  }

  close() {
    this.#bridge.removeEventListener("message", this.#hear);
    this.#debts.clear();
  }

  /**
   * @param {string} id on the bus
   * @param {Gadget} gadget
   */
  expect(id, gadget) {
    this.#debts.set(id, { gadget, accepted: false });
  }

  /** @param {string} id of a command that was refused, or had its outcome before */
  forget(id) {
    this.#debts.delete(id);
  }

  /** @param {string} id of a command whose sender has been told that it was accepted */
  accepted(id) {
    const debt = this.#debts.get(id);
    if (debt) {
      debt.accepted = true;
      this.#pay(id, debt);
    }
  }

  /**
   * The SDK says how it ended. Where the outcome came by in the stream, that was it.
   *
   * @param {string} id
   * @param {string} subtopic
   * @param {any} data
   */
  settle(id, subtopic, data) {
    this.#take(compose(`Bridge/Command/${subtopic}`, data, id));
  }

  #hear = (/** @type {any} */ { detail }) => this.#take(detail.message);

  /** @param {Message} message */
  #take(message) {
    const id = message.correlationId ?? "";
    const debt = this.#debts.get(id);
    if (debt && isOutcome(message)) {
      debt.outcome ??= message;
      this.#pay(id, debt);
    }
  }

  /**
   * @param {string} id
   * @param {Debt} debt
   */
  #pay(id, { gadget, accepted, outcome }) {
    if (accepted && outcome) {
      this.#debts.delete(id);
      gadget.hand(outcome);
    }
  }
}

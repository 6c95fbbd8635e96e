import { arrange, find } from "../dom.js";
import { labelOf } from "./actions.js";
import { Card } from "./card.js";

/** @typedef {import("../bus/calls.js").Calls} Calls */
/** @typedef {import("../bus/calls.js").Call} Call */
/** @typedef {import("../bus/commands.js").Commands} Commands */

/** The agent's desk: a card for each call, and a field to call a number. */
export class Desk {
  #calls;
  #commands;
  #list = find("calls", HTMLOListElement);
  #empty = find("no-calls", HTMLParagraphElement);
  /** @type {Map<string, Card>} */
  #cards = new Map();

  /**
   * @param {Calls} calls
   * @param {Commands} commands
   */
  constructor(calls, commands) {
    this.#calls = calls;
    this.#commands = commands;
    const dial = find("dial", HTMLFormElement);
    const number = find("dial-number", HTMLInputElement);
    dial.addEventListener("submit", (event) => {
      event.preventDefault();
      const toAddress = number.value.trim();
      commands.send(`Call ${toAddress}`, "Cisco/OutboundCall/SetMakeCall", { toAddress });
    });
  }

  /** Show the calls as they are now. */
  update() {
    const calls = this.#calls.all;
    const cards = calls.map((call) => {
      const card = this.#card(call);
      card.update(call, this.#calls.partners(call));
      return card.element;
    });
    this.#forget(new Set(calls.map((call) => call.id)));
    arrange(this.#list, cards);
    this.#empty.hidden = calls.length > 0;
    this.showPending();
  }

  /** Mark the buttons whose commands have no outcome yet. */
  showPending() {
    for (const card of this.#cards.values()) {
      card.showPending();
    }
  }

  /** @param {number} now on the bridge's clock, milliseconds */
  tick(now) {
    for (const card of this.#cards.values()) {
      card.tick(now);
    }
  }

  /** @param {Call} call */
  #card(call) {
    let card = this.#cards.get(call.id);
    if (!card) {
      card = new Card(call, {
        command: (subtopic, on, data, detail) => this.#command(subtopic, on, data, detail),
        isPending: (subtopic, on) => this.#commands.isPending(`Cisco/${on.topic}/${subtopic}`, on.id),
      });
      this.#cards.set(call.id, card);
    }
    return card;
  }

  /** @param {Set<string>} present */
  #forget(present) {
    for (const [id, card] of this.#cards) {
      if (!present.has(id)) {
        this.#cards.delete(id);
        if (card.element.contains(document.activeElement)) {
          find("desk", HTMLElement).focus();
        }
      }
    }
  }

  /**
   * @param {string} subtopic
   * @param {Call} call
   * @param {Record<string, unknown>} data
   * @param {string} [detail]
   */
  #command(subtopic, call, data, detail) {
    const label = [labelOf(subtopic), detail, "· call", call.id].filter(Boolean).join(" ");
    const address = `Cisco/${call.topic}/${subtopic}`;
    const own = subtopic === "SetUPDATE_CALL_DATA" ? {} : { MediaAddress: this.#calls.extension };
    this.#commands.send(label, address, { ...own, CallID: call.id, ...data });
  }
}

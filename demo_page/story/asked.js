import { addressOf } from "../bus/message.js";

/** @typedef {import("../bus/message.js").Message} Message */

const REMEMBERED = 500;

/** Who asked for what: the commands that were heard lately. */
export class Asked {
  /** @type {Map<string, {widget: string, address: string}>} */
  #commands = new Map();

  /**
   * @param {Message} command
   * @param {string} widget its lane
   */
  add(command, widget) {
    if (command.id !== undefined) {
      this.#commands.set(command.id, { widget, address: addressOf(command) });
    }
    if (this.#commands.size > REMEMBERED) {
      const [oldest] = this.#commands.keys();
      this.#commands.delete(oldest);
    }
  }

  clear() {
    this.#commands.clear();
  }

  /**
   * @param {Message} message
   * @returns {string | undefined} lane of the widget that asked for it
   */
  widget({ correlationId }) {
    return this.#commands.get(correlationId ?? "")?.widget;
  }

  /**
   * @param {Message} message
   * @returns {string} subtopic of the command for the agent that led to it, empty where none did
   */
  forAgent({ correlationId }) {
    const [channel, , subtopic = ""] = this.#commands.get(correlationId ?? "")?.address.split("/") ?? [];
    return channel === "Cisco" ? subtopic : "";
  }
}

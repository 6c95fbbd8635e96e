import { wrap } from "./packet.js";

/** @typedef {import("./bridge.js").Message} Message */

/**
 * The way to one window: messages are posted to it, at exactly its origin, or go through a port that it was given.
 *
 * It leads where the gadget spoke last. A port alone is no proof of who holds it, since it can be handed on. So it
 * counts only while its window is there, and is replaced when another document may have come into the frame: the new
 * port is posted to the gadget's origin, and nobody else gets it.
 */
export class Door {
  #window;
  #origin;
  #hear;
  #renewed;
  #gone;
  /** @type {MessagePort | undefined} */
  #port;
  #byPort = false;
  /** Makes what comes with the port, once the gadget has asked for one. @type {(() => Message) | undefined} */
  #welcome;
  /** How many documents have loaded in the frame since the gadget spoke last. */
  #loads = 0;
  /**
   * Set where the gadget speaks in packets: then it gets packets.
   *
   * @type {{responseUrl: string, subscriberId: string} | undefined}
   */
  packets;

  /**
   * @param {any} window
   * @param {string} origin
   * @param {object} told
   * @param {(event: MessageEvent, byPort: boolean) => void} told.hear
   * @param {() => void} told.renewed a port that was in use has been replaced: what was agreed through it has ended
   * @param {() => void} told.gone the gadget is not there any more
   */
  constructor(window, origin, { hear, renewed, gone }) {
    this.#window = window;
    this.#origin = origin;
    this.#hear = hear;
    this.#renewed = renewed;
    this.#gone = gone;
  }

  get isClosed() {
    return this.#window.closed;
  }

  /** @param {MessageEvent} event of the window, with the gadget's origin */
  heardAtWindow(event) {
    this.#byPort = false;
    this.#loads = 0;
    this.#hear(event, false);
  }

  /** @param {Message} message */
  post(message) {
    if (this.#byPort) {
      this.#port?.postMessage(this.#formed(message));
    } else {
      this.#window.postMessage(this.#formed(message), this.#origin);
    }
  }

  /**
   * Give a port. A document that has not loaded yet waits for it: if it is another that loads, this one gets none.
   *
   * @param {() => Message} welcome
   * @param {boolean} hasLoaded
   */
  greet(welcome, hasLoaded) {
    this.#welcome = welcome;
    if (hasLoaded) {
      this.#invite();
    }
  }

  /** A document has loaded in the frame: perhaps the gadget's own, perhaps another. */
  loaded() {
    this.#loads += 1;
    if (this.#loads > 1) {
      this.#gone(); // the first may have been its own, this one came after it
    } else if (this.#welcome) {
      const wasInUse = this.#byPort;
      this.#invite();
      if (wasInUse) {
        this.#renewed();
      }
    }
  }

  closePort() {
    const port = this.#port;
    this.#port = undefined;
    this.#byPort = false;
    this.#welcome = undefined;
    port?.close();
  }

  #invite() {
    const welcome = this.#welcome;
    if (!welcome) {
      return;
    }
    this.closePort();
    this.#welcome = welcome;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (event) => this.#heardAtPort(port1, event);
    port1.addEventListener("close", () => this.#portEnded(port1)); // the standard has it, few browsers do
    this.#window.postMessage(this.#formed(welcome()), this.#origin, [port2]);
  }

  /**
   * @param {MessagePort} port
   * @param {MessageEvent} event
   */
  #heardAtPort(port, event) {
    if (port === this.#port) {
      this.#byPort = true;
      this.#loads = 0;
      this.#hear(event, true);
    }
  }

  /**
   * The document that had the port is gone, or let go of it. Where it was in use, that was the gadget.
   *
   * @param {MessagePort} port
   */
  #portEnded(port) {
    if (port !== this.#port) {
      return;
    }
    const wasInUse = this.#byPort;
    this.closePort();
    if (wasInUse) {
      this.#gone();
    }
  }

  /** @param {Message} message */
  #formed(message) {
    return this.packets ? wrap(message, this.packets) : message;
  }
}

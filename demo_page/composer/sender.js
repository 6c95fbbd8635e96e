import { addressOf, newId } from "../bus/message.js";
import { element } from "../dom.js";
import { canonical } from "./draft.js";
import { Exchange } from "./exchange.js";

/** @typedef {import("../bus/message.js").Message} Message */
/** @typedef {import("./editor.js").Remark} Remark */
/** @typedef {import("../../sdk/workspace-bridge.js").Bridge} Bridge */

const KEPT = 20;

/**
 * @typedef {object} Teller
 * @property {(message: any) => boolean} isCommand whether an outcome is to be waited for
 * @property {(message: any) => void} edit is called to write a message again
 * @property {(remarks: Remark[]) => void} told is told what the bridge says of the message that was sent last
 */

/** What was sent, the last 20 of it, with what came of each. Nothing is sent twice by itself. */
export class Sender {
  #bridge;
  #teller;
  /** By id, the oldest first. @type {Map<string, Exchange>} */
  #exchanges = new Map();
  element = element("ol", { class: "exchanges", "aria-label": "Sent, the newest first" });

  /**
   * @param {Bridge} bridge
   * @param {Teller} teller
   */
  constructor(bridge, teller) {
    this.#bridge = bridge;
    this.#teller = teller;
    bridge.addEventListener("message", ({ detail }) => this.#hear(detail.message));
  }

  /** @param {any} written the message, as it is written */
  async send(written) {
    const message = hasId(written) ? written : { ...written, id: newId() };
    const exchange = new Exchange(message, {
      again: () => this.send(withoutId(message)),
      edit: () => this.#teller.edit(written),
    });
    this.#keep(String(message.id ?? ""), exchange);
    this.#teller.told([]);
    try {
      await this.#hand(message, exchange);
    } catch (error) {
      this.#fail(/** @type {import("../../sdk/workspace-bridge.js").BridgeError} */ (error), exchange);
    }
  }

  /**
   * @param {any} message
   * @param {Exchange} exchange
   */
  async #hand(message, exchange) {
    if (message.channel === "Bridge") {
      await this.#bridge.request(message);
      exchange.stage = "answered";
      return;
    }
    const accept = (/** @type {any} */ { warnings = [] }) => {
      exchange.stage = "accepted";
      this.#tell(exchange, warnings.map((/** @type {any} */ { pointer, message: text }) => ({ tone: "warn", pointer, text })));
    };
    if (this.#teller.isCommand(message)) {
      const run = this.#bridge.command(message);
      run.accepted.then(accept, () => undefined); // a refusal is the run's too
      await run;
      exchange.stage = "done";
    } else {
      accept(await this.#bridge.publish(message));
    }
  }

  /**
   * @param {{code: string | number, message: string, body?: any}} error
   * @param {Exchange} exchange
   */
  #fail(error, exchange) {
    if (exchange.isRefused) {
      return; // it was told without the id, and the connection ends now
    }
    exchange.fail(error);
    const { errors = [], ...body } = error.body ?? {};
    const more = [
      ...(body.allowed ? [`Allowed now: ${body.allowed.join(", ") || "nothing"}`] : []),
      ...(body.calls ? [`Calls now: ${body.calls.join(", ") || "none"}`] : []),
      ...(body.suggestion ? [`Meant was probably ${body.suggestion}`] : []),
    ];
    this.#tell(exchange, [
      { tone: "bad", pointer: "", text: [exchange.reason, ...more].join(". ") },
      ...errors.map((/** @type {any} */ { pointer, message, code, hint }) => ({
        tone: "bad", pointer, text: `${message} (${code})${hint ? `. ${hint}` : ""}`,
      })),
    ]);
  }

  /**
   * @param {Exchange} exchange
   * @param {Remark[]} remarks
   */
  #tell(exchange, remarks) {
    if ([...this.#exchanges.values()].at(-1) === exchange) {
      this.#teller.told(remarks);
    }
  }

  /**
   * @param {string} id
   * @param {Exchange} exchange
   */
  #keep(id, exchange) {
    this.#exchanges.delete(id);
    this.#exchanges.set(id, exchange);
    if (this.#exchanges.size > KEPT) {
      const [oldest] = this.#exchanges.keys();
      this.#exchanges.delete(oldest);
    }
    this.element.prepend(exchange.element);
    while (this.element.children.length > KEPT) {
      this.element.lastElementChild?.remove();
    }
  }

  /** @param {Message} message */
  #hear(message) {
    const { correlationId, data } = message;
    if (correlationId !== undefined) {
      this.#exchanges.get(correlationId)?.add(message);
    } else if (addressOf(message) === "Bridge/Message/Rejected") {
      const exchange = [...this.#exchanges.values()].findLast((each) => each.isUnanswered);
      exchange?.add(message); // of a message whose id is none, the refusal names no id
      exchange && this.#fail({ code: data.code, message: data.message, body: data }, exchange);
    }
  }
}

/** @param {any} message */
function hasId(message) {
  return Object.keys(message).some((key) => canonical(key) === "id");
}

/** @param {any} message */
function withoutId(message) {
  return Object.fromEntries(Object.entries(message).filter(([key]) => canonical(key) !== "id"));
}

import { arrange, element, find, show } from "./dom.js";

/** @typedef {import("./bus/calls.js").Calls} Calls */
/** @typedef {import("./bus/calls.js").Call} Call */
/** @typedef {import("./bus/calls.js").Party} Party */
/** @typedef {import("./bus/commands.js").Commands} Commands */

/** @type {Record<string, string>} */
const DOING = {
  INITIATED: "is calling", ALERTING: "is ringing", ACTIVE: "is talking", HELD: "has put the call on hold",
};

/** The outside world: customers and colleagues at the other end of a switch that is not a real one. */
export class Outside {
  #calls;
  #commands;
  #list = find("parties", HTMLUListElement);
  #empty = find("no-parties", HTMLParagraphElement);
  /** @type {Map<string, Row>} */
  #rows = new Map();

  /**
   * @param {Calls} calls
   * @param {Commands} commands
   */
  constructor(calls, commands) {
    this.#calls = calls;
    this.#commands = commands;
    const number = find("offer-number", HTMLInputElement);
    find("offer", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const fromAddress = number.value.trim();
      commands.send(`Offer a call from ${fromAddress}`, "Simulator/Call/Offer", { fromAddress });
      number.value = following(fromAddress);
    });
    const failures = /** @type {Record<string, () => void>} */ (this.#failures());
    find("failures", HTMLDivElement).addEventListener("click", ({ target }) => {
      failures[/** @type {HTMLElement} */ (target).dataset.failure ?? ""]?.();
    });
  }

  /** @param {import("./bus/adapters.js").Adapter} adapter */
  fit({ outside }) {
    find("outside", HTMLElement).hidden = !outside;
    show(find("outside-note", HTMLParagraphElement), outside);
    show(find("no-calls", HTMLParagraphElement), `No calls. ${outside ? "Offer one below, or call a number" : "Call a number, or be called"}.`);
    if (!outside) {
      find("numbers", HTMLDataListElement).replaceChildren();
    }
  }

  /** Show who is on the line now. */
  update() {
    /** @type {Map<string, Row>} */
    const rows = new Map();
    for (const call of this.#calls.all) {
      for (const party of call.parties.filter((each) => !each.isAgent && each.state !== "DROPPED")) {
        const key = `${call.id} ${party.address}`;
        const row = this.#rows.get(key) ?? new Row(call, party, this.#commands);
        row.update(party);
        rows.set(key, row);
      }
    }
    this.#rows = rows;
    const hadFocus = this.#list.contains(document.activeElement);
    arrange(this.#list, [...rows.values()].map((row) => row.element));
    this.#empty.hidden = rows.size > 0;
    if (hadFocus && !this.#list.contains(document.activeElement)) {
      find("outside", HTMLElement).focus();
    }
  }

  /**
   * Call a number: from the call that the agent speaks in, or out of nothing.
   *
   * @param {string} who
   * @param {string} toAddress
   */
  #dial(who, toAddress) {
    const talking = this.#calls.all.find((call) => call.actions.includes("SetCONSULT"));
    if (talking) {
      this.#commands.send(`Consult ${who}`, `Cisco/${talking.topic}/SetCONSULT`,
        { MediaAddress: this.#calls.extension, toAddress, CallID: talking.id });
    } else {
      this.#commands.send(`Call ${who}`, "Cisco/OutboundCall/SetMakeCall", { toAddress });
    }
  }

  /** What goes wrong in each way that there is: a call that fails, a command that is refused. */
  #failures() {
    return {
      busy: () => this.#dial("a busy colleague", "5090"),
      nowhere: () => this.#dial("a number that does not exist", "5091"),
      over: () => this.#commands.send("Hold a call that is over", "Cisco/InboundCall/SetHOLD",
        { MediaAddress: this.#calls.extension, CallID: "1" }),
      incomplete: () => this.#commands.send("Call without a number", "Cisco/OutboundCall/SetMakeCall", {}),
      stranger: () => this.#commands.send("Answer at another’s telephone", "Cisco/InboundCall/SetANSWER",
        { MediaAddress: `${this.#calls.extension}0`, CallID: "1" }),
    };
  }
}

/** One party of one call. */
class Row {
  #text = element("span");
  #answers;
  #hangsUp;
  #who;
  #buttons = element("span", { class: "buttons" });

  /**
   * @param {Call} call
   * @param {Party} party
   * @param {Commands} commands
   */
  constructor(call, party, commands) {
    const { address } = party;
    this.#answers = element("button", {
      type: "button", class: "go", "aria-label": `${address} answers`,
      click: () => commands.send(`${address} answers`, "Simulator/Party/Answer", { address }),
    }, "answers");
    this.#hangsUp = element("button", {
      type: "button", class: "stop", "aria-label": `${address} hangs up call ${call.id}`,
      click: () => commands.send(`${address} hangs up · call ${call.id}`, "Simulator/Party/Drop",
        { CallID: call.id, address }),
    }, "hangs up");
    this.#who = element("span", { class: "who", tabindex: -1 }, element("b", {}, address), " ", this.#text, " ",
      element("small", {}, `call ${call.id}`));
    this.element = element("li", { "data-party": address, "data-call": call.id },
      this.#who, this.#buttons);
  }

  /** @param {Party} party */
  update(party) {
    show(this.#text, DOING[party.state] ?? party.state.toLowerCase());
    const hadFocus = this.#buttons.contains(document.activeElement);
    arrange(this.#buttons, party.state === "ALERTING" ? [this.#answers, this.#hangsUp] : [this.#hangsUp]);
    if (hadFocus && !this.#buttons.contains(document.activeElement)) {
      this.#who.focus();
    }
  }
}

/**
 * @param {string} number
 * @returns {string} the next number, so that another click brings another customer
 */
function following(number) {
  return number.replace(/\d{1,4}$/, (digits) => String(Number(digits) + 1).padStart(digits.length, "0").slice(-digits.length));
}

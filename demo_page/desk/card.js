import { explainCause } from "../bus/causes.js";
import { arrange, element, show } from "../dom.js";
import { DIALLING, PLAIN } from "./actions.js";

/** @typedef {import("../bus/calls.js").Call} Call */

/**
 * @typedef {object} Orders what a card may ask for
 * @property {(subtopic: string, call: Call, data: Record<string, unknown>, detail?: string) => void} command
 * @property {(subtopic: string, call: Call) => boolean} isPending
 */

/** @type {Record<string, string>} */
const KINDS = {
  PREROUTE_ACD_IN: "Customer’s call",
  ACD_IN: "Customer’s call",
  OTHER_IN: "Incoming call",
  OUT: "Outgoing call",
  AGENT_INSIDE: "Colleague’s call",
  CONSULT: "Consult call",
  CONSULT_OFFERED: "Consult call",
  TRANSFER: "Transferred call",
  CONFERENCE: "Conference",
};

/** One call on the desk. Its elements are made once and stay: typing into a field goes on while the call changes. */
export class Card {
  #orders;
  /** @type {Call} */
  #call;
  #title = element("h3", { tabindex: "-1" });
  #badge = element("span", { class: "badge" });
  #kind = element("span");
  #type = element("code");
  #origin = element("a");
  #duration = element("span", { class: "duration", title: "since the call began" });
  #merged = element("p", { class: "note" });
  #problem = element("p", { class: "problem" });
  #parties = element("ul", { class: "card-parties", "aria-label": "Parties" });
  #variables = element("dl", { class: "variables" });
  #plain = element("div", { class: "buttons" });
  #number;
  #dialling = element("div", { class: "buttons" });
  #dialForm;
  #tonesForm;
  #dataForm;
  #more = element("details", { class: "more" }, element("summary", {}, "Touch tones and call data"));
  /** @type {Map<string, HTMLButtonElement>} */
  #buttons = new Map();

  /**
   * @param {Call} call
   * @param {Orders} orders
   */
  constructor(call, orders) {
    this.#call = call;
    this.#orders = orders;
    const names = { number: `number-${call.id}`, tones: `tones-${call.id}` };
    this.#number = element("input", {
      id: names.number, type: "tel", required: true, maxlength: 64, list: "numbers", autocomplete: "off",
      placeholder: "5070", size: 8,
    });
    this.#dialForm = element("form", { class: "line-form", submit: (event) => this.#submitNumber(event) },
      element("label", { for: names.number }, "Number"), this.#number, this.#dialling);
    this.#tonesForm = this.#makeTonesForm(names.tones);
    this.#dataForm = this.#makeDataForm();
    for (const [subtopic, { label, tone }] of Object.entries(PLAIN)) {
      this.#buttons.set(subtopic, element("button", {
        type: "button", class: tone, "data-action": subtopic, click: () => this.#order(subtopic, {}),
      }, label));
    }
    for (const [subtopic, { label }] of Object.entries(DIALLING)) {
      this.#buttons.set(subtopic, element("button", { "data-action": subtopic, value: subtopic }, label));
    }
    this.element = element("li", { class: "card", id: `call-${call.id}`, "data-call": call.id },
      element("header", {}, this.#title, this.#duration, this.#badge),
      element("p", { class: "kind" }, this.#kind, this.#type, this.#origin),
      this.#merged, this.#problem, this.#parties, this.#variables, this.#plain, this.#dialForm, this.#more);
  }

  /**
   * Show the call as it is now.
   *
   * @param {Call} call
   * @param {string} partners
   */
  update(call, partners) {
    this.#call = call;
    this.element.dataset.state = call.state;
    this.element.dataset.type = call.type;
    show(this.#title, partners);
    show(this.#badge, call.state);
    this.#badge.dataset.state = call.state;
    show(this.#kind, `${KINDS[call.type] ?? "Call"} ${call.id}`);
    show(this.#type, call.type);
    this.#showOrigin(call);
    show(this.#merged, call.secondary ? `Call ${call.secondary} was merged into this one.` : "");
    const cause = call.parties.find((party) => party.cause)?.cause;
    show(this.#problem, cause ? `Not connected: ${explainCause(cause, "the call failed")}. Drop it to go on.` : "");
    this.#parties.replaceChildren(...call.parties.map(partyRow));
    this.#showVariables(call);
    this.#showActions(call);
  }

  /**
   * Show how long the call has lasted.
   *
   * @param {number} now on the bridge's clock, milliseconds
   */
  tick(now) {
    const seconds = Math.max(0, Math.floor((now - Date.parse(this.#call.since)) / 1000));
    show(this.#duration, Number.isNaN(seconds) ? "" : clock(seconds));
  }

  /** Mark the buttons whose commands have no outcome yet. */
  showPending() {
    for (const [subtopic, button] of this.#buttons) {
      const pending = this.#orders.isPending(subtopic, this.#call);
      button.setAttribute("aria-disabled", String(pending));
      button.classList.toggle("pending", pending);
    }
  }

  /** @param {Call} call */
  #showOrigin(call) {
    this.#origin.hidden = !call.associated;
    if (call.associated) {
      this.#origin.href = `#call-${call.associated}`;
      show(this.#origin, `consulted from ${call.associated}`);
    }
  }

  /** @param {Call} call */
  #showVariables(call) {
    const entries = Object.entries(call.variables).filter(([, value]) => value !== "");
    this.#variables.hidden = entries.length === 0;
    this.#variables.replaceChildren(...entries.map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value))));
  }

  /** @param {Call} call */
  #showActions(call) {
    const hadFocus = this.element.contains(document.activeElement);
    this.#place(this.#plain, PLAIN, call);
    this.#place(this.#dialling, DIALLING, call);
    this.#dialForm.hidden = this.#dialling.childElementCount === 0;
    const forms = [
      ...(call.actions.includes("SetSEND_DTMF") ? [this.#tonesForm] : []),
      ...(call.actions.includes("SetUPDATE_CALL_DATA") ? [this.#dataForm] : []),
    ];
    const [summary] = this.#more.children;
    arrange(this.#more, [summary, ...forms]);
    this.#more.hidden = forms.length === 0;
    if (hadFocus && !this.element.contains(document.activeElement)) {
      this.#title.focus();
    }
  }

  /**
   * @param {HTMLElement} place
   * @param {Record<string, unknown>} kind
   * @param {Call} call
   */
  #place(place, kind, call) {
    const allowed = Object.keys(kind).filter((subtopic) => call.actions.includes(subtopic));
    arrange(place, allowed.flatMap((subtopic) => this.#buttons.get(subtopic) ?? []));
  }

  /**
   * @param {string} subtopic
   * @param {Record<string, unknown>} data
   * @param {string} [detail] for the list of commands
   */
  #order(subtopic, data, detail) {
    if (!this.#orders.isPending(subtopic, this.#call)) {
      this.#orders.command(subtopic, this.#call, data, detail);
    }
  }

  /** @param {SubmitEvent} event */
  #submitNumber(event) {
    event.preventDefault();
    const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
    const toAddress = this.#number.value.trim();
    this.#order(button?.value || "SetCONSULT", { toAddress }, toAddress);
  }

  /** @param {string} id */
  #makeTonesForm(id) {
    const tones = element("input", {
      id, required: true, maxlength: 32, pattern: "[0-9*#A-D]+", size: 8, autocomplete: "off",
      title: "0–9, *, #, A–D", placeholder: "1234#",
    });
    return element("form", {
      class: "line-form",
      submit: (event) => {
        event.preventDefault();
        this.#order("SetSEND_DTMF", { digits: tones.value }, tones.value);
      },
    }, element("label", { for: id }, "Tones"), tones, element("button", { "data-action": "SetSEND_DTMF" }, "Send tones"));
  }

  #makeDataForm() {
    const id = `data-${this.#call.id}`;
    const name = element("input", { id, required: true, maxlength: 64, size: 8, autocomplete: "off", placeholder: "callVariable1" });
    const value = element("input", { "aria-label": "Value", maxlength: 2000, size: 8, autocomplete: "off", placeholder: "value" });
    return element("form", {
      class: "line-form",
      submit: (event) => {
        event.preventDefault();
        this.#order("SetUPDATE_CALL_DATA", { callVariables: { [name.value.trim()]: value.value } }, name.value);
      },
    }, element("label", { for: id }, "Data"), name, value,
      element("button", { "data-action": "SetUPDATE_CALL_DATA" }, "Set"));
  }
}

/** @param {import("../bus/calls.js").Party} party */
function partyRow(party) {
  const state = party.state.toLowerCase().replace("_", "-");
  return element("li", { "data-party": party.address },
    element("span", {}, party.address, party.isAgent ? element("small", {}, " agent") : ""),
    element("span", { class: "badge plain", "data-state": state }, state));
}

/**
 * @param {number} seconds
 * @returns {string} such as 1:05 or 1:00:05
 */
function clock(seconds) {
  const pad = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `${hours ? `${hours}:${pad(minutes)}` : minutes}:${pad(seconds % 60)}`;
}

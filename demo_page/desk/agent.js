import { arrange, element, show } from "../dom.js";

/** @typedef {import("../bus/commands.js").Commands} Commands */

/** Who sits at the desk: state, ready or not, and a form to sign in where nobody does. */
export class Agent {
  #badge = element("span", { class: "badge", role: "status", "data-state": "unknown" }, "unknown");
  #ready;
  #notReady;
  #signOut;
  #why = element("p");
  #form;
  #signInPlace;
  #whoMaySignIn = "";
  #signedOutFor = "";

  /**
   * @param {HTMLElement} place of state and buttons
   * @param {HTMLElement} signInPlace
   * @param {Commands} commands
   */
  constructor(place, signInPlace, commands) {
    const set = (/** @type {string} */ label, /** @type {string} */ address, /** @type {object} */ attributes) =>
      element("button", {
        type: "button", class: "small", ...attributes, click: () => commands.send(label, `Cisco/${address}`, {}),
      }, label);
    this.#ready = set("Ready", "Agent/SetReadyState", { "aria-pressed": "false" });
    this.#notReady = set("Not ready", "Agent/SetNotReadyState", { "aria-pressed": "false" });
    this.#signOut = set("Sign out", "Connection/Logout", {});
    this.#signInPlace = signInPlace;
    this.#form = signInForm(commands, this.#why);
    place.append(this.#badge, element("span", { class: "pair" }, this.#ready, this.#notReady), this.#signOut);
  }

  /** @param {import("../bus/adapters.js").Adapter} adapter */
  fit({ whoMaySignIn }) {
    this.#whoMaySignIn = whoMaySignIn;
    this.#explain();
  }

  /**
   * @param {string} state such as `READY`, `NOT_READY`
   * @param {string | null} reasonCode
   */
  showState(state, reasonCode) {
    show(this.#badge, state.toLowerCase().replaceAll("_", " "));
    this.#badge.dataset.state = state.toLowerCase();
    this.#badge.title = reasonCode ? `Reason code ${reasonCode}` : "";
    this.#ready.setAttribute("aria-pressed", String(state === "READY"));
    this.#notReady.setAttribute("aria-pressed", String(state === "NOT_READY"));
  }

  /**
   * @param {boolean} signedOut
   * @param {string} [reason] why, where it is told
   */
  offerSignIn(signedOut, reason = "") {
    this.#signedOutFor = reason;
    this.#explain();
    const hadFocus = this.#form.contains(document.activeElement);
    arrange(this.#signInPlace, signedOut ? [this.#form] : []);
    if (hadFocus && !signedOut) {
      /** @type {HTMLElement | null} */ (this.#signInPlace.closest("[tabindex]"))?.focus();
    }
    for (const button of [this.#ready, this.#notReady, this.#signOut]) {
      button.disabled = signedOut;
    }
  }

  #explain() {
    const why = this.#signedOutFor ? `Signed out: ${this.#signedOutFor}.` : "No agent is signed in for this workspace.";
    show(this.#why, `${why} ${this.#whoMaySignIn}`);
  }
}

/**
 * @param {Commands} commands
 * @param {HTMLElement} why somebody should sign in
 */
function signInForm(commands, why) {
  const field = (/** @type {string} */ name, /** @type {string} */ type) =>
    element("input", { name, type, required: true, maxlength: 128, size: 8, autocomplete: "off", spellcheck: "false" });
  const password = field("password", "password");
  return element("form", {
    class: "sign-in",
    submit: (event) => {
      event.preventDefault();
      const data = Object.fromEntries(new FormData(event.currentTarget));
      password.value = "";
      commands.send(`Sign in ${data.username}`, "Cisco/Agent/SetUserInfo", data);
    },
  }, why, element("label", {}, "Name", field("username", "text")), element("label", {}, "Password", password),
    element("label", {}, "Extension", field("extension", "tel")), element("button", { class: "primary" }, "Sign in"));
}

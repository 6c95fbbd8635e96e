import { arrange, element, show } from "./dom.js";

/** @typedef {import("./commands.js").Commands} Commands */

/** Who sits at the desk: state, ready or not, and a form to sign in where nobody does. */
export class Agent {
  #badge = element("span", { class: "badge", role: "status", "data-state": "unknown" }, "unknown");
  #ready;
  #notReady;
  #form;
  #signInPlace;

  /**
   * @param {HTMLElement} place of state and buttons
   * @param {HTMLElement} signInPlace
   * @param {Commands} commands
   */
  constructor(place, signInPlace, commands) {
    const set = (/** @type {string} */ label, /** @type {string} */ subtopic) =>
      element("button", {
        type: "button", class: "small", "aria-pressed": "false",
        click: () => commands.send(label, `Cisco/Agent/${subtopic}`, {}),
      }, label);
    this.#ready = set("Ready", "SetReadyState");
    this.#notReady = set("Not ready", "SetNotReadyState");
    this.#signInPlace = signInPlace;
    this.#form = signInForm(commands);
    place.append(this.#badge, element("span", { class: "pair" }, this.#ready, this.#notReady));
  }

  /** @param {string} state such as `READY`, `NOT_READY` */
  showState(state) {
    show(this.#badge, state.toLowerCase().replaceAll("_", " "));
    this.#badge.dataset.state = state.toLowerCase();
    this.#ready.setAttribute("aria-pressed", String(state === "READY"));
    this.#notReady.setAttribute("aria-pressed", String(state === "NOT_READY"));
  }

  /** @param {boolean} signedOut */
  offerSignIn(signedOut) {
    arrange(this.#signInPlace, signedOut ? [this.#form] : []);
    this.#ready.disabled = signedOut;
    this.#notReady.disabled = signedOut;
  }
}

/** @param {Commands} commands */
function signInForm(commands) {
  const field = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ type) =>
    element("label", {}, label, element("input", { name, type, required: true, maxlength: 128, size: 8, autocomplete: "off" }));
  return element("form", {
    class: "sign-in",
    submit: (event) => {
      event.preventDefault();
      const data = Object.fromEntries(new FormData(event.currentTarget));
      commands.send(`Sign in ${data.username}`, "Cisco/Agent/SetUserInfo", data);
      event.currentTarget.reset();
    },
  }, element("p", {}, "No agent is signed in for this workspace. The simulator takes any name and password."),
    field("username", "Name", "text"), field("password", "Password", "password"), field("extension", "Extension", "tel"),
    element("button", { class: "primary" }, "Sign in"));
}

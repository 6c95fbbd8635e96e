import { element, find, show } from "../dom.js";
import { cutLine } from "./cut-line.js";
import { app, keepToken, token, workspace } from "./visit.js";

/** @typedef {import("../../sdk/workspace-bridge.js").StateChange} StateChange */

/**
 * @typedef {object} LineState the connection's state as the page shows it
 * @property {StateChange["state"]} state
 * @property {string} word
 * @property {"good" | "busy" | "bad"} tone
 * @property {string} reason
 */

/** @type {Record<string, {word: string, tone: LineState["tone"]}>} */
const STATES = {
  connecting: { word: "connecting", tone: "busy" },
  open: { word: "connected", tone: "good" },
  waiting: { word: "lost, trying again", tone: "busy" },
  failing: { word: "not reachable", tone: "bad" },
  closed: { word: "closed", tone: "bad" },
};

/** Closes after which another token helps. */
const WANTS_ANOTHER = [4401, 4402, 4403];

/** What a bridge with authentication ends a connection with that has brought no token for a while. */
const OPEN_TIMEOUT = 4408;

/**
 * @param {StateChange} change
 * @returns {LineState}
 */
export function lineState({ state, reason }) {
  return { state, ...STATES[state], reason };
}

/**
 * @param {StateChange} change
 * @returns {boolean} whether the bridge wants a token, or another one than it got
 */
export function wantsToken({ state, code }) {
  return state === "closed" ? WANTS_ANOTHER.includes(code ?? 0) : code === OPEN_TIMEOUT && !token();
}

/** The view of the connection: as whom, how well, since which position; and how to break it on purpose. */
export class Connection {
  #state = find("connection-state", HTMLElement);
  #reason = find("connection-reason", HTMLElement);
  #causes = find("connection-causes", HTMLUListElement);
  #cut = find("cut", HTMLButtonElement);
  #token = find("token", HTMLInputElement);
  /** When the next attempt is, on the page's monotonic clock; 0 where none is planned. */
  #retryAt = 0;
  #shownReason = "";

  /** @param {() => void} connect */
  constructor(connect) {
    find("workspace", HTMLInputElement).value = workspace;
    find("app-name", HTMLInputElement).value = app;
    this.#token.value = token();
    find("visit", HTMLFormElement).addEventListener("submit", () => keepToken(this.#token.value.trim()));
    find("reconnect", HTMLButtonElement).addEventListener("click", connect);
    this.#cut.addEventListener("click", () => this.#toggleCut());
    setInterval(() => this.#showReason(), 1000);
  }

  /** @param {StateChange} change */
  showState({ state, code, reason, retryInMs, attempt, causes = [] }) {
    const { word, tone } = STATES[state];
    show(this.#state, word);
    this.#state.dataset.state = tone;
    this.#retryAt = retryInMs === undefined ? 0 : performance.now() + retryInMs;
    if (state !== "connecting") { // while it tries again, why it has to is still worth knowing
      this.#shownReason = state === "open" ? "" : `${reason}${attempt ? `, attempt ${attempt}` : ""}`;
    }
    this.#causes.replaceChildren(...causes.map((cause) => element("li", {}, cause)));
    this.#showReason();
    this.#token.setAttribute("aria-invalid", String(WANTS_ANOTHER.includes(code ?? 0)));
  }

  /** Put the focus where the token goes. */
  askForToken() {
    this.#token.focus();
  }

  /** @param {any} opened the body of `Opened` */
  greet({ workspace: name, session, identity, heartbeatSeconds, server }) {
    find("workspace", HTMLInputElement).value ||= name;
    show(find("app", HTMLElement), identity.app);
    show(find("session", HTMLElement), session);
    show(find("heartbeat", HTMLElement), `every ${heartbeatSeconds} s`);
    show(find("server", HTMLElement), `${server.version}, ${server.adapter}`);
  }

  /** @param {{epoch: string, offset: number} | undefined} position */
  showPosition(position) {
    show(find("epoch", HTMLElement), position?.epoch ?? "–");
    show(find("position", HTMLElement), String(position?.offset ?? "–"));
  }

  #showReason() {
    const seconds = Math.ceil((this.#retryAt - performance.now()) / 1000);
    const next = seconds > 0 ? `; again in ${seconds} s` : "";
    show(this.#reason, this.#shownReason && `${this.#shownReason}${next}`);
  }

  #toggleCut() {
    const isCut = this.#cut.getAttribute("aria-pressed") !== "true";
    this.#cut.setAttribute("aria-pressed", String(isCut));
    find("cut-note", HTMLElement).hidden = !isCut;
    cutLine(isCut);
  }
}

import { find, show } from "./dom.js";

/** @typedef {import("./bus.js").Line} Line */

/** @type {Record<string, string>} */
const CALL_CONTROL = {
  connected: "sees the calls",
  reconnecting: "lost, reconnecting",
  signed_out: "nobody signed in",
};

/** What the page is connected to, and how well. */
export class Header {
  #line = find("line", HTMLSpanElement);
  #connect = find("connect", HTMLButtonElement);
  #callControl = find("call-control", HTMLSpanElement);
  #banner = find("banner", HTMLParagraphElement);
  #lineProblem = "";
  #callProblem = "";

  /**
   * @param {string} workspace
   * @param {() => void} connect
   */
  constructor(workspace, connect) {
    find("workspace", HTMLInputElement).value = workspace;
    this.#connect.addEventListener("click", connect);
    this.#workspace = workspace;
  }

  #workspace;

  /**
   * @param {any} opened the body of `Opened`
   * @param {import("./adapters.js").Adapter} adapter
   */
  greet(opened, { namesAreNumbers }) {
    const [other, name] = namesAreNumbers
      ? this.#workspace === "5070" ? ["demo", "the first agent (5069)"] : ["5070", "a second agent (5070)"]
      : this.#workspace === "second" ? ["demo", "the first desk"] : ["second", "a second desk"];
    const link = find("colleague", HTMLAnchorElement);
    link.href = `?workspace=${other}`;
    show(link, `Open ${name} ↗`);
    show(find("app", HTMLElement), opened.identity.app);
    show(find("server", HTMLElement), `${opened.server.version}, ${opened.server.adapter}`);
  }

  /** @param {string} extension */
  showExtension(extension) {
    show(find("extension", HTMLElement), extension || "–");
    document.title = `${extension || this.#workspace} · Workspace Bridge demo`;
  }

  /** @param {Line} line */
  showLine({ phase, text }) {
    show(this.#line, phase === "open" ? "connected" : phase === "ended" ? "closed" : text);
    this.#line.dataset.state = { open: "good", connecting: "busy", waiting: "busy", ended: "bad" }[phase];
    this.#connect.hidden = phase !== "ended" && phase !== "waiting";
    if (phase !== "connecting") {
      this.#lineProblem = phase === "open" ? "" : `Not connected: ${text}. What you see is the last known.`;
    }
    this.#showBanner();
  }

  /**
   * @param {string} status of call control
   * @param {string} [reason] why, where it is told
   */
  showCallControl(status, reason) {
    show(this.#callControl, CALL_CONTROL[status] ?? status);
    this.#callControl.dataset.state = { connected: "good", reconnecting: "busy", signed_out: "bad" }[status] ?? "";
    this.#callProblem = status !== "reconnecting" ? ""
      : `Call control does not see the calls now${reason ? `: ${reason}` : ""}. What you see is the last known.`;
    this.#showBanner();
  }

  /** @param {import("./bus.js").Position | undefined} position */
  showPosition(position) {
    show(find("epoch", HTMLElement), position?.epoch ?? "–");
    show(find("offset", HTMLElement), String(position?.offset ?? "–"));
  }

  #showBanner() {
    const text = this.#lineProblem || this.#callProblem;
    this.#banner.hidden = !text;
    show(this.#banner, text);
  }
}

import { find, show } from "../dom.js";

/** @type {Record<string, string>} */
const CALL_CONTROL = {
  connected: "sees the calls",
  reconnecting: "lost, reconnecting",
  signed_out: "nobody signed in",
};

/** What the page is connected to, and how well, on one line; and a banner where something is wrong. */
export class Header {
  #line = find("line", HTMLSpanElement);
  #connect = find("connect", HTMLButtonElement);
  #callControl = find("call-control", HTMLSpanElement);
  #trouble = find("trouble", HTMLDivElement);
  #banner = find("banner", HTMLParagraphElement);
  #notice = find("notice", HTMLDivElement);
  #lineProblem = "";
  #callProblem = "";

  /** @param {() => void} connect */
  constructor(connect) {
    this.#connect.addEventListener("click", connect);
    find("notice-close", HTMLButtonElement).addEventListener("click", () => this.showNotice(""));
  }

  /**
   * @param {string} workspace
   * @param {import("../bus/adapters.js").Adapter} adapter
   */
  greet(workspace, { namesAreNumbers }) {
    const [other, name] = namesAreNumbers
      ? workspace === "5070" ? ["demo", "First agent (5069)"] : ["5070", "Second agent (5070)"]
      : workspace === "second" ? ["demo", "First desk"] : ["second", "Second desk"];
    const link = find("colleague", HTMLAnchorElement);
    link.title = "opens in another tab";
    link.href = `?workspace=${other}`;
    show(link, `${name} ↗`);
    show(find("current-workspace", HTMLElement), workspace);
    document.title = `${workspace} · Workspace Bridge demo`;
  }

  /** @param {string} extension */
  showExtension(extension) {
    show(find("extension", HTMLElement), extension || "–");
    if (extension) {
      document.title = `${extension} · Workspace Bridge demo`;
    }
  }

  /**
   * @param {import("./connection.js").LineState} line
   */
  showLine({ state, word, tone, reason }) {
    show(this.#line, word);
    this.#line.dataset.state = tone;
    this.#connect.hidden = state === "open" || state === "connecting";
    if (state !== "connecting") {
      this.#lineProblem = state === "open" ? "" : `Not connected: ${reason}. What you see is the last known.`;
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

  /** @param {number | undefined} offset */
  showOffset(offset) {
    show(find("offset", HTMLElement), String(offset ?? "–"));
  }

  /** @param {string} text what stays true after the banner is gone; empty to take it away */
  showNotice(text) {
    show(find("notice-text", HTMLParagraphElement), text);
    this.#notice.hidden = !text;
  }

  #showBanner() {
    const text = this.#lineProblem || this.#callProblem;
    this.#trouble.hidden = !text;
    show(this.#banner, text);
  }
}

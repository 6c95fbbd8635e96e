import { explainCause } from "../bus/causes.js";
import { element, find } from "../dom.js";
import { labelOf } from "./actions.js";

/** @typedef {import("../bus/commands.js").Commands} Commands */
/** @typedef {import("../bus/commands.js").Command} Command */

/** @type {Record<import("../bus/commands.js").Phase, string>} */
const PHASES = {
  sent: "sending",
  accepted: "pending",
  completed: "done",
  failed: "failed",
  timedOut: "timed out",
  refused: "refused",
  unknown: "unknown",
};

/** The list of commands: each as pending until its outcome, refusals and failures with their reasons. */
export class Activity {
  #commands;
  #list = find("activity", HTMLOListElement);
  #empty = find("no-activity", HTMLParagraphElement);
  #clear = find("activity-clear", HTMLButtonElement);
  /** Rows by command, and the phase that each shows. @type {Map<string, {phase: string, row: HTMLElement}>} */
  #shown = new Map();

  /** @param {Commands} commands */
  constructor(commands) {
    this.#commands = commands;
    this.#clear.addEventListener("click", () => commands.clear());
  }

  /** Show the commands as they are now; a row that has not changed is not touched, nor read aloud again. */
  update() {
    const commands = this.#commands.all;
    /** @type {Map<string, {phase: string, row: HTMLElement}>} */
    const shown = new Map();
    for (const command of commands) {
      const before = this.#shown.get(command.id);
      shown.set(command.id, before?.phase === command.phase ? before : { phase: command.phase, row: row(command) });
    }
    this.#shown = shown;
    const rows = [...shown.values()].map((entry) => entry.row);
    if (rows.length !== this.#list.children.length || rows.some((each, place) => each !== this.#list.children[place])) {
      this.#list.replaceChildren(...rows);
    }
    this.#empty.hidden = rows.length > 0;
    this.#clear.hidden = rows.length === 0;
  }
}

/** @param {Command} command */
function row(command) {
  const took = command.endedAt ? ` ${Math.round(command.endedAt - command.sentAt)} ms` : "";
  return element("li", { "data-phase": command.phase, "data-command": command.id },
    element("p", { class: "what" }, element("span", {}, command.label),
      element("span", { class: "phase" }, PHASES[command.phase], element("small", {}, took))),
    ...reasons(command).map((text) => element("p", { class: "reason" }, text)));
}

/**
 * @param {Command} command
 * @returns {string[]} why it was not done, empty where it was
 */
function reasons({ phase, result }) {
  switch (phase) {
    case "refused":
      return refusal(result);
    case "failed":
      return [`${result.errorType}: ${explainCause(result.cause ?? "", result.message)}`];
    case "timedOut":
      return [`No answer from call control within ${result.afterMs / 1000} s. The calls above are as they were read afresh.`];
    case "unknown":
      return [result.message];
    default:
      return [];
  }
}

/** @param {any} rejected the body of `Rejected` */
function refusal(rejected) {
  const lines = [rejected.code ? `${rejected.message} (${rejected.code})` : rejected.message];
  for (const error of rejected.errors ?? []) {
    lines.push(`${error.pointer}: ${error.message}${error.hint ? ` – ${error.hint}` : ""}`);
  }
  if (rejected.allowed) {
    lines.push(`Allowed now: ${rejected.allowed.map(labelOf).join(", ") || "nothing"}`);
  }
  return lines;
}

import { Threads, threads } from "../bus/threads.js";
import { element, find, show } from "../dom.js";
import { open, save } from "./file.js";
import { Divider, Row } from "./row.js";
import { LogStore, MAX_LINES } from "./store.js";
import { RowWindow } from "./window.js";

/** @typedef {import("../bus/message.js").Message} Message */
/** @typedef {import("./row.js").Way} Way */

/** The live log. Lines are added once a frame, however many messages came. */
export class Log {
  #isOwn;
  #panel = find("log", HTMLElement);
  #filter = find("log-filter", HTMLInputElement);
  #heartbeats = find("log-heartbeats", HTMLInputElement);
  #pause = find("log-pause", HTMLButtonElement);
  #count = find("log-count", HTMLParagraphElement);
  #newest = find("log-newest", HTMLButtonElement);
  #file = element("input", { type: "file", accept: ".jsonl,.ndjson,.json,.txt", class: "hidden", tabindex: -1, "aria-label": "File to open" });
  #fileBar = element("div", { class: "file-bar", hidden: true });
  #window;
  #live = new LogStore();
  /** What is on show: the live lines, or those of a file. */
  #store = this.#live;
  /** Came, and is not in the list yet. @type {(Row | Divider)[]} */
  #waiting = [];
  #logged = 0;
  #paused = false;
  #frame = 0;

  /** @param {(id: string) => boolean} isOwn whether the message with that id was sent by this page */
  constructor(isOwn) {
    this.#isOwn = isOwn;
    const list = find("rows", HTMLOListElement);
    this.#window = new RowWindow(list, (thread) => this.#seek(thread), (following) => {
      this.#newest.hidden = following;
    });
    list.parentElement?.before(this.#fileBar);
    this.#equip();
  }

  /**
   * Add a message. One of the stream that is in the log already is not added again.
   *
   * @param {Message} message
   * @param {Way} way
   */
  add(message, way) {
    if (message.offset !== undefined) {
      if (message.offset <= this.#logged) {
        return;
      }
      this.#logged = message.offset;
    }
    const own = message.id !== undefined && this.#isOwn(message.id);
    this.#queue(new Row(message, { way, own, thread: threads.of(message) }));
  }

  /**
   * Draw a line with a text across the log.
   *
   * @param {string} text
   */
  divide(text) {
    this.#queue(new Divider(text));
  }

  /** The stream is another one now: its offsets begin anew. */
  beginEpoch() {
    this.#logged = 0;
  }

  #equip() {
    this.#filter.addEventListener("input", () => this.#refilter());
    this.#heartbeats.addEventListener("change", () => this.#refilter());
    this.#pause.addEventListener("click", () => this.#togglePause());
    this.#newest.addEventListener("click", () => this.#window.follow());
    find("log-clear", HTMLButtonElement).addEventListener("click", () => this.#clear());
    const copy = find("log-copy", HTMLButtonElement);
    copy.addEventListener("click", () => this.#copy(copy));
    copy.after(
      element("button", { type: "button", click: () => this.#save() }, "Save"),
      element("button", { type: "button", click: () => this.#file.click() }, "Open"),
      this.#file,
    );
    this.#file.addEventListener("change", () => {
      this.#openFirst(this.#file.files);
      this.#file.value = "";
    });
    this.#panel.addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
    this.#panel.addEventListener("drop", (event) => {
      if (event.dataTransfer?.files.length) {
        event.preventDefault();
        this.#openFirst(event.dataTransfer.files);
      }
    });
  }

  /** @param {Row | Divider} line */
  #queue(line) {
    this.#waiting.push(line);
    if (this.#waiting.length >= 2 * MAX_LINES) {
      this.#live.skip(this.#waiting.splice(0, MAX_LINES)); // the list would not keep them either
    }
    this.#schedule();
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => this.#flush());
  }

  #flush() {
    this.#frame = 0;
    if (!this.#paused) {
      this.#live.add(this.#waiting);
      this.#waiting = [];
    }
    this.#window.update(this.#store.shown);
    this.#showCount();
  }

  #refilter() {
    for (const store of new Set([this.#live, this.#store])) {
      store.filter(this.#filter.value, this.#heartbeats.checked);
    }
    this.#schedule();
  }

  /** @param {string} text to have in the filter */
  #seek(text) {
    this.#filter.value = text;
    this.#refilter();
    this.#filter.focus();
  }

  #showCount() {
    const { kept, shown, dropped } = this.#store.counts;
    const waiting = this.#paused && this.#waiting.length ? `, ${this.#waiting.length} waiting` : "";
    const gone = dropped ? `, the oldest ${dropped} dropped` : "";
    show(this.#count, `${shown === kept ? shown : `${shown} of ${kept}`} shown${waiting}${gone}`);
  }

  #togglePause() {
    this.#paused = !this.#paused;
    this.#pause.setAttribute("aria-pressed", String(this.#paused));
    show(this.#pause, this.#paused ? "Resume" : "Pause");
    this.#schedule();
  }

  #clear() {
    this.#waiting = [];
    this.#live.clear();
    this.#show(this.#live);
  }

  /** @returns {Row[]} what the filter lets through, in sight or not */
  #shownRows() {
    return this.#store.shown.flatMap((line) => (line instanceof Row ? [line] : []));
  }

  /** @param {HTMLButtonElement} button */
  async #copy(button) {
    const rows = this.#shownRows();
    try {
      await navigator.clipboard.writeText(jsonLines(rows));
      show(button, `Copied ${rows.length}`);
    } catch {
      show(button, "Not allowed"); // by the browser: no permission, or a page that came over plain HTTP
    }
    setTimeout(() => show(button, "Copy"), 1500);
  }

  #save() {
    save(jsonLines(this.#shownRows()), `messages-${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}.jsonl`);
  }

  /** @param {FileList | null} files */
  async #openFirst(files) {
    const file = files?.[0];
    if (!file) {
      return;
    }
    try {
      const { messages, faults } = await open(file);
      const own = new Threads();
      const store = new LogStore();
      store.filter(this.#filter.value, this.#heartbeats.checked);
      store.add(messages.map((message) => new Row(message, { way: "file", own: false, thread: own.of(message) })));
      this.#show(store);
      this.#tellFile(`${file.name}: ${messages.length} ${messages.length === 1 ? "message" : "messages"}${unread(faults)}`);
    } catch (error) {
      this.#tellFile(`${file.name} could not be opened: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {string} text */
  #tellFile(text) {
    const isOpen = this.#store !== this.#live;
    const close = element("button", { type: "button", class: "small", click: () => this.#show(this.#live) },
      isOpen ? "Back to live" : "Close");
    this.#fileBar.replaceChildren(element("span", { role: "status" }, text), close);
    this.#fileBar.hidden = false;
  }

  /** @param {LogStore} store */
  #show(store) {
    this.#fileBar.hidden = true;
    this.#store = store;
    this.#window.update(store.shown);
    this.#window.follow();
    this.#showCount();
  }
}

/** @param {Row[]} rows */
function jsonLines(rows) {
  return rows.map(({ json }) => `${json}\n`).join("");
}

/** @param {number[]} faults numbers of lines */
function unread(faults) {
  if (!faults.length) {
    return "";
  }
  const more = faults.length > 3 ? " and others" : "";
  const lines = `${faults.slice(0, 3).join(", ")}${more}`;
  return `; ${faults.length === 1 ? "line" : "lines"} ${lines} ${faults.length === 1 ? "is none" : "are none"}`;
}

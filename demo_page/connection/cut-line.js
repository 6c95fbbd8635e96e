/**
 * A WebSocket whose line can be cut: both sides fall silent and nobody is told, as when a cable is pulled or a network
 * changes. What is on its way is held back, as TCP would, and arrives when the line is whole again, unless the connection
 * was given up by then.
 */

/** More than this held back, and the connection is lost: no network keeps everything. */
const HELD = 5_000;

/** @type {Set<CuttableWebSocket>} */
const sockets = new Set();

let isCut = false;

export class CuttableWebSocket extends WebSocket {
  /** What waits for the line, in order. @type {(() => void)[]} */
  #held = [];
  #overflown = false;
  /** Whether an event is one that was held back. */
  #releasing = false;

  /**
   * @param {string | URL} url
   * @param {string | string[]} [protocols]
   */
  constructor(url, protocols) {
    super(url, protocols);
    sockets.add(this);
    for (const type of ["open", "message", "error", "close"]) {
      this.addEventListener(type, (event) => this.#arrive(event)); // the first listener, so it comes before all others
    }
  }

  /** @param {string | ArrayBufferLike | Blob | ArrayBufferView<ArrayBuffer>} data */
  send(data) {
    if (isCut) {
      this.#hold(() => super.send(data));
    } else {
      super.send(data);
    }
  }

  /**
   * @param {number} [code]
   * @param {string} [reason]
   */
  close(code, reason) {
    sockets.delete(this); // given up: what was held back is lost
    this.#held = [];
    super.close(code, reason);
  }

  /** Let arrive what was held back. */
  release() {
    if (this.#overflown) {
      this.close();
      return;
    }
    for (let arrive = this.#held.shift(); arrive; arrive = this.#held.shift()) {
      arrive();
    }
  }

  /** @param {Event} event */
  #arrive(event) {
    if (this.#releasing) {
      return;
    }
    if (isCut) {
      event.stopImmediatePropagation();
      this.#hold(() => this.#tell(event));
    } else {
      this.#forget(event);
    }
  }

  /** @param {Event} event */
  #forget(event) {
    if (event.type === "close") {
      sockets.delete(this);
    }
  }

  /** @param {Event} event */
  #tell(event) {
    this.#forget(event);
    this.#releasing = true;
    this.dispatchEvent(copyOf(event));
    this.#releasing = false;
  }

  /** @param {() => void} arrival */
  #hold(arrival) {
    if (this.#held.length < HELD) {
      this.#held.push(arrival);
    } else {
      this.#held = [];
      this.#overflown = true;
    }
  }
}

/** @param {boolean} cut */
export function cutLine(cut) {
  isCut = cut;
  if (!cut) {
    for (const socket of sockets) {
      socket.release();
    }
  }
}

/**
 * An event can be told once only.
 *
 * @param {Event} event
 */
function copyOf(event) {
  if (event instanceof MessageEvent) {
    return new MessageEvent("message", { data: event.data, origin: event.origin });
  }
  if (event instanceof CloseEvent) {
    return new CloseEvent("close", { code: event.code, reason: event.reason, wasClean: event.wasClean });
  }
  return new Event(event.type);
}

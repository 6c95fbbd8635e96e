/**
 * The page's side of a shared socket: a port to the worker that looks like a WebSocket. Everything else, recovery and
 * commands in doubt included, is done by the page as with a socket of its own.
 */

/** @typedef {import("./environment.js").Environment} Environment */
/** @typedef {import("./environment.js").Socket} Socket */

/**
 * Let an environment dial through a SharedWorker, where there can be one.
 *
 * @param {Environment} env
 * @param {string | URL} [workerUrl] of the page's own origin
 */
export function share(env, workerUrl = new URL("./shared-worker.js", import.meta.url)) {
  const own = env.dial;
  let reason = missing();
  if (reason) {
    say(reason);
  }
  env.dial = async (url, token) => {
    if (reason) {
      return own(url, token);
    }
    try {
      const name = `workspace-bridge ${await fingerprint(`${url}\n${token ?? ""}`)}`;
      const worker = new SharedWorker(workerUrl, { name, type: "module" });
      const socket = new PortSocket(worker.port, url);
      worker.onerror = () => {
        say((reason = "its script cannot be loaded"));
        socket.lost();
      };
      return socket;
    } catch (error) {
      say((reason = String(error)));
      return own(url, token);
    }
  };
}

/** @returns {string} what this browser or page lacks */
function missing() {
  if (!globalThis.SharedWorker) {
    return "there is no SharedWorker here";
  }
  return globalThis.isSecureContext && navigator.locks ? "" : "the page is no secure context";
}

/** @param {string} reason */
const say = (reason) => console.info(`workspace-bridge: this page has a socket of its own, not a shared one: ${reason}`);

/**
 * A worker's name may be seen by every page of this origin, so the token is not in it.
 *
 * @param {string} text
 */
async function fingerprint(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @implements {Socket} */
class PortSocket {
  readyState = 0;
  /** @type {Socket["onopen"]} */
  onopen = null;
  /** @type {Socket["onmessage"]} */
  onmessage = null;
  /** @type {Socket["onclose"]} */
  onclose = null;
  /** @type {Socket["onerror"]} */
  onerror = null;
  #port;
  #release = () => {};

  /**
   * @param {MessagePort} port
   * @param {string} url
   */
  constructor(port, url) {
    this.#port = port;
    port.onmessage = ({ data }) => this.#take(data);
    const lock = `workspace-bridge ${crypto.randomUUID()}`;
    // The worker waits for this lock: it gets it when this socket is closed, or the page is gone.
    navigator.locks.request(lock, () => {
      port.postMessage({ open: url, lock });
      return new Promise((resolve) => (this.#release = () => resolve(0)));
    });
  }

  /** @param {string} text */
  send(text) {
    this.#port.postMessage({ send: text });
  }

  close() {
    if (this.readyState < 2) {
      this.readyState = 3;
      this.#port.postMessage({ close: true });
      this.#release();
      queueMicrotask(() => this.onclose?.({ code: 1000, reason: "" }));
    }
  }

  lost(code = 1006, reason = "") {
    if (this.readyState < 2) {
      this.readyState = 3;
      this.#release();
      this.onclose?.({ code, reason });
    }
  }

  /** @param {any} said by the worker */
  #take({ opened, text, closed }) {
    if (opened && this.readyState === 0) {
      this.readyState = 1;
      this.onopen?.({});
    } else if (text !== undefined && this.readyState === 1) {
      this.onmessage?.({ data: text });
    } else if (closed) {
      this.lost(...closed);
    }
  }
}

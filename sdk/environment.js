/** What the SDK takes from where it runs. Tests put their own clock, chance and sockets in these places. */

const SUBPROTOCOL = "workspace-bridge.v1";
const SIGNS = ["online", "offline", "pageshow", "pagehide", "visibilitychange", "resume"];

/**
 * @typedef {object} Socket the part of a WebSocket that is used
 * @property {number} readyState
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 * @property {(text: string) => void} send
 * @property {(code?: number, reason?: string) => void} close
 */

/**
 * @typedef {object} Environment
 * @property {(url: string, token?: string) => Socket | Promise<Socket>} dial
 * @property {() => number} now in milliseconds, also counting time that the machine slept
 * @property {(then: () => void, ms: number) => any} later
 * @property {(timer: any) => void} cancel
 * @property {() => number} random
 * @property {{origin: string, protocol: string, hostname: string, host: string} | undefined} page
 * @property {(told: (sign: string, event: any) => void) => () => void} listen to what happens to the page
 */

/**
 * @param {new (url: string, protocols: string[]) => Socket} WebSocket
 * @returns {Environment}
 */
export const environment = (WebSocket) => ({
  dial: (url) => new WebSocket(url, [SUBPROTOCOL]),
  now: () => Date.now(),
  later: (then, ms) => setTimeout(then, ms),
  cancel: (timer) => clearTimeout(timer),
  random: Math.random,
  page: globalThis.location,
  listen(told) {
    const hear = (/** @type {Event} */ event) => told(event.type, event);
    const places = [globalThis, globalThis.document].filter((place) => place?.addEventListener);
    const each = (/** @type {"addEventListener" | "removeEventListener"} */ verb) =>
      places.forEach((place) => SIGNS.forEach((sign) => place[verb](sign, hear)));
    each("addEventListener");
    return () => each("removeEventListener");
  },
});

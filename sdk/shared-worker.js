/**
 * One socket for the pages of an origin that have the same url, workspace, app and token. Each page has a port and
 * speaks the wire protocol over it, as with a socket of its own: it reconnects, recovers and asks for itself.
 */

import { Relay } from "./relay.js";

const relay = new Relay((url) => new WebSocket(url, ["workspace-bridge.v1"]), () => Date.now());

/** @param {any} event */
globalThis.onconnect = ({ ports: [port] }) => {
  const member = relay.join((/** @type {any} */ said) => port.postMessage(said));
  port.onmessage = (/** @type {MessageEvent} */ { data }) => {
    if (data.open) {
      member.open(data.open);
      navigator.locks.request(data.lock, () => member.leave());
    } else if (data.send) {
      member.send(data.send);
    } else if (data.close) {
      member.leave();
    }
  };
};

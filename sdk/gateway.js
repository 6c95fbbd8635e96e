import { Gateway } from "./gateway/gateway.js";
import { readOptions } from "./gateway/options.js";

/** What a host page imports to let gadgets in frames of other origins take part. docs/gadgets.md tells how. */

/** @typedef {import("./gateway/counters.js").Counters} Counters */

/**
 * Open the way between the bridge and the gadgets in this page's frames.
 *
 * @param {object} options
 * @param {import("./gateway/bridge.js").Bridge} options.bridge what `connect()` gave
 * @param {import("./gateway/options.js").GadgetOptions[]} options.gadgets who may speak, as whom, and about what
 * @param {Window} [options.target] the window that the gadgets' frames stand in
 * @returns {{close: () => void, readonly counters: Counters}}
 * @throws {TypeError} an option is wrong; the message says which and why
 */
export function openGateway(options) {
  const gateway = new Gateway(readOptions(options));
  return {
    close: () => gateway.close(),
    get counters() {
      return gateway.counters;
    },
  };
}

import { Gateway } from "./gateway/gateway.js";
import { readOptions } from "./gateway/options.js";

/** What a host page imports to let gadgets in frames of other origins take part. docs/gadgets.md tells how. */

/**
 * Open the way between the bridge and the gadgets in this page's frames.
 *
 * @type {typeof import("./gateway.js").openGateway}
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

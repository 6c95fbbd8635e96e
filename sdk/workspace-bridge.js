import { Bridge } from "./bridge.js";
import { environment } from "./environment.js";

export { BridgeError } from "./errors.js";

/**
 * Connect to a bridge: docs/sdk.md tells how it is used, workspace-bridge.d.ts what there is.
 *
 * @type {typeof import("./workspace-bridge.js").connect}
 */
export async function connect(options = {}) {
  const url = new URL(options.url ?? new URL("/ws", import.meta.url).href.replace(/^http/, "ws"));
  for (const name of /** @type {const} */ (["workspace", "app"])) {
    const value = options[name];
    if (value !== undefined) {
      url.searchParams.set(name, value);
    }
  }
  const env = environment(options.WebSocket ?? globalThis.WebSocket);
  if (options.shared) {
    const { share } = await import("./shared.js");
    share(env, options.workerUrl);
  }
  const bridge = new Bridge(env, url, options);
  return /** @type {any} */ (bridge.open());
}

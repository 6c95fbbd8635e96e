import assert from "node:assert/strict";
import { test } from "node:test";

import { share } from "../../sdk/shared.js";

test("where there is no SharedWorker the page has a socket of its own, and says so", async () => {
  const said = [];
  console.info = (text) => said.push(text);
  const env = { dial: (url) => `own socket to ${url}` };
  share(env, "worker.js");
  assert.equal(await env.dial("ws://bridge.test/ws", "secret"), "own socket to ws://bridge.test/ws");
  assert.equal(said.length, 1);
  assert.match(said[0], /no SharedWorker/);
  assert.doesNotMatch(said[0], /secret/);
});

// Run by test_sdk.py against a real bridge that asks for tokens: renewal, a host page's names, an end that is final.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import WebSocket from "ws";

import { connect } from "../../sdk/workspace-bridge.js";

const [url, secret] = process.argv.slice(2);
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function minted(seconds, more = {}) {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const claims = { sub: "agent-7", workspace: "demo", app: "desk", exp, publish: ["Notes"], subscribe: ["Notes"], ...more };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

let asked = 0;
const token = async () => {
  asked += 1;
  return minted(asked === 1 ? 3 : 600, { roles: ["widget", "host"], apps: ["notes"] });
};
const states = [];
const bridge = await connect({ url, workspace: "demo", token, WebSocket, onState: ({ state }) => states.push(state) });
const refreshed = new Promise((resolve) => {
  bridge.addEventListener("message", ({ detail: { message } }) => message.subtopic === "Refreshed" && resolve(message.data));
});
assert.equal(bridge.opened.identity.app, "desk");

const heard = [];
const all = new Promise((resolve) => {
  bridge.subscribe("Notes", ({ source, data }) => heard.push([source, data]) === 2 && resolve(), { echo: true });
});
await bridge.publish({ channel: "Notes", topic: "Test", subtopic: "Written", source: "notes", data: 1 });
await bridge.publish({ channel: "Notes", topic: "Test", subtopic: "Written", source: "not-listed", data: 2 });
await all;
assert.deepEqual(heard, [["notes", 1], ["desk", 2]]);

const { expiresInSeconds } = await refreshed;
assert.ok(expiresInSeconds > 60);
assert.deepEqual([asked, states], [2, ["connecting", "open"]]);
await bridge.close();

await assert.rejects(connect({ url, workspace: "demo", token: "none", WebSocket }), { name: "BridgeError", code: 4401 });
await assert.rejects(connect({ url, workspace: "other", token: minted(60), WebSocket }), { name: "BridgeError", code: 4403 });

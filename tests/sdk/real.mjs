// Run by test_sdk.py against a real bridge: recover after a cut; then the bridge restarts, which is said.
import assert from "node:assert/strict";
import WebSocket from "ws";

import { connect } from "../../sdk/workspace-bridge.js";

const [url] = process.argv.slice(2);
const note = (data) => ({ channel: "Notes", topic: "Test", subtopic: "Written", data });
const other = await connect({ url, workspace: "demo", app: "other", WebSocket });
const bridge = await connect({ url, workspace: "demo", app: "sdk-test", WebSocket });

const seen = [];
const joins = [];
let wake = () => {};
const until = async (done) => {
  while (!done()) {
    await new Promise((resolve) => (wake = resolve));
  }
};
bridge.subscribe(["Notes", "Cisco/InboundCall"], ({ data }, { via }) => { seen.push([via, data]); wake(); },
  { onJoined: (join) => { joins.push(join); wake(); } });
await until(() => joins.length === 1);

const run = bridge.command({ channel: "Simulator", topic: "Call", subtopic: "Offer", data: { fromAddress: "+15550100" } });
assert.equal((await run.accepted).id, run.id);
const { call } = await run;
assert.ok(seen.some(([via, data]) => via === "live" && data.call?.id === call));
await assert.rejects(bridge.command({ channel: "Cisco", topic: "InboundCall", subtopic: "SetHOLD", data: { MediaAddress: "5069", CallID: "1" } }),
  { name: "BridgeError", code: "unknown_call" });
const surrogate = bridge.publish(note("\ud800"));
await assert.rejects(surrogate, { name: "BridgeError" });

await other.publish(note(1));
await until(() => seen.at(-1)[1] === 1);
bridge.reconnect();
await other.publish(note(2));
await other.publish(note(3));
await until(() => joins.length === 2);
assert.equal(joins[1].recovered, true);
await until(() => seen.at(-1)[1] === 3);
assert.deepEqual(seen.slice(-3).map(([, data]) => data), [1, 2, 3]);

process.stdout.write("restart me\n");
await until(() => joins.length === 3);
assert.deepEqual([joins[2].recovered, joins[2].again, joins[2].sameEpoch], [false, true, false]);
await Promise.all([bridge.close(), other.close()]);
await assert.rejects(bridge.publish(note(4)), { code: "closed" });

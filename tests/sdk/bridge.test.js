import assert from "node:assert/strict";
import { test } from "node:test";

import { Stage, message, settled } from "./stage.js";

const NOTE = { channel: "Notes", topic: "Test", subtopic: "Written", data: 1 };
const READY = { channel: "Cisco", topic: "Agent", subtopic: "SetReadyState" };

/** A bridge with one subscriber to `pattern`, joined at offset 10. */
async function joined(pattern = "Notes", options = {}) {
  const stage = new Stage();
  await stage.greet();
  const seen = [];
  const joins = [];
  const stop = stage.bridge.subscribe(pattern, ({ offset }, { via }) => seen.push(`${via} ${offset}`),
    { onJoined: (join) => joins.push(join), ...options });
  stage.subscribed("e1", 10, { snapshot: [message(4)] });
  return { stage, seen, joins, stop };
}

test("snapshot first, then live, each once", async () => {
  const { stage, seen, joins } = await joined();
  stage.live(11);
  stage.live(11);
  stage.live(12, "Other/Test/Written");
  stage.live(13);
  assert.deepEqual(seen, ["snapshot 4", "live 11", "live 13"]);
  assert.deepEqual(joins.map(({ recovered, again, sameEpoch, offset }) => [recovered, again, sameEpoch, offset]),
    [[false, false, false, 10]]);
  assert.deepEqual(stage.bridge.position, { epoch: "e1", offset: 13 });
});

test("what was missed is recovered, in order and once, and told by onJoined before", async () => {
  const { stage, seen, joins } = await joined();
  stage.live(11);
  await stage.cut();
  const asked = stage.subscribed("e1", 15, { recovered: true, messages: [message(12), message(14)] });
  assert.deepEqual(asked.data.recover, { epoch: "e1", offset: 11 });
  stage.live(16);
  assert.deepEqual(seen.slice(1), ["live 11", "recovered 12", "recovered 14", "live 16"]);
  assert.deepEqual(joins[1].messages.map(({ offset }) => offset), [12, 14]);
  assert.equal(joins[1].recovered && joins[1].again && joins[1].sameEpoch, true);
});

test("what cannot be recovered is said, and the snapshot handed over", async () => {
  const { stage, seen, joins } = await joined();
  await stage.cut(1012);
  stage.subscribed("e2", 3, { recovered: false, messages: [], snapshot: [message(2)] });
  assert.deepEqual([joins[1].recovered, joins[1].again, joins[1].sameEpoch], [false, true, false]);
  assert.deepEqual(seen, ["snapshot 4", "snapshot 2"]);
  stage.live(4);
  assert.equal(seen.at(-1), "live 4");
});

test("a heartbeat, or a newcomer, between the greeting and the answer does not move the position", async () => {
  const { stage, seen } = await joined();
  await stage.cut();
  stage.socket.say("Bridge/Session/Heartbeat", { epoch: "e1", offset: 15 });
  stage.bridge.subscribe("Other", () => {});
  assert.equal(stage.socket.sentTo("Bridge/Subscription/Subscribe").length, 1);
  await stage.cut();
  const asked = stage.subscribed("e1", 16, { recovered: true, messages: [message(12), message(16)] });
  assert.deepEqual(asked.data.recover, { epoch: "e1", offset: 10 });
  assert.deepEqual(seen.slice(1), ["recovered 12", "recovered 16"]);
  assert.deepEqual(stage.socket.sentTo("Bridge/Subscription/Subscribe").at(-1).data, { patterns: ["Other"] });
});

test("subscribers of different patterns go on together, from the position as read", async () => {
  const { stage, seen } = await joined();
  const order = [];
  stage.bridge.subscribe("Other", ({ offset }) => order.push(offset));
  stage.live(11);
  stage.subscribed("e1", 20);
  await stage.cut();
  const asks = stage.socket.sentTo("Bridge/Subscription/Subscribe");
  assert.equal(asks.length, 1);
  assert.deepEqual(asks[0].data, { patterns: ["Notes", "Other"], recover: { epoch: "e1", offset: 20 } });
  stage.subscribed("e1", 30, { recovered: true, messages: [message(21, "Other/a/b"), message(22)] });
  assert.deepEqual(order, [21]);
  assert.equal(seen.at(-1), "recovered 22");
});

test("who had no answer yet begins after the others went on", async () => {
  const { stage, seen } = await joined();
  const late = [];
  stage.bridge.subscribe("Notes", ({ offset }, { via }) => late.push(`${via} ${offset}`));
  await stage.cut();
  stage.subscribed("e1", 12, { recovered: true, messages: [message(12)] });
  stage.live(13);
  stage.subscribed("e1", 13, { snapshot: [message(4)] });
  stage.live(14);
  assert.deepEqual(late, ["snapshot 4", "live 14"]);
  assert.deepEqual(seen, ["snapshot 4", "recovered 12", "live 13", "live 14"]);
});

test("a listener that throws, stops or closes does not break the stream of others", async () => {
  const reported = [];
  globalThis.reportError = (fault) => reported.push(fault.message);
  const { stage, seen, stop } = await joined();
  stage.bridge.subscribe("Notes", () => { throw new Error("mine"); });
  stage.subscribed("e1", 10);
  stage.live(11);
  assert.deepEqual(reported, ["mine"]);
  stop();
  stage.live(12);
  assert.deepEqual(seen, ["snapshot 4", "live 11"]);
  assert.equal(stage.socket.sentTo("Bridge/Subscription/Unsubscribe").length, 0); // the other wants it still
  assert.equal(stage.bridge.state, "open");
});

test("own messages come where an echo was asked for, and nowhere else", async () => {
  const { stage, seen } = await joined();
  const echoed = [];
  stage.bridge.subscribe("Notes", ({ offset }) => echoed.push(offset), { echo: true });
  assert.equal(stage.subscribed("e1", 10).data.echo, true);
  const sent = stage.bridge.publish(NOTE);
  stage.socket.answer("Notes/Test/Written", "Bridge/Message/Accepted", { offset: 11, duplicate: false, warnings: [] });
  stage.live(11);
  stage.live(12);
  assert.equal((await settled(sent)).value.offset, 11);
  assert.deepEqual(echoed, [11, 12]);
  assert.deepEqual(seen, ["snapshot 4", "live 12"]);
});

test("a refused subscription says so to its owner and leaves the others", async () => {
  const { stage, seen } = await joined();
  const refused = [];
  stage.bridge.subscribe("Secret", () => {}, { onRefused: (error) => refused.push(error.code) });
  stage.socket.answer("Bridge/Subscription/Subscribe", "Bridge/Message/Rejected",
    { code: "not_permitted", message: "no", temporary: false });
  await stage.pass(0);
  assert.deepEqual(refused, ["not_permitted"]);
  stage.live(11);
  assert.equal(seen.at(-1), "live 11");
});

test("a newer token that allows less ends what it does not allow; the rest recovers", async () => {
  const { stage, seen } = await joined();
  const refused = [];
  stage.bridge.subscribe("Secret", () => {}, { onRefused: (error) => refused.push(error.code) });
  stage.subscribed("e1", 10);
  await stage.cut();
  const no = { code: "not_permitted", message: "no", temporary: false };
  stage.socket.answer("Bridge/Subscription/Subscribe", "Bridge/Message/Rejected", no);
  await stage.pass(0);
  stage.socket.answer("Bridge/Policy/Explain", "Bridge/Policy/Explained", { allowed: true, rule: "", tried: [] });
  await stage.pass(0);
  stage.socket.answer("Bridge/Policy/Explain", "Bridge/Policy/Explained", { allowed: false, rule: "", tried: [] });
  await stage.pass(0);
  assert.deepEqual(refused, ["not_permitted"]);
  const asked = stage.subscribed("e1", 12, { recovered: true, messages: [message(12)] });
  assert.deepEqual(asked.data, { patterns: ["Notes"], recover: { epoch: "e1", offset: 10 } });
  assert.equal(seen.at(-1), "recovered 12");
});

test("a subscription that comes too fast is made later", async () => {
  const { stage } = await joined();
  stage.bridge.subscribe("Other", () => {});
  stage.socket.answer("Bridge/Subscription/Subscribe", "Bridge/Message/Rejected",
    { code: "rate_limited", message: "slower", temporary: true, retryAfterMs: 300 });
  await stage.pass(299);
  assert.equal(stage.socket.sentTo("Bridge/Subscription/Subscribe").length, 2);
  await stage.pass(1);
  assert.equal(stage.socket.sentTo("Bridge/Subscription/Subscribe").length, 3);
});

test("offline: refused at once, and never sent", async () => {
  const { stage } = await joined();
  stage.socket.lose();
  const explain = { channel: "Bridge", topic: "Policy", subtopic: "Explain" };
  for (const send of [() => stage.bridge.publish(NOTE), () => stage.bridge.command(READY), () => stage.bridge.request(explain)]) {
    const { error } = await settled(send());
    assert.equal(error.code, "offline");
    assert.equal(error.temporary, true);
  }
  await stage.pass(70_000);
  await stage.greet();
  assert.equal(stage.socket.sentTo("Notes/Test/Written").length, 0);
});

test("accepted, then its outcome; refusals with the whole body", async () => {
  const { stage } = await joined();
  const run = stage.bridge.command(READY);
  stage.socket.answer("Cisco/Agent/SetReadyState", "Bridge/Message/Accepted", { offset: 11, duplicate: false, warnings: [] });
  assert.equal((await settled(run.accepted)).value.id, run.id);
  assert.equal(await settled(run), "pending");
  stage.live(12, "Bridge/Command/Completed", { correlationId: run.id, data: undefined });
  const refused = stage.bridge.command(READY);
  const body = { code: "not_signed_in", message: "no", temporary: true };
  stage.socket.answer("Cisco/Agent/SetReadyState", "Bridge/Message/Rejected", body);
  const { error } = await settled(refused);
  assert.deepEqual([error.code, error.temporary, error.body, error.id], ["not_signed_in", true, body, refused.id]);
  for (const [subtopic, code] of [["Failed", "failed"], ["TimedOut", "timed_out"]]) {
    const other = stage.bridge.command(READY);
    stage.live(stage.bridge.position.offset + 1, `Bridge/Command/${subtopic}`, { correlationId: other.id });
    assert.equal((await settled(other)).code, code);
  }
});

/** A command whose connection was lost before anything came back; joined again in `epoch`. */
async function doubtful(epoch = "e1", post = (bridge) => bridge.command(READY)) {
  const { stage } = await joined();
  const run = post(stage.bridge);
  run.catch(() => {});
  await stage.cut();
  const recovered = epoch === "e1";
  stage.subscribed(epoch, 10, { recovered, messages: [] });
  await stage.pass(0);
  return { stage, run };
}
const status = (stage, data) => stage.socket.answer("Bridge/Command/Status", "Bridge/Command/Status", data);

test("after a reconnect: unknown means not sent", async () => {
  const { stage, run } = await doubtful();
  assert.equal(status(stage, { known: false }).data.id, run.id);
  const { error } = await settled(run);
  assert.deepEqual([error.code, error.temporary, error.id], ["not_sent", true, run.id]);
  assert.equal(stage.socket.sentTo("Cisco/Agent/SetReadyState").length, 0);
});

test("after a reconnect: known with its outcome", async () => {
  const { stage, run } = await doubtful();
  status(stage, { known: true, offset: 9, outcome: { channel: "Bridge", topic: "Command", subtopic: "Completed", data: { address: "x" } } });
  assert.deepEqual((await settled(run)).value, { address: "x" });
  assert.equal((await settled(run.accepted)).value.offset, 9);
});

test("after a reconnect: known without outcome goes on waiting and is asked for again", async () => {
  const { stage, run } = await doubtful();
  status(stage, { known: true, offset: 9 });
  assert.equal(await settled(run), "pending");
  await stage.pass(1_000);
  status(stage, { known: true, offset: 9, outcome: { channel: "Bridge", topic: "Command", subtopic: "Failed", data: { address: "x" } } });
  assert.equal((await settled(run)).code, "failed");
});

test("after a reconnect into a new epoch: unknown, without asking", async () => {
  const { stage, run } = await doubtful("e2");
  assert.equal((await settled(run)).code, "unknown");
  assert.equal(stage.socket.sentTo("Bridge/Command/Status").length, 0);
});

test("accepted before and not known any more: unknown", async () => {
  const { stage } = await joined();
  const run = stage.bridge.command(READY);
  stage.socket.answer("Cisco/Agent/SetReadyState", "Bridge/Message/Accepted", { offset: 11, duplicate: false, warnings: [] });
  await stage.cut();
  stage.subscribed("e1", 11, { recovered: true, messages: [] });
  await stage.pass(0);
  status(stage, { known: false });
  assert.equal((await settled(run)).code, "unknown");
});

test("an answer within a second of the loss is not believed: the bridge may still be reading", async () => {
  const { stage } = await joined();
  const run = stage.bridge.command(READY);
  stage.socket.lose();
  stage.chance = 0;
  stage.bridge.reconnect();
  await stage.greet();
  stage.subscribed("e1", 10, { recovered: true, messages: [] });
  await stage.pass(0);
  status(stage, { known: false });
  assert.equal(await settled(run), "pending");
  await stage.pass(1_000);
  status(stage, { known: true, offset: 11, outcome: { channel: "Bridge", topic: "Command", subtopic: "Completed", data: {} } });
  assert.deepEqual((await settled(run)).value, {});
});

test("a recovered outcome ends its command without a question", async () => {
  const { stage } = await joined("Bridge/Command");
  const run = stage.bridge.command(READY);
  await stage.cut();
  const outcome = { ...message(12, "Bridge/Command/Completed"), correlationId: run.id };
  stage.subscribed("e1", 12, { recovered: true, messages: [outcome] });
  assert.deepEqual((await settled(run)).value, { number: 12 });
  assert.equal(stage.socket.sentTo("Bridge/Command/Status").length, 0);
});

test("an unanswered publish is asked for too", async () => {
  const known = await doubtful("e1", (bridge) => bridge.publish({ ...NOTE, id: "n1" }));
  assert.equal(status(known.stage, { known: true, offset: 11 }).data.id, "n1");
  assert.equal((await settled(known.run)).value.offset, 11);
  const lost = await doubtful("e1", (bridge) => bridge.publish(NOTE));
  status(lost.stage, { known: false });
  assert.equal((await settled(lost.run)).code, "not_sent");
});

test("without any subscription the epoch is learnt all the same", async () => {
  const stage = new Stage();
  await stage.greet();
  const run = stage.bridge.command(READY);
  run.catch(() => {});
  stage.subscribed("e1", 1);
  await stage.cut();
  stage.subscribed("e1", 1);
  await stage.pass(0);
  status(stage, { known: false });
  assert.equal((await settled(run)).code, "not_sent");
});

test("a duplicate without outcome is asked for, since its outcome goes to who sent it first", async () => {
  const { stage } = await joined();
  const run = stage.bridge.command({ ...READY, id: "c1" });
  stage.socket.answer("Cisco/Agent/SetReadyState", "Bridge/Message/Accepted", { offset: 5, duplicate: true, warnings: [] });
  await stage.pass(0);
  status(stage, { known: true, offset: 5, outcome: { channel: "Bridge", topic: "Command", subtopic: "Completed", data: {} } });
  assert.deepEqual((await settled(run)).value, {});
});

test("a control question has one reply, and none after a loss", async () => {
  const { stage } = await joined();
  const ask = () => stage.bridge.request({ channel: "Bridge", topic: "Policy", subtopic: "Explain", data: {} });
  const first = ask();
  stage.socket.answer("Bridge/Policy/Explain", "Bridge/Policy/Explained", { allowed: true });
  assert.equal((await settled(first)).value.data.allowed, true);
  const second = ask();
  stage.socket.lose();
  assert.equal((await settled(second)).code, "unknown");
});

test("what would be closed for its length, or could never be answered, is not sent", async () => {
  const { stage } = await joined();
  assert.equal((await settled(stage.bridge.publish({ ...NOTE, data: "ä".repeat(40_000) }))).code, "limit_exceeded");
  assert.equal((await settled(stage.bridge.publish({ ...NOTE, id: "ä" }))).code, "invalid_envelope");
  assert.equal(stage.socket.sentTo("Notes/Test/Written").length, 0);
});

test("a refusal without id is of the oldest that has no answer", async () => {
  const { stage } = await joined();
  const run = stage.bridge.command(READY);
  stage.socket.answer("Cisco/Agent/SetReadyState", "Bridge/Message/Accepted", { offset: 11, duplicate: false, warnings: [] });
  const sent = stage.bridge.publish({ ...NOTE, data: "\ud800" });
  stage.socket.say("Bridge/Message/Rejected", { code: "malformed_json", message: "a lone surrogate", temporary: false });
  assert.equal((await settled(sent)).code, "malformed_json");
  assert.equal(await settled(run), "pending");
});

test("every frame is told as a message event, with its way", async () => {
  const stage = new Stage();
  const told = [];
  stage.bridge.addEventListener("message", ({ detail }) => told.push(`${detail.via} ${detail.message.subtopic}`));
  await stage.greet();
  stage.bridge.subscribe("Notes", () => {});
  stage.subscribed("e1", 1, { snapshot: [message(1)] });
  stage.live(2);
  assert.deepEqual(told, ["control Opened", "control Subscribed", "snapshot Written", "live Written"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { likelyCauses } from "../../sdk/causes.js";
import { delay } from "../../sdk/closing.js";
import { Stage, settled } from "./stage.js";

for (const code of [1000, 1002, 1003, 1007, 1008, 1009, 4401, 4402, 4403]) {
  test(`close ${code} ends it before and after Opened`, async () => {
    const before = new Stage();
    await settled(before.opening);
    before.socket.lose(code, "why");
    assert.equal((await settled(before.opening)).code, code);

    const after = new Stage();
    await after.greet();
    const run = after.bridge.command({ channel: "Cisco", topic: "Agent", subtopic: "SetReadyState" });
    after.socket.lose(code, "why");
    assert.equal((await settled(run)).code, "closed");
    assert.equal((await settled(run.accepted)).code, "closed");
    assert.equal(after.state.state, "closed");
    assert.equal(after.state.code, code);
    await after.pass(100_000);
    assert.equal(after.sockets.length, 1);
  });
}

for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 3000, 4000, 4408, 4410, 4429]) {
  test(`close ${code} is followed by another connection`, async () => {
    const stage = new Stage();
    await stage.greet();
    stage.socket.lose(code, "why");
    assert.equal(stage.state.state, "waiting");
    assert.equal(stage.state.code, code);
    await stage.pass(stage.state.retryInMs);
    await stage.greet();
    assert.equal(stage.state.state, "open");
    assert.equal(stage.sockets.length, 2);
  });
}

test("back-off is full jitter, doubled up to 30 s, 60 s without any session, and patient after 4429", () => {
  assert.deepEqual([0, 1, 2, 10].map((attempt) => delay(1006, attempt, false, 1)), [500, 1000, 2000, 30_000]);
  assert.equal(delay(1006, 10, true, 1), 60_000);
  assert.equal(delay(1006, 10, false, 0), 0);
  assert.equal(delay(4429, 0, false, 0), 5_000);
  assert.equal(delay(1012, 0, false, 1), 5_000);
});

test("a session that did not last does not make the next loss a first one", async () => {
  const stage = new Stage();
  await stage.greet();
  stage.socket.lose(4410);
  await stage.pass(stage.state.retryInMs);
  await stage.greet();
  stage.socket.lose(4410);
  assert.equal(stage.state.attempt, 2);
  await stage.pass(stage.state.retryInMs);
  await stage.greet();
  stage.sleep(10_000);
  stage.socket.lose(4410);
  assert.equal(stage.state.attempt, 1);
});

test("three tries without a session: failing, with causes that can apply, until there is one", async () => {
  const page = { origin: "https://host.example", protocol: "https:", hostname: "host.example", host: "host.example" };
  const stage = new Stage({ url: "wss://127.0.0.1:8765/ws" }, page);
  for (let tries = 0; tries < 3; tries += 1) {
    await stage.pass(0);
    stage.socket.lose();
    if (tries < 2) {
      assert.equal(stage.state.state, "waiting");
      await stage.pass(stage.state.retryInMs);
    }
  }
  assert.equal(stage.state.state, "failing");
  const causes = stage.state.causes.join("\n");
  for (const word of ["no bridge runs", "certificate", "origin", "local network access"]) {
    assert.match(causes, new RegExp(word));
  }
  assert.doesNotMatch(causes, /mixed content/);
  await stage.pass(stage.state.retryInMs);
  assert.equal(stage.bridge.state, "failing");
  await stage.greet();
  assert.equal((await settled(stage.opening)).value, stage.bridge);
  assert.equal(stage.bridge.state, "open");
});

test("mixed content is named where it is the matter, and Node has no origin", () => {
  const page = { origin: "https://host.example", protocol: "https:", hostname: "host.example", host: "host.example" };
  assert.match(likelyCauses(new URL("ws://bridge.example/ws"), page)[0], /mixed content/);
  assert.equal(likelyCauses(new URL("ws://bridge.example/ws"), undefined).length, 1);
});

test("a line without any sign of life for two heartbeats is dead", async () => {
  const stage = new Stage();
  await stage.greet();
  await stage.pass(49_999);
  assert.equal(stage.bridge.state, "open");
  await stage.pass(1);
  assert.equal(stage.bridge.state, "waiting");
});

test("heartbeats keep it alive", async () => {
  const stage = new Stage();
  await stage.greet();
  for (let beat = 0; beat < 10; beat += 1) {
    await stage.pass(25_000);
    stage.socket.say("Bridge/Session/Heartbeat", { epoch: "e1", offset: 0 });
  }
  assert.equal(stage.bridge.state, "open");
});

test("a page that slept lets queued frames have their turn", async () => {
  const stage = new Stage();
  await stage.greet();
  stage.sleep(3_600_000);
  await stage.pass(0);
  assert.equal(stage.bridge.state, "open");
  assert.equal(stage.socket.sentTo("Bridge/Command/Status").length, 1);
  stage.socket.say("Bridge/Session/Heartbeat", { epoch: "e1", offset: 0 });
  await stage.pass(20_000);
  assert.equal(stage.bridge.state, "open");
});

test("a line that died while the page slept is noticed within seconds of waking", async () => {
  for (const sign of ["visibilitychange", "resume", "pageshow", "online", "offline"]) {
    const stage = new Stage();
    await stage.greet();
    stage.sleep(40_000);
    await stage.notice(sign, { target: { visibilityState: "visible" } });
    await stage.pass(5_000);
    assert.equal(stage.bridge.state, "waiting", sign);
  }
});

test("a line that answers survives every sign, offline too", async () => {
  const stage = new Stage();
  await stage.greet();
  for (const sign of ["offline", "resume", "online"]) {
    await stage.notice(sign);
    stage.socket.answer("Bridge/Command/Status", "Bridge/Command/Status", { known: false });
    await stage.pass(10_000);
  }
  assert.equal(stage.bridge.state, "open");
  assert.equal(stage.sockets.length, 1);
});

test("a clock that is set back does not keep a dead line", async () => {
  const stage = new Stage();
  await stage.greet();
  await stage.pass(10_000);
  stage.time -= 3_600_000;
  await stage.notice("resume");
  await stage.pass(5_000);
  assert.equal(stage.bridge.state, "waiting");
});

test("the network comes back: no waiting for the end of the pause", async () => {
  const stage = new Stage();
  stage.chance = 1;
  for (let tries = 0; tries < 6; tries += 1) {
    await stage.pass(0);
    stage.socket.lose();
    await stage.pass(tries < 5 ? stage.state.retryInMs : 0);
  }
  const before = stage.sockets.length;
  await stage.notice("online");
  await stage.pass(500);
  assert.equal(stage.sockets.length, before + 1);
});

test("put away and shown again: the socket is let go, and the page connects at once", async () => {
  const stage = new Stage();
  await stage.greet();
  await stage.notice("pagehide", { persisted: true });
  assert.equal(stage.sockets[0].closed, 1000);
  await stage.notice("pageshow", { persisted: true });
  assert.equal(stage.sockets.length, 2);
});

test("what is no message of the protocol costs the connection, not the bridge", async () => {
  for (const text of ["{", "null", "7", new ArrayBuffer(2)]) {
    const stage = new Stage();
    await stage.greet();
    stage.socket.onmessage({ data: text });
    assert.equal(stage.bridge.state, "waiting");
    await stage.pass(1_000);
    await stage.greet();
    stage.socket.say("Some/Thing/New", {});
    assert.equal(stage.bridge.state, "open");
  }
});

test("the token goes first, is asked for anew with each connection, and its failure is no end", async () => {
  let given = 0;
  const token = async () => {
    given += 1;
    if (given === 2) {
      throw new Error("login is away");
    }
    return `t${given}`;
  };
  const stage = new Stage({ token });
  await stage.greet();
  assert.deepEqual(stage.socket.sent[0], { channel: "Bridge", topic: "Session", subtopic: "Open", data: { token: "t1" } });
  stage.socket.lose(4402, "token expired");
  await stage.pass(stage.state.retryInMs);
  assert.match(stage.state.reason, /login is away/);
  await stage.pass(stage.state.retryInMs);
  await stage.greet();
  assert.equal(stage.socket.sent[0].data.token, "t3");
});

test("a newer token is brought before the present one expires", async () => {
  let given = 0;
  const stage = new Stage({ token: () => `t${(given += 1)}` });
  await stage.greet({ expiresInSeconds: 100 });
  const refused = [];
  stage.bridge.subscribe("Notes", () => {}, { onRefused: (error) => refused.push(error.code) });
  stage.subscribed("e1", 0);
  for (let second = 0; second < 70; second += 10) {
    stage.socket.say("Bridge/Session/Heartbeat", { epoch: "e1", offset: 0 });
    await stage.pass(10_000);
  }
  const asked = stage.socket.answer("Bridge/Session/Refresh", "Bridge/Session/Refreshed", { ended: ["Notes"] });
  assert.equal(asked.data.token, "t2");
  await stage.pass(0);
  assert.deepEqual(refused, ["not_permitted"]);
});

test("close: everything ends, and nothing comes back", async () => {
  const stage = new Stage();
  await stage.greet();
  const sent = stage.bridge.publish({ channel: "Notes", topic: "a", subtopic: "b" });
  const closing = stage.bridge.close();
  assert.equal((await settled(sent)).code, "closed");
  await stage.pass(1_000);
  assert.deepEqual(await settled(closing), { value: undefined });
  stage.bridge.reconnect();
  await stage.pass(100_000);
  assert.equal(stage.sockets.length, 1);
  assert.equal((await settled(stage.bridge.publish({ channel: "Notes", topic: "a", subtopic: "b" }))).code, "closed");
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { Relay } from "../../sdk/relay.js";

/** A relay whose socket the test plays, and members that note what they are told. */
function worker() {
  const sockets = [];
  const clock = { now: 0 };
  const relay = new Relay((url) => {
    const socket = { url, readyState: 0, sent: [], closed: false, send: (text) => socket.sent.push(JSON.parse(text)), close: () => (socket.closed = true) };
    sockets.push(socket);
    return socket;
  }, () => clock.now);
  const page = () => {
    const told = [];
    const member = relay.join((said) => told.push(said));
    member.open("ws://bridge.test/ws");
    const texts = () => told.filter(({ text }) => text).map(({ text }) => JSON.parse(text));
    const send = (address, data, id) => {
      const [channel, topic, subtopic] = address.split("/");
      member.send(JSON.stringify({ channel, topic, subtopic, data, id }));
    };
    return { member, told, texts, send, offsets: () => texts().map(({ offset }) => offset).filter(Boolean) };
  };
  const say = (address, data, fields = {}) => {
    const [channel, topic, subtopic] = address.split("/");
    sockets.at(-1).onmessage({ data: JSON.stringify({ channel, topic, subtopic, data, ...fields }) });
  };
  const greet = () => {
    sockets.at(-1).readyState = 1;
    sockets.at(-1).onopen({});
    say("Bridge/Session/Opened", { heartbeatSeconds: 25, expiresInSeconds: 100 });
  };
  const subscribe = (who, patterns, more) => {
    who.send("Bridge/Subscription/Subscribe", { patterns, ...more }, "s");
    say("Bridge/Subscription/Subscribed", { patterns }, { correlationId: sockets.at(-1).sent.at(-1).id });
  };
  return { sockets, clock, relay, page, say, greet, subscribe };
}

test("two pages, one socket, one greeting from the bridge; the second is told what is left of the token", () => {
  const { sockets, clock, page, greet } = worker();
  const one = page();
  greet();
  clock.now = 40_000;
  const two = page();
  assert.equal(sockets.length, 2 - 1);
  assert.equal(one.texts()[0].data.expiresInSeconds, 100);
  assert.equal(two.texts()[0].data.expiresInSeconds, 60);
});

test("the token goes to the bridge once", () => {
  const { sockets, page, greet } = worker();
  const one = page();
  const two = page();
  one.send("Bridge/Session/Open", { token: "t" });
  two.send("Bridge/Session/Open", { token: "t" });
  greet();
  assert.equal(sockets[0].sent.length, 1);
  assert.deepEqual([one.texts().length, two.texts().length], [1, 1]);
});

test("answers go to who asked, outcomes to who sent, messages to who subscribed, one's own to who wants echo", () => {
  const { page, say, greet, subscribe } = worker();
  const [one, two] = [page(), page()];
  greet();
  subscribe(one, ["Notes"]);
  subscribe(two, ["Notes"], { echo: true });
  one.send("Notes/a/b", 1, "n1");
  say("Bridge/Message/Accepted", { offset: 5, duplicate: false }, { correlationId: "n1" });
  say("Notes/a/b", 1, { offset: 5, id: "n1" });
  two.send("Notes/a/b", 2, "n2");
  say("Bridge/Message/Accepted", { offset: 6, duplicate: false }, { correlationId: "n2" });
  say("Notes/a/b", 2, { offset: 6, id: "n2" });
  say("Bridge/Command/Completed", {}, { offset: 7, correlationId: "n1" });
  assert.deepEqual(one.offsets(), [6, 7]);
  assert.deepEqual(two.offsets(), [5, 6]);
  assert.equal(one.texts().filter(({ subtopic }) => subtopic === "Accepted").length, 1);
});

test("what nobody wants any more is unsubscribed, what another wants is not", () => {
  const { sockets, page, greet, subscribe } = worker();
  const [one, two] = [page(), page()];
  greet();
  subscribe(one, ["A", "B"]);
  subscribe(two, ["B"]);
  one.member.leave();
  assert.deepEqual(sockets[0].sent.at(-1).data, { patterns: ["A"] });
  two.member.leave();
  assert.equal(sockets[0].closed, true);
});

test("the line is lost: every page is told and comes back by itself; a silent one is not given to newcomers", () => {
  const { sockets, clock, page, greet, say } = worker();
  const [one, two] = [page(), page()];
  greet();
  sockets[0].onclose({ code: 1012, reason: "restarting" });
  assert.deepEqual([one.told.at(-1), two.told.at(-1)], Array(2).fill({ closed: [1012, "restarting"] }));
  one.member.open("ws://bridge.test/ws");
  greet();
  clock.now = 51_000;
  page();
  assert.equal(sockets.length, 3);
  assert.deepEqual(one.told.at(-1), { closed: [1006, "no sign of life"] });
  say("Bridge/Session/Heartbeat", { epoch: "e", offset: 1 });
});

test("nonsense from the server costs the line, not the worker", () => {
  const { sockets, page, greet } = worker();
  const one = page();
  greet();
  sockets[0].onmessage({ data: "{" });
  assert.equal(one.told.at(-1).closed[0], 1006);
});

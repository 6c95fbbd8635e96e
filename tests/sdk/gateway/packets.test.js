import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ONE, TWO, message, openPage, settle } from "./page.js";

const packet = (inner, more = {}) => ({
  channel: "Cisco", topic: "", subtopic: "", ResponseUrl: `${ONE}/app`, SubscriberID: "", message: inner, ...more,
});

/** Register, and give the frame and its SubscriberID. */
async function registered(page = openPage(), origin = ONE) {
  const frame = page.window.add(origin);
  frame.say(packet());
  await settle();
  const [{ SubscriberID: id }] = frame.heard.splice(0);
  return { ...page, frame, id };
}

describe("a first packet", () => {
  test("registers, and gets its SubscriberID", async () => {
    const { window } = openPage();
    const frame = window.add(ONE);
    frame.say(packet());
    const [welcome] = frame.heard;
    assert.match(welcome.SubscriberID, /^\d{8}$/);
    const { topic, subtopic, ResponseUrl, message: inner } = welcome;
    assert.deepEqual([topic, subtopic, ResponseUrl], ["", "", `${ONE}/app`]);
    assert.deepEqual([inner.topic, inner.subtopic, inner.data.app], ["Gateway", "Welcome", "one"]);
  });

  test("registers with the channel that it names: what is granted of that is delivered in packets", async () => {
    const { bridge, window } = openPage();
    const frame = window.add(ONE);
    frame.say(packet());
    await settle();
    const live = bridge.emit("Cisco/InboundCall/InboundCallStateChange", {});
    bridge.emit("Notes/Own/Written", {});
    const inner = frame.heard.map((each) => each.message);
    assert.deepEqual(inner.map(({ subtopic }) => subtopic), ["Welcome", "Subscribed", "InboundCallStateChange"]);
    assert.deepEqual(inner[1].data.patterns, ["Cisco"]);
    assert.deepEqual(frame.heard[2], { ...frame.heard[0], channel: "Cisco", message: live });
  });

  test("is given nothing of a channel in which nothing is granted", async () => {
    const { bridge, window } = openPage();
    const two = window.add(TWO);
    two.say(packet());
    await settle();
    bridge.emit("Cisco/InboundCall/InboundCallStateChange", {});
    assert.deepEqual(two.heard.map((each) => each.message.subtopic), ["Welcome"]);
  });

  test("may bring a message already", async () => {
    const { bridge, window } = openPage();
    window.add(ONE).say(packet(message("Cisco/InboundCall/SetHOLD", { CallID: "1" })));
    assert.deepEqual([bridge.last.subtopic, bridge.last.source], ["SetHOLD", "one"]);
  });
});

describe("a packet", () => {
  test("is answered in a packet", async () => {
    const { bridge, frame, id } = await registered();
    frame.say(packet(message("Notes/Own/Written", 1, { id: "n" }), { SubscriberID: id }));
    bridge.last.accept();
    frame.say(packet(message("Other/Own/Written", 1, { id: "o" }), { SubscriberID: id }));
    await settle();
    const subtopics = frame.heard.map((each) => each.message.subtopic).sort();
    assert.ok(frame.heard.every((each) => each.SubscriberID === id));
    assert.deepEqual(subtopics, ["Accepted", "Rejected"]);
  });

  test("is understood in every documented spelling", async () => {
    const { bridge, frame } = await registered();
    const inner = message("Notes/Own/Written", 1);
    frame.say({ channel: "Notes", topic: "", subTopic: "", ResponseUrl: "x", subscriberID: 7, message: inner });
    frame.say({ channel: "Notes", ResponseUrl: "x", SubscriberID: "7", okmessage: inner });
    frame.say(JSON.stringify(packet(JSON.stringify(inner))));
    assert.equal(bridge.sent.length, 3);
  });

  test("with another's or an outdated SubscriberID speaks for nobody else: it is told its own again", async () => {
    const page = openPage();
    const { id: theirs } = await registered(page, TWO);
    const { bridge, frame, id } = await registered(page, ONE);
    frame.say(packet(message("Notes/Own/Written", 1), { SubscriberID: theirs }));
    assert.equal(bridge.last.source, "one");
    assert.deepEqual([frame.heard[0].SubscriberID, frame.heard[0].message.subtopic], [id, "Welcome"]);
    assert.notEqual(id, theirs);
  });

  test("that holds nonsense is refused in a packet", async () => {
    const { frame, id } = await registered();
    for (const inner of [7, [], "{", { channel: "Notes" }]) {
      frame.say(packet(inner, { SubscriberID: id }));
    }
    const codes = frame.heard.map((each) => [each.SubscriberID, each.message.data.code]);
    assert.deepEqual(codes, [...Array(3).fill([id, "malformed_json"]), [id, "invalid_envelope"]]);
  });

  test("is nothing that another library calls a message", async () => {
    const { window, gateway } = openPage();
    const one = window.add(ONE);
    one.say({ event: "log", message: { text: "hello" } });
    one.say({ event: "log", SubscriberID: 7, message: { text: "hello" } });
    assert.deepEqual(one.heard, []);
    assert.equal(gateway.counters.gadgets[ONE].ignored, 2);
  });

  test("is nothing that has an address of its own: a body named message is a mistake that is told", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    one.say({ channel: "Notes", topic: "Own", subtopic: "Written", message: { text: "hello" } });
    assert.deepEqual(bridge.sent, []);
    assert.deepEqual(one.refusals, ["invalid_envelope"]);
    assert.match(one.heard[0].data.errors[0].hint, /data/);
  });
});

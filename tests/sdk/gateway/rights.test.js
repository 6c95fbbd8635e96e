import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ONE, STRANGER, TWO, HostWindow, message, openPage, settle } from "./page.js";

const HOLD = message("Cisco/InboundCall/SetHOLD", { CallID: "1" }, { id: "h1" });

describe("who speaks", () => {
  test("a stranger is not heard, gets nothing, and is counted", async () => {
    const { bridge, window, gateway } = openPage();
    const stranger = window.add(STRANGER);
    window.add(ONE).say(message("Bridge/Subscription/Subscribe", { patterns: ["Cisco"] }));
    stranger.say(HOLD);
    stranger.say(message("Bridge/Gateway/Hello"));
    stranger.say(message("Bridge/Subscription/Subscribe", { patterns: ["*"] }));
    await settle();
    bridge.emit("Cisco/InboundCall/InboundCallStateChange", {});

    assert.deepEqual(stranger.heard, []);
    assert.deepEqual(bridge.sent, []);
    assert.equal(gateway.counters.strangers, 3);
  });

  test("what a stranger says is not even unpacked", () => {
    const { window, gateway } = openPage();
    const event = new Event("message");
    Object.assign(event, { origin: STRANGER, source: window.add(STRANGER) });
    Object.defineProperty(event, "data", { get: () => assert.fail("looked at") });
    window.dispatchEvent(event);
    assert.equal(gateway.counters.strangers, 1);
  });

  test("origins are compared whole", () => {
    const { bridge, window, gateway } = openPage();
    const near = ["http://one.example", "https://one.example:8443", "https://one.example.evil.example", "null"];
    near.forEach((origin) => window.add(origin).say(HOLD));
    assert.deepEqual(bridge.sent, []);
    assert.equal(gateway.counters.strangers, near.length);
  });

  test("only frames of the page itself are heard: none within a frame, no window that it opened", () => {
    const { bridge, window, gateway } = openPage();
    const outer = window.add(STRANGER);
    const within = window.add(ONE);
    within.parent = outer;
    const opened = window.add(ONE);
    opened.parent = opened;
    for (const source of [within, opened, null]) {
      window.dispatchEvent(Object.assign(new Event("message"), { data: HOLD, origin: ONE, source }));
    }
    assert.deepEqual(bridge.sent, []);
    assert.equal(gateway.counters.strangers, 3);
  });

  test("its source is the listed app, whatever it says", () => {
    const { bridge, window } = openPage();
    window.add(ONE).say({ ...HOLD, source: "two", time: "then", offset: 7, correlationId: "c" });
    const { source, time, offset, correlationId } = bridge.last;
    assert.deepEqual({ source, time, offset, correlationId }, { source: "one", time: undefined, offset: undefined, correlationId: undefined });
  });

  test("a closed gateway hears nothing and holds nothing", async () => {
    const { bridge, window, gateway } = openPage();
    const one = window.add(ONE);
    one.say(message("Bridge/Subscription/Subscribe", { patterns: ["Cisco"] }));
    await settle();
    gateway.close();
    one.say(HOLD);
    assert.deepEqual(bridge.sent, []);
    assert.equal(bridge.subscriptions.size, 0);
    assert.equal(window.observers.length, 0);
    assert.equal(gateway.counters.gadgets[ONE].windows, 0);
  });

  test("a gadget cannot fill the page with frames within itself", () => {
    const { bridge, window, gateway } = openPage();
    const frames = Array.from({ length: 9 }, () => window.add(ONE));
    frames.forEach((frame) => frame.say(message("Notes/Own/Written", 1)));
    assert.equal(bridge.sent.length, 8);
    assert.deepEqual(frames[8].refusals, ["limit_exceeded"]);
    assert.equal(gateway.counters.gadgets[ONE].windows, 8);
  });
});

describe("what it may", () => {
  test("publishes within its patterns only", async () => {
    const { bridge, window, gateway } = openPage();
    const two = window.add(TWO);
    two.say(message("Notes/Own/Written", 1));
    two.say(message("Notes/Other/Written", 1, { id: "n" }));
    two.say(HOLD);
    await settle();

    assert.deepEqual(bridge.sent.map(({ topic }) => topic), ["Own"]);
    assert.deepEqual(two.at("Bridge/Message/Rejected").map(({ data, correlationId }) => ({ ...data, correlationId })), [
      refusal("this gadget may not publish Notes/Other/Written", "Notes/Other/Written", "n"),
      refusal("this gadget may not publish Cisco/InboundCall/SetHOLD", "Cisco/InboundCall/SetHOLD", "h1"),
    ]);
    assert.deepEqual(gateway.counters.gadgets[TWO].refused, { not_permitted: 2 });
  });

  test("a right does not depend on the case of a catalogued topic, which the bridge repairs, but on that of a channel", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    one.say(message("Cisco/inboundcall/setHold", {}));
    one.say(message("cisco/InboundCall/SetHOLD", {}));
    one.say(message("notes/Own/Written", {}));
    await settle();
    assert.deepEqual(bridge.sent.map(({ topic }) => topic), ["inboundcall"]);
    assert.deepEqual(one.refusals, ["not_permitted", "not_permitted"]);
  });

  test("subscribes only to what one granted pattern contains", async () => {
    const { window } = openPage();
    const two = window.add(TWO);
    for (const pattern of ["*", "Notes", "Notes/Own", "Notes/Own/Written", "*/*/Shown", "Cisco"]) {
      two.say(message("Bridge/Subscription/Subscribe", { patterns: ["Notes/Own/Shown", pattern] }));
    }
    two.say(message("Bridge/Subscription/Subscribe", { patterns: ["Notes/Own/Shown", "Notes/*/Shown"] }));
    await settle();
    assert.deepEqual(two.refusals, Array(6).fill("not_permitted"));
    assert.deepEqual(two.at("Bridge/Subscription/Subscribed")[0].data.patterns, ["Notes/Own/Shown", "Notes/*/Shown"]);
  });

  for (const address of [
    "Bridge/Session/Open", "Bridge/Session/Refresh", "Bridge/Session/Heartbeat", "Bridge/Gateway/Welcome",
    "Bridge/Command/Completed", "Bridge/Message/Accepted", "Bridge/constructor/x", "Bridge/Anything/Else",
  ]) {
    test(`${address} is not for gadgets, whatever is granted`, async () => {
      const { bridge, window } = openPage([{ origin: ONE, app: "one", publish: ["*", address], subscribe: ["*"] }]);
      const one = window.add(ONE);
      one.say(message(address, { token: "t" }, { id: "x" }));
      await settle();
      assert.deepEqual(one.refusals, ["not_permitted"]);
      assert.deepEqual([bridge.sent, bridge.asked], [[], []]);
    });
  }

  test("explains: the gateway decides first, then the bridge for the session of all", async () => {
    const { bridge, window } = openPage();
    bridge.replies.set("Bridge/Policy/Explain", { allowed: false, rule: "default", tried: ["widget", "default"] });
    const one = window.add(ONE);
    one.say(message("Bridge/Policy/Explain", { action: "publish", address: "Notes/Own/Written" }, { id: "e1" }));
    one.say(message("Bridge/Policy/Explain", { action: "publish", address: "Other/Own/Written" }, { id: "e2" }));
    one.say(message("Bridge/Policy/Explain", { action: "subscribe", address: "*" }, { id: "e3" }));
    one.say(message("Bridge/Policy/Explain", { action: "publish", address: "Notes" }, { id: "e4" }));
    await settle();
    const told = one.at("Bridge/Policy/Explained").map(({ correlationId, data }) => [correlationId, data.rule, data.tried]);
    assert.deepEqual(told.sort(), [
      ["e1", "default", ["gateway", "widget", "default"]], ["e2", "gateway", ["gateway"]], ["e3", "gateway", ["gateway"]],
    ]);
    assert.deepEqual(one.refusals, ["invalid_data"]);
    assert.equal(bridge.asked.length, 1);
  });
});

describe("a frame that changes", () => {
  test("another document in the same window has no rights, and the gadget's subscriptions are gone", async () => {
    const { bridge, window, gateway } = openPage();
    const frame = window.add(ONE);
    frame.say(message("Bridge/Subscription/Subscribe", { patterns: ["Cisco"] }));
    await settle();
    frame.navigate(STRANGER);
    frame.heard = [];
    frame.say(HOLD);
    bridge.emit("Cisco/InboundCall/InboundCallStateChange", {});

    assert.deepEqual(frame.heard, []);
    assert.deepEqual(bridge.sent, []);
    assert.equal(gateway.counters.gadgets[ONE].windows, 0);
    assert.equal(bridge.subscriptions.size, 0);
  });

  test("another listed gadget in the same window has its own rights and begins anew", async () => {
    const { bridge, window } = openPage();
    const frame = window.add(ONE);
    frame.say(message("Bridge/Subscription/Subscribe", { patterns: ["Cisco"] }));
    await settle();
    frame.navigate(TWO);
    frame.heard = [];
    frame.say(HOLD);
    frame.say(message("Notes/Own/Written", 1));
    await settle();
    bridge.emit("Cisco/InboundCall/InboundCallStateChange", {});

    assert.deepEqual(frame.refusals, ["not_permitted"]);
    assert.equal(frame.heard.length, 1);
    assert.equal(bridge.last.source, "two");
  });

  test("a removed frame is forgotten at once, and nothing is posted to it", async () => {
    const { bridge, window, gateway } = openPage();
    const frame = window.add(ONE);
    frame.say(message("Bridge/Subscription/Subscribe", { patterns: ["Cisco"] }));
    await settle();
    window.remove(frame);
    assert.equal(gateway.counters.gadgets[ONE].windows, 0);
    assert.equal(bridge.subscriptions.size, 0);
  });

  test("a frame that vanished unnoticed is found out by the next message for it", async () => {
    const { bridge, window, gateway } = openPage();
    const frame = window.add(ONE);
    frame.say(message("Bridge/Subscription/Subscribe", { patterns: ["Cisco"] }));
    await settle();
    frame.closed = true;
    bridge.emit("Cisco/InboundCall/InboundCallStateChange", {});
    assert.equal(gateway.counters.gadgets[ONE].windows, 0);
  });

  test("a second document that loads and says nothing ends it, the first may have been its own", async () => {
    const { window, gateway } = openPage();
    const frame = window.add(ONE);
    frame.say(message("Notes/Own/Written", 1));
    window.load(frame);
    assert.equal(gateway.counters.gadgets[ONE].windows, 1);
    frame.say(message("Notes/Own/Written", 2));
    window.load(frame);
    assert.equal(gateway.counters.gadgets[ONE].windows, 1);
    window.load(frame);
    assert.equal(gateway.counters.gadgets[ONE].windows, 0);
  });

  test("images and frames that are still blank are no documents of a gadget", () => {
    const { window, gateway } = openPage(undefined, new HostWindow());
    const frame = window.add(ONE);
    frame.say(message("Notes/Own/Written", 1));
    window.frames[0].contentDocument = { URL: "about:blank" };
    window.load(frame);
    window.load(frame);
    window.document.dispatchEvent(Object.defineProperty(new Event("load"), "target", { value: {} }));
    assert.equal(gateway.counters.gadgets[ONE].windows, 1);
  });
});

function refusal(text, address, correlationId) {
  return { code: "not_permitted", message: text, temporary: false, rule: "gateway", address, correlationId };
}

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";

import { ONE, STRANGER, message, openPage, settle } from "./page.js";

const HELLO = message("Bridge/Gateway/Hello", null, { id: "hello" });
const SUBSCRIBE = message("Bridge/Subscription/Subscribe", { patterns: ["Cisco"] });
const NOTE = message("Notes/Own/Written", 1);

/** A frame whose document has loaded, and the ports that its gadget has got. */
function openFrame() {
  const page = openPage();
  const frame = page.window.add(ONE);
  page.window.load(frame);
  pages.push(page);
  return { ...page, frame };
}

/** Use a port, as a gadget would. */
function listen(port) {
  const heard = [];
  port.onmessage = ({ data }) => heard.push(data);
  return heard;
}

const pages = [];
afterEach(() => pages.splice(0).forEach(({ gateway, window }) => {
  gateway.close();
  window.frames.forEach(({ contentWindow }) => contentWindow.ports.forEach((port) => port.close()));
}));

describe("Hello", () => {
  test("is answered by Welcome with a port, and with what the gadget may", async () => {
    const { frame } = openFrame();
    frame.say(HELLO);
    const data = {
      app: "one",
      extension: "5069",
      publish: ["Cisco/InboundCall", "Notes"],
      subscribe: ["Cisco", "Notes", "Bridge/Command"],
      limits: { messageBytes: 65_536, messagesPerSecond: 50, subscriptions: 128 },
    };
    assert.deepEqual(frame.heard, [message("Bridge/Gateway/Welcome", data, { correlationId: "hello" })]);
    assert.equal(frame.ports.length, 1);
  });

  test("gives a port that is used from then on", async () => {
    const { bridge, frame } = openFrame();
    frame.say(HELLO);
    const heard = listen(frame.ports[0]);
    frame.ports[0].postMessage(SUBSCRIBE);
    await settle();
    bridge.emit("Cisco/Agent/SetAgentState", {});
    await settle();
    assert.deepEqual(heard.map(({ subtopic }) => subtopic), ["Subscribed", "SetAgentState"]);
    assert.equal(frame.heard.length, 1, "the Welcome only");
  });

  test("waits for a frame that has not loaded: another document gets no port", async () => {
    const { window } = pages[pages.push(openPage()) - 1];
    const [patient, replaced] = [window.add(ONE), window.add(ONE)];
    patient.say(HELLO);
    replaced.say(HELLO);
    assert.deepEqual([patient.ports, replaced.ports], [[], []]);
    window.load(patient);
    replaced.navigate(STRANGER);
    window.load(replaced);
    assert.equal(patient.ports.length, 1);
    assert.deepEqual([replaced.ports, replaced.heard], [[], []]);
  });

  test("of a frame that cannot be watched is refused, and it goes on without", async () => {
    const { window, frame } = openFrame();
    window.frames = [];
    frame.say(HELLO);
    frame.say(SUBSCRIBE);
    await settle();
    assert.deepEqual(frame.refusals, ["unavailable"]);
    assert.equal(frame.at("Bridge/Subscription/Subscribed").length, 1);
  });

  test("again gives a new port, and the old one is dead", async () => {
    const { bridge, frame } = openFrame();
    frame.say(HELLO);
    frame.say(HELLO);
    const [old, fresh] = frame.ports;
    old.postMessage(NOTE);
    fresh.postMessage({ ...NOTE, data: 2 });
    await settle();
    assert.deepEqual(bridge.sent.map(({ data }) => data), [2]);
  });
});

describe("the way", () => {
  test("is where the gadget spoke last: a page after a reload gets its answers without a port", async () => {
    const { frame } = openFrame();
    frame.say(HELLO);
    const heard = listen(frame.ports[0]);
    frame.ports[0].postMessage(SUBSCRIBE);
    await settle();
    frame.say(SUBSCRIBE);
    await settle();
    assert.equal(heard.length, 1);
    assert.equal(frame.at("Bridge/Subscription/Subscribed").length, 1);
  });

  test("through a port takes nothing for another library's: nonsense is refused there", async () => {
    const { frame } = openFrame();
    frame.say(HELLO);
    const heard = listen(frame.ports[0]);
    frame.ports[0].postMessage({ hello: 1 });
    frame.ports[0].postMessage("nonsense");
    await settle();
    assert.deepEqual(heard.map(({ data }) => data.code), ["invalid_envelope", "malformed_json"]);
  });
});

describe("a port that was handed on", () => {
  test("is dead when another origin speaks in its window", async () => {
    const { bridge, frame } = openFrame();
    frame.say(HELLO);
    frame.ports[0].postMessage(NOTE);
    await settle();
    frame.navigate(STRANGER);
    frame.say("anything");
    frame.ports[0].postMessage(NOTE);
    await settle();
    assert.equal(bridge.sent.length, 1);
  });

  test("is dead when its window has gone, even if nobody told", async () => {
    const { bridge, frame } = openFrame();
    frame.say(HELLO);
    frame.closed = true;
    frame.ports[0].postMessage(NOTE);
    await settle();
    assert.deepEqual(bridge.sent, []);
  });

  test("is dead when another document has loaded; the gadget itself gets a new one", async () => {
    for (const origin of [ONE, STRANGER]) {
      const { bridge, window, frame } = openFrame();
      frame.say(HELLO);
      const [old] = frame.ports;
      old.postMessage(SUBSCRIBE);
      await settle();
      frame.navigate(origin);
      window.load(frame);
      old.postMessage(NOTE);
      bridge.emit("Cisco/Agent/SetAgentState", {});
      await settle();
      assert.deepEqual(bridge.sent, []);
      assert.equal(frame.at("Bridge/Gateway/Welcome").length, origin === ONE ? 2 : 1);
      assert.equal(frame.at("Cisco/Agent/SetAgentState").length, 0, "what it listened to through that port");
      assert.equal(bridge.subscriptions.size, 0);
    }
  });

  test("ends nothing that the next document has asked for through its window", async () => {
    const { bridge, window, frame } = openFrame();
    frame.say(HELLO);
    frame.ports[0].postMessage(NOTE);
    await settle();
    frame.say(SUBSCRIBE);
    window.load(frame);
    await settle();
    bridge.emit("Cisco/Agent/SetAgentState", {});
    assert.equal(frame.at("Cisco/Agent/SetAgentState").length, 1);
  });

  test("a gadget whose document is gone is forgotten, where the browser tells", async () => {
    const { gateway, bridge, frame } = openFrame();
    frame.say(HELLO);
    frame.ports[0].postMessage(SUBSCRIBE);
    await settle();
    frame.ports[0].close();
    await settle();
    assert.equal(gateway.counters.gadgets[ONE].windows, 0);
    assert.equal(bridge.subscriptions.size, 0);
  });

  test("one that closes its port and speaks through its window is not", async () => {
    const { gateway, frame } = openFrame();
    frame.say(HELLO);
    frame.ports[0].postMessage(SUBSCRIBE);
    await settle();
    frame.say(NOTE);
    frame.ports[0].close();
    await settle();
    assert.equal(gateway.counters.gadgets[ONE].windows, 1);
  });
});

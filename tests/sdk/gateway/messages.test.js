import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { LIST, ONE, TWO, message, openPage, settle } from "./page.js";

const SUBSCRIBE = (...patterns) => message("Bridge/Subscription/Subscribe", { patterns }, { id: "s" });
const NOTE = message("Notes/Own/Written", { text: "hello" }, { id: "n1" });

describe("subscribing", () => {
  test("is answered by a snapshot of what was asked for, and what comes then is delivered", async () => {
    const { bridge, window } = openPage();
    const call = message("Cisco/InboundCall/InboundCallStateChange", { call: 1 }, { id: "a", offset: 3 });
    bridge.snapshot = [call, message("Cisco/Agent/SetAgentState", {}, { id: "b", offset: 4 })];
    const one = window.add(ONE);
    one.say(SUBSCRIBE("Cisco/InboundCall"));
    await settle();
    const live = bridge.emit("Cisco/InboundCall/InboundCallStateChange", { call: 2 });
    bridge.emit("Cisco/Agent/SetAgentState", {});
    bridge.emit("Other/Channel/Message", {});

    const data = { patterns: ["Cisco/InboundCall"], epoch: "e1", offset: 10, snapshot: [call] };
    assert.deepEqual(one.heard, [message("Bridge/Subscription/Subscribed", data, { correlationId: "s" }), live]);
  });

  test("gives each message once, however many patterns match, and to each window that asked", async () => {
    const { bridge, window } = openPage();
    const [first, second] = [window.add(ONE), window.add(ONE)];
    first.say(SUBSCRIBE("Cisco", "Cisco/*", "Cisco/InboundCall"));
    first.say(SUBSCRIBE("Cisco/InboundCall/InboundCallStateChange"));
    second.say(SUBSCRIBE("Cisco/Agent"));
    await settle();
    bridge.emit("Cisco/InboundCall/InboundCallStateChange", {});
    assert.equal(first.at("Cisco/InboundCall/InboundCallStateChange").length, 1);
    assert.equal(second.at("Cisco/InboundCall/InboundCallStateChange").length, 0);
    assert.deepEqual(first.at("Bridge/Subscription/Subscribed")[0].data.patterns, ["Cisco", "Cisco/InboundCall"]);
  });

  test("with recover says that it could not, and gives the snapshot", async () => {
    const { window } = openPage();
    const one = window.add(ONE);
    const recover = { epoch: "e0", offset: 5 };
    one.say(message("Bridge/Subscription/Subscribe", { patterns: ["Cisco"], recover }));
    await settle();
    const { recovered, messages, snapshot } = one.heard[0].data;
    assert.deepEqual({ recovered, messages, snapshot }, { recovered: false, messages: [], snapshot: [] });
  });

  test("asks the bridge for what the host granted, never for what a gadget thought of", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    Array.from({ length: 90 }, (_, n) => one.say(SUBSCRIBE(`Cisco/Topic${n}`)));
    await settle();
    assert.equal(one.at("Bridge/Subscription/Subscribed").length, 90);
    assert.equal(bridge.subscriptions.size, 1);
    assert.deepEqual([...bridge.subscriptions][0].patterns, LIST[0].subscribe);
  });

  test("has a bound, and what exceeds it changes nothing", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    const many = Array.from({ length: 127 }, (_, n) => `Cisco/Topic${n}`);
    one.say(SUBSCRIBE(...many));
    one.say(SUBSCRIBE("Cisco/Agent", "Cisco/InboundCall"));
    one.say(SUBSCRIBE(...Array.from({ length: 400 }, () => "Cisco")));
    await settle();
    bridge.emit("Cisco/Agent/SetAgentState", {});
    assert.deepEqual(one.refusals, ["limit_exceeded", "limit_exceeded"]);
    assert.equal(one.at("Bridge/Message/Rejected")[0].data.limit, 128);
    assert.equal(one.at("Cisco/Agent/SetAgentState").length, 0);
  });

  test("ends by Unsubscribe, also where the Subscribe was not answered yet", async () => {
    const { bridge, window } = openPage();
    bridge.joins = false;
    const one = window.add(ONE);
    one.say(SUBSCRIBE("Cisco"));
    one.say(message("Bridge/Subscription/Unsubscribe", { patterns: ["Cisco/*", "Never/Had"] }, { id: "u" }));
    [...bridge.subscriptions].forEach((each) => bridge.join(each));
    await settle();
    bridge.emit("Cisco/Agent/SetAgentState", {});
    assert.equal(one.at("Cisco/Agent/SetAgentState").length, 0);
    const [told] = one.at("Bridge/Subscription/Unsubscribed");
    assert.deepEqual([told.correlationId, told.data], ["u", { patterns: ["Cisco", "Never/Had"] }]);
  });

  for (const data of [null, {}, { patterns: [] }, { patterns: "Cisco" }, { patterns: ["a/b/c/d"] }, { patterns: [7] }]) {
    test(`with ${JSON.stringify(data)} is refused`, async () => {
      const { window } = openPage();
      const one = window.add(ONE);
      one.say(message("Bridge/Subscription/Subscribe", data));
      await settle();
      assert.deepEqual(one.refusals, ["invalid_data"]);
      assert.match(one.heard[0].data.errors[0].pointer, /^\/data\/patterns/);
    });
  }

  test("a Subscribe that waits for the bridge is called off when its frame goes", () => {
    const { bridge, window } = openPage();
    bridge.joins = false;
    const one = window.add(ONE);
    one.say(SUBSCRIBE("Cisco"));
    window.remove(one);
    assert.equal(bridge.subscriptions.size, 0);
  });

  test("another window's leaving does not end the feed of one whose Subscribe is under way", async () => {
    const { bridge, window } = openPage();
    bridge.joins = false;
    const [first, second] = [window.add(ONE), window.add(ONE)];
    second.say(NOTE);
    first.say(SUBSCRIBE("Cisco"));
    window.remove(second);
    [...bridge.subscriptions].forEach((each) => bridge.join(each));
    await settle();
    bridge.emit("Cisco/Agent/SetAgentState", {});
    assert.equal(first.at("Cisco/Agent/SetAgentState").length, 1);
  });
});

describe("what the bridge does not allow the host's session", () => {
  const refused = Object.assign(new Error(), { body: { code: "not_permitted", message: "m", temporary: false, rule: "default" } });

  test("is refused to the gadget that asks for it", async () => {
    const { bridge, window } = openPage();
    bridge.joins = false;
    const one = window.add(ONE);
    one.say(SUBSCRIBE("Cisco"));
    [...bridge.subscriptions].forEach(({ options }) => options.onRefused(refused));
    assert.deepEqual(one.heard, [message("Bridge/Message/Rejected", refused.body, { correlationId: "s" })]);
  });

  test("ends what was allowed before, and each gadget is told", async () => {
    const { bridge, window } = openPage();
    const [one, idle] = [window.add(ONE), window.add(ONE)];
    one.say(SUBSCRIBE("Cisco"));
    idle.say(NOTE);
    await settle();
    [...bridge.subscriptions].forEach(({ options }) => options.onRefused(refused));
    assert.deepEqual(one.refusals, ["not_permitted"]);
    assert.deepEqual(idle.heard, []);
    bridge.joins = true;
    one.say(SUBSCRIBE("Cisco/Agent"));
    await settle();
    bridge.emit("Cisco/Agent/SetAgentState", {});
    assert.equal(one.at("Cisco/Agent/SetAgentState").length, 1, "and may ask again");
  });
});

describe("when the session has ended for good", () => {
  test("subscribing and publishing are refused, for good", async () => {
    const { bridge, window } = openPage();
    bridge.state = "closed";
    const one = window.add(ONE);
    one.say(SUBSCRIBE("Cisco"));
    one.say(NOTE);
    await settle();
    const told = one.heard.map(({ data }) => [data.code, data.temporary]);
    assert.deepEqual(told, [["unavailable", false], ["unavailable", false]]);
  });
});

describe("after a reconnect", () => {
  test("that lost something, each gadget gets a Subscribed with how things stand", async () => {
    const { bridge, window } = openPage();
    const [one, idle] = [window.add(ONE), window.add(ONE)];
    one.say(SUBSCRIBE("Cisco/InboundCall"));
    idle.say(NOTE);
    await settle();
    one.heard = [];
    const call = message("Cisco/InboundCall/InboundCallStateChange", { call: 3 }, { id: "c", offset: 2 });
    const state = message("Cisco/Agent/SetAgentState", {}, { id: "d", offset: 1 });
    bridge.snapshot = [state, call];
    bridge.joinAgain({ epoch: "e2", offset: 2 });

    const data = {
      patterns: ["Cisco/InboundCall"], epoch: "e2", offset: 2, snapshot: [call], recovered: false, messages: [],
    };
    assert.deepEqual(one.heard, [message("Bridge/Subscription/Subscribed", data)]);
    assert.deepEqual(idle.heard, []);
  });

  test("that lost nothing, what was missed is delivered like anything else", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    one.say(SUBSCRIBE("Cisco/InboundCall"));
    await settle();
    one.heard = [];
    const missed = message("Cisco/InboundCall/InboundCallStateChange", {}, { id: "m", offset: 11 });
    const [{ options, listener }] = bridge.subscriptions;
    options.onJoined({ recovered: true, again: true, sameEpoch: true, epoch: "e1", offset: 11, messages: [missed] });
    listener(missed, { via: "recovered" });
    assert.deepEqual(one.heard, [missed]);
  });

  for (const state of ["connecting", "waiting", "failing"]) {
    test(`while the bridge is ${state}, publishing is refused for now, and nothing is kept for later`, async () => {
      const { bridge, window } = openPage();
      bridge.state = state;
      const one = window.add(ONE);
      one.say(NOTE);
      one.say(message("Bridge/Command/Status", { id: "x" }));
      await settle();
      assert.deepEqual(one.refusals, ["unavailable", "unavailable"]);
      assert.equal(one.heard[0].data.temporary, true);
      assert.deepEqual([bridge.sent, bridge.asked], [[], []]);
    });
  }
});

describe("publishing", () => {
  test("is answered by Accepted under the gadget's own id; without an id it is not answered", async () => {
    const { bridge, window, gateway } = openPage();
    const one = window.add(ONE);
    one.say(NOTE);
    bridge.last.accept();
    one.say({ ...NOTE, id: undefined });
    bridge.last.accept();
    await settle();
    const data = { offset: 11, duplicate: false, warnings: [] };
    assert.deepEqual(one.heard, [message("Bridge/Message/Accepted", data, { correlationId: "n1" })]);
    assert.match(bridge.last.id, /^[0-9a-f]{24}$/);
    assert.equal(gateway.counters.gadgets[ONE].accepted, 2);
  });

  test("hands on the bridge's refusal as it is", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    one.say(NOTE);
    const body = { code: "unknown_address", message: "m", temporary: false, address: "Notes/Own/Written", suggestion: "s" };
    bridge.last.refuse(Object.assign(new Error("refused"), { code: "unknown_address", body }));
    await settle();
    assert.deepEqual(one.heard, [message("Bridge/Message/Rejected", body, { correlationId: "n1" })]);
  });

  for (const [code, temporary] of [["offline", true], ["not_sent", true], ["unknown", true], ["closed", false], [1008, false]]) {
    test(`that ends in ${code} is refused as unavailable, ${temporary ? "for now" : "for good"}`, async () => {
      const { bridge, window } = openPage();
      const one = window.add(ONE);
      one.say(NOTE);
      bridge.last.refuse(Object.assign(new Error("lost"), { code }));
      await settle();
      assert.deepEqual(one.refusals, ["unavailable"]);
      assert.equal(one.heard[0].data.temporary, temporary);
      assert.equal(one.heard[0].correlationId, "n1");
    });
  }

  test("withholds a gadget's message from the window that sent it, unless it asked for an echo", async () => {
    const { bridge, window, gateway } = openPage();
    const [sender, sibling, echoing] = [window.add(ONE), window.add(ONE), window.add(ONE)];
    [sender, sibling].forEach((each) => each.say(SUBSCRIBE("Notes")));
    echoing.say(message("Bridge/Subscription/Subscribe", { patterns: ["Notes"], echo: true }));
    await settle();
    sender.say(NOTE);
    bridge.emit("Notes/Own/Written", {}, { id: bridge.last.id });
    echoing.say({ ...NOTE, id: "n2" });
    bridge.emit("Notes/Own/Written", {}, { id: bridge.last.id });

    const ids = (frame) => frame.at("Notes/Own/Written").map(({ id }) => id);
    assert.deepEqual([ids(sender), ids(sibling), ids(echoing)], [["n2"], ["n1", "n2"], ["n1", "n2"]]);
    assert.equal(gateway.counters.gadgets[ONE].withheld, 1);
  });

  test("keeps the ids of two gadgets apart, and another gadget sees neither's own", async () => {
    const { bridge, window } = openPage();
    const [one, two] = [window.add(ONE), window.add(TWO)];
    one.say(SUBSCRIBE("Notes"));
    two.say(SUBSCRIBE("Notes/Own/Shown"));
    await settle();
    one.say(NOTE);
    const first = bridge.last.id;
    bridge.last.accept();
    await settle();
    two.say(NOTE);
    const second = bridge.last.id;
    assert.notEqual(first, second);
    one.say({ ...NOTE, data: "again" });
    assert.equal(bridge.last.id, first, "the same id again is the same on the bus");

    bridge.emit("Notes/Own/Shown", {}, { id: second, correlationId: first });
    assert.deepEqual(one.at("Notes/Own/Shown").map(({ id, correlationId }) => [id, correlationId]), [[second, "n1"]]);
    assert.deepEqual(two.at("Notes/Own/Shown"), [], "its own, which it did not ask for");
    bridge.emit("Notes/Own/Shown", {}, { id: "x", correlationId: second });
    assert.equal(two.at("Notes/Own/Shown")[0].correlationId, "n1");
  });
});

describe("commands", () => {
  const HOLD = message("Cisco/InboundCall/SetHOLD", { CallID: "7" }, { id: "h" });
  const outcome = (id, subtopic = "Completed") =>
    message(`Bridge/Command/${subtopic}`, { address: "Cisco/InboundCall/SetHOLD", call: "7" }, { id: "o", offset: 20, correlationId: id });

  test("end in one outcome for the sender, subscribed or not", async () => {
    for (const patterns of [["Notes"], ["Bridge/Command"]]) {
      const { bridge, window } = openPage();
      const [one, sibling] = [window.add(ONE), window.add(ONE)];
      [one, sibling].forEach((each) => each.say(SUBSCRIBE(...patterns)));
      await settle();
      one.say(HOLD);
      bridge.last.accept();
      await settle();
      const told = outcome(bridge.last.id);
      bridge.tell(told, "live");
      [...bridge.subscriptions].forEach(({ listener }) => listener(told, { via: "live" }));
      bridge.last.end.resolve(told.data);
      await settle();
      assert.deepEqual(one.at("Bridge/Command/Completed"), [{ ...told, correlationId: "h" }]);
      assert.equal(sibling.at("Bridge/Command/Completed").length, patterns[0] === "Notes" ? 0 : 1);
      assert.equal(one.at("Bridge/Message/Accepted").length, 1);
    }
  });

  test("have their outcome after Accepted, even where both come at once", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    one.say(HOLD);
    bridge.tell(outcome(bridge.last.id), "control");
    bridge.last.accept();
    await settle();
    assert.deepEqual(one.heard.map(({ subtopic }) => subtopic), ["Accepted", "Completed"]);
  });

  test("have the outcome that the SDK found out after a reconnect", async () => {
    const ends = [
      [(end, data) => end.resolve(data), "Completed"],
      [(end, body) => end.reject(Object.assign(new Error(), { code: "failed", body })), "Failed"],
      [(end, body) => end.reject(Object.assign(new Error(), { code: "timed_out", body })), "TimedOut"],
    ];
    for (const [finish, subtopic] of ends) {
      const { bridge, window } = openPage();
      const one = window.add(ONE);
      one.say(HOLD);
      bridge.last.accept();
      await settle();
      finish(bridge.last.end, { address: "a", call: "7" });
      await settle();
      const expected = message(`Bridge/Command/${subtopic}`, { address: "a", call: "7" }, { correlationId: "h" });
      assert.deepEqual(one.heard.at(-1), expected);
    }
  });

  test("of which nobody can tell any more end in TimedOut, accepted or not", async () => {
    for (const accepted of [true, false]) {
      const { bridge, window, clock } = openPage();
      const one = window.add(ONE);
      one.say(HOLD);
      const lost = Object.assign(new Error(), { code: "unknown" });
      if (accepted) {
        bridge.last.accept();
        await settle();
      }
      clock.now += 1234.4;
      (accepted ? bridge.last.end.reject : bridge.last.refuse)(lost);
      await settle();
      const data = { address: "Cisco/InboundCall/SetHOLD", call: "7", afterMs: 1234 };
      assert.deepEqual(one.heard.at(-1), message("Bridge/Command/TimedOut", data, { correlationId: "h" }));
      assert.deepEqual(one.refusals, []);
    }
  });

  test("that were not sent are refused and owe no outcome", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    one.say(HOLD);
    const { id } = bridge.last;
    bridge.last.refuse(Object.assign(new Error(), { code: "not_sent" }));
    await settle();
    bridge.tell(outcome(id), "live");
    assert.deepEqual(one.heard.map(({ subtopic }) => subtopic), ["Rejected"]);
  });

  test("sent again have no second outcome: it stands in Accepted", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    one.say(HOLD);
    const told = outcome(bridge.last.id);
    bridge.last.accept({ duplicate: true, outcome: told });
    bridge.last.end.resolve(told.data);
    await settle();
    assert.deepEqual(one.heard.map(({ subtopic }) => subtopic), ["Accepted"]);
    assert.equal(one.heard[0].data.duplicate, true);
    assert.equal(one.heard[0].data.outcome.correlationId, "h");
  });

  test("sent again before the outcome are not sent twice, and have one outcome", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    one.say(HOLD);
    one.say({ ...HOLD, data: { CallID: "8" } });
    one.say({ ...HOLD });
    bridge.last.accept();
    await settle();
    one.say(HOLD);
    await settle();
    assert.equal(bridge.sent.length, 1);
    bridge.tell(outcome(bridge.last.id), "live");
    bridge.last.end.resolve({});
    await settle();
    const accepted = one.at("Bridge/Message/Accepted").map(({ data }) => data.duplicate);
    assert.deepEqual(accepted, [false, true, true]);
    assert.deepEqual(one.refusals, ["id_conflict"]);
    assert.equal(one.heard.at(-1).subtopic, "Completed");
    assert.equal(one.heard.length, 5);
  });

  test("whose outcome came with the news that they had arrived have both", async () => {
    const { bridge, window } = openPage();
    const one = window.add(ONE);
    one.say(HOLD);
    bridge.last.accept({ offset: undefined, outcome: outcome(bridge.last.id) });
    bridge.last.end.resolve({ address: "a" });
    await settle();
    assert.deepEqual(one.heard.map(({ subtopic }) => subtopic), ["Accepted", "Completed"]);
    assert.deepEqual(Object.keys(one.heard[0].data), ["offset", "duplicate", "warnings"]);
  });

  test("can be asked for by who sent them, and by nobody else", async () => {
    const { bridge, window } = openPage();
    const [one, two] = [window.add(ONE), window.add(TWO)];
    one.say(HOLD);
    const { id } = bridge.last;
    const told = message("Bridge/Command/Completed", {}, { correlationId: id });
    bridge.replies.set("Bridge/Command/Status", { known: true, offset: 9, outcome: told });
    one.say(message("Bridge/Command/Status", { id: "h" }, { id: "q" }));
    two.say(message("Bridge/Command/Status", { id: "h" }));
    two.say(message("Bridge/Command/Status", { id }));
    await settle();
    assert.equal(bridge.asked[0].data.id, id);
    assert.ok(bridge.asked.slice(1).every(({ data }) => data.id !== id));
    const [reply] = one.at("Bridge/Command/Status");
    assert.deepEqual([reply.correlationId, reply.data.outcome.correlationId], ["q", "h"]);
  });
});

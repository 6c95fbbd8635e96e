import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { LIST, ONE, TWO, message, openPage, settle } from "./page.js";

const NOTE = message("Notes/Own/Written", 1);
const times = (count, act) => Array.from({ length: count }, (_, place) => act(place));

describe("a gadget that is too fast", () => {
  test("is refused after a burst, and told when to come again", async () => {
    const { bridge, window, clock } = openPage();
    const one = window.add(ONE);
    times(101, () => one.say(NOTE));
    assert.equal(bridge.sent.length, 100);
    assert.deepEqual(one.refusals, ["rate_limited"]);
    const { retryAfterMs, temporary } = one.heard[0].data;
    assert.deepEqual([retryAfterMs, temporary], [20, true]);
    clock.now += 20;
    one.say(NOTE);
    assert.equal(bridge.sent.length, 101);
  });

  test("disturbs no other", () => {
    const { bridge, window } = openPage();
    const [one, two] = [window.add(ONE), window.add(TWO)];
    times(1000, () => one.say({ channel: 7 }));
    two.say(NOTE);
    assert.equal(bridge.last.source, "two");
  });

  test("has no more by having more windows", () => {
    const { bridge, window } = openPage();
    times(4, () => window.add(ONE)).forEach((frame) => times(100, () => frame.say(NOTE)));
    assert.equal(bridge.sent.length, 100);
  });

  test("has the rate that the host gave it", () => {
    const { bridge, window } = openPage([{ ...LIST[1], messagesPerSecond: 2 }]);
    const two = window.add(TWO);
    times(10, () => two.say(NOTE));
    assert.equal(bridge.sent.length, 4);
  });

  test("is answered less often than it sends: ten thousand pieces of junk cost a look each", () => {
    const { bridge, window, gateway } = openPage();
    const one = window.add(ONE);
    let unpacked = 0;
    times(10_000, () => {
      const event = Object.assign(new Event("message"), { origin: ONE, source: one });
      window.dispatchEvent(Object.defineProperty(event, "data", { get: () => (unpacked += 1) }));
    });
    const { muted, refused } = gateway.counters.gadgets[ONE];
    assert.deepEqual(bridge.sent, []);
    assert.ok(one.heard.length <= 120, `${one.heard.length} answers`);
    assert.equal(muted, 10_000 - one.heard.length);
    assert.equal(refused.malformed_json + refused.rate_limited, one.heard.length);
    assert.ok(unpacked <= 2 * one.heard.length);
  });
});

describe("all gadgets together", () => {
  test("leave a part of the session's rate to the host page", async () => {
    const { bridge, window } = limited(50);
    const [one, two] = [window.add(ONE), window.add(TWO)];
    times(60, () => one.say(NOTE));
    times(60, () => two.say(NOTE));
    await settle();
    assert.equal(bridge.sent.length, 80);
    assert.deepEqual(new Set(two.refusals), new Set(["rate_limited"]));
    assert.equal(bridge.sent.length + two.refusals.length, 120);
  });

  test("wait for a bounded number of answers", async () => {
    const { bridge, window, clock } = openPage([{ ...LIST[0], messagesPerSecond: 10_000 }]);
    const one = window.add(ONE);
    times(1025, () => one.say(NOTE));
    await settle();
    assert.equal(bridge.sent.length, 1024);
    assert.deepEqual(one.refusals, ["limit_exceeded"]);
    bridge.sent[0].accept();
    await settle();
    clock.now += 1000;
    one.say(NOTE);
    assert.equal(bridge.sent.length, 1025);
  });
});

function limited(messagesPerSecond) {
  return openPage(LIST, undefined, { limits: { messageBytes: 65_536, messagesPerSecond } });
}

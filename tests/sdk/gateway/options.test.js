import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { openGateway } from "../../../sdk/gateway.js";
import { contains, covers, matches, parsePattern, patternText } from "../../../sdk/gateway/pattern.js";
import { FakeBridge, HostWindow, LIST, ONE } from "./page.js";

const bridge = new FakeBridge();
const target = new HostWindow();
const GOOD = LIST[0];

describe("options", () => {
  const wrong = [
    [undefined, /bridge/],
    [{ bridge: {}, gadgets: [], target }, /bridge/],
    [{ bridge, target }, /gadgets/],
    [{ bridge, gadgets: [], target: {} }, /target/],
    [{ bridge, gadgets: [GOOD, { ...GOOD, app: "again" }], target }, /twice/],
    ...[
      [null, /gadgets\[0\]: give an object/],
      [{ ...GOOD, origin: "null" }, /"null" is the origin of every sandboxed/],
      [{ ...GOOD, origin: "*" }, /origin such as/],
      [{ ...GOOD, origin: "one.example" }, /origin such as/],
      [{ ...GOOD, origin: undefined }, /origin such as/],
      [{ ...GOOD, origin: "file:///tmp" }, /origin such as/],
      [{ ...GOOD, origin: `${ONE}/` }, /write it exactly as browsers do: https:\/\/one.example/],
      [{ ...GOOD, origin: `${ONE}:443` }, /exactly/],
      [{ ...GOOD, origin: "https://ONE.example" }, /exactly/],
      [{ ...GOOD, origin: `${ONE}/gadget.html` }, /exactly/],
      [{ ...GOOD, app: "" }, /app: 1 to 128/],
      [{ ...GOOD, app: undefined }, /app: 1 to 128/],
      [{ ...GOOD, publish: "Cisco" }, /publish: give an array/],
      [{ ...GOOD, publish: ["Cisco", "a/b/c/d"] }, /publish\[1\]: "a\/b\/c\/d" is no pattern/],
      [{ ...GOOD, subscribe: [7] }, /subscribe\[0\]: 7 is no pattern/],
      [{ ...GOOD, subscribe: [" Cisco"] }, /no pattern/],
      [{ ...GOOD, messagesPerSecond: 0 }, /messagesPerSecond/],
      [{ ...GOOD, messagesPerSecond: Infinity }, /messagesPerSecond/],
      [{ ...GOOD, publishes: [] }, /no option publishes/],
    ].map(([gadget, reason]) => [{ bridge, gadgets: [gadget], target }, reason]),
  ];
  wrong.forEach(([options, reason], place) =>
    test(`${place} that are wrong say so: ${reason}`, () => {
      assert.throws(() => openGateway(options), (error) => error instanceof TypeError && reason.test(error.message));
    }));

  test("that are right open a gateway with counters of its own", () => {
    const gateway = openGateway({ bridge, gadgets: [{ origin: ONE, app: "one" }], target });
    const counters = gateway.counters;
    counters.gadgets[ONE].accepted = 7;
    assert.equal(gateway.counters.gadgets[ONE].accepted, 0);
    assert.equal(gateway.counters.strangers, 0);
    gateway.close();
  });
});

describe("patterns", () => {
  const read = (/** @type {string} */ text) => parsePattern(text) ?? assert.fail(text);
  const address = { channel: "Cisco", topic: "InboundCall", subtopic: "SetHOLD" };

  test("are compared without /* at their end", () => {
    assert.equal(patternText(read("Cisco/*/*")), "Cisco");
    assert.equal(patternText(read("*/*/SetHOLD")), "*/*/SetHOLD");
    assert.equal(patternText(read("*")), "*");
  });

  test("match addresses", () => {
    for (const text of ["*", "Cisco", "Cisco/InboundCall", "*/*/SetHOLD", "Cisco/InboundCall/SetHOLD"]) {
      assert.ok(matches(read(text), address), text);
    }
    for (const text of ["cisco", "Cisco/OutboundCall", "*/*/SetDROP", "Cisco/inboundcall"]) {
      assert.ok(!matches(read(text), address), text);
    }
  });

  test("contain each other where every address of the one is one of the other", () => {
    const pairs = [["*", "Cisco"], ["Cisco", "Cisco/InboundCall"], ["Cisco/*/SetHOLD", "Cisco/InboundCall/SetHOLD"], ["*", "*"]];
    for (const [outer, inner] of pairs) {
      assert.ok(contains(read(outer), read(inner)));
      assert.equal(contains(read(inner), read(outer)), outer === inner);
    }
    assert.ok(!contains(read("Cisco/*/SetHOLD"), read("Cisco/InboundCall")));
  });

  test("as rights to publish follow the bridge in what it takes for the same", () => {
    assert.ok(covers(read("Cisco/inboundcall/SETHOLD"), address));
    assert.ok(!covers(read("cisco"), address));
    assert.ok(!covers(read("notes/own"), { channel: "notes", topic: "Own", subtopic: "x" }));
  });
});

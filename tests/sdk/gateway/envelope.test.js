import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { judgeJson } from "../../../sdk/gateway/json.js";
import { ONE, message, openPage, settle } from "./page.js";

const NOTE = message("Notes/Own/Written", 1, { id: "n" });

/** Say something as a listed gadget; give what came back and what went on to the bridge. */
async function say(...posted) {
  const { bridge, window, gateway } = openPage();
  const one = window.add(ONE);
  posted.forEach((each) => one.say(each));
  bridge.sent.forEach(({ accept }) => accept());
  await settle();
  return { heard: one.heard, sent: bridge.sent, counters: gateway.counters.gadgets[ONE] };
}

describe("what another library posts", () => {
  for (const posted of [{ type: "resize", height: 7 }, { hello: 1 }, {}, '{"event":"ready"}']) {
    test(`${JSON.stringify(posted)} is ignored and counted`, async () => {
      const { heard, sent, counters } = await say(posted);
      assert.deepEqual([heard, sent, counters.ignored], [[], [], 1]);
    });
  }
});

describe("nonsense", () => {
  const cycle = { a: 1 };
  cycle.self = cycle;
  const odd = [7, null, [], "nonsense", "{", new Map(), new Date(0), new ArrayBuffer(8)].map((posted) => [posted, "malformed_json"]);
  const datas = [NaN, Infinity, 7n, new Map(), new Date(0), [undefined], cycle, { deep: new Set() }];
  const cases = [
    ...odd,
    ...datas.map((data) => [{ ...NOTE, data }, "malformed_json"]),
    [{ channel: "Notes" }, "invalid_envelope"],
    [{ ...NOTE, topic: "" }, "invalid_envelope"],
    [{ ...NOTE, topic: " Own" }, "invalid_envelope"],
    [{ ...NOTE, channel: 7 }, "invalid_envelope"],
    [{ ...NOTE, id: "" }, "invalid_envelope"],
    [{ ...NOTE, id: "\u00fc" }, "invalid_envelope"],
    [{ ...NOTE, extra: 1 }, "invalid_envelope"],
    [{ ...NOTE, "Channel ": "Other" }, "invalid_envelope"],
    [{ ...NOTE, data: "x".repeat(65_536) }, "limit_exceeded"],
    [JSON.stringify({ ...NOTE, data: "x".repeat(65_536) }), "limit_exceeded"],
  ];
  cases.forEach(([posted, code], place) =>
    test(`${place} is refused as ${code}`, async () => {
      const { heard, sent } = await say(posted);
      assert.deepEqual(sent, []);
      assert.equal(heard.length, 1);
      assert.equal(heard[0].data.code, code);
      assert.equal(heard[0].data.temporary, false);
    }));

  test("is answered under its id where it has one, and says which field is wrong", async () => {
    const { heard } = await say({ channel: "Notes", topic: "x/y", id: "n", data: 1 });
    assert.equal(heard[0].correlationId, "n");
    assert.deepEqual(heard[0].data.errors.map(({ pointer, code }) => [pointer, code]), [["/topic", "wrong_format"], ["/subtopic", "missing"]]);
  });
});

describe("the bridge's leniency", () => {
  test("keys are repaired as the documented samples need it, with a warning", async () => {
    const { heard, sent } = await say({ Channel: "Notes", topic: "Own", subTopic: "Written", "data ": { "a ": 1 }, id: "n" });
    assert.deepEqual([sent[0].channel, sent[0].subtopic, sent[0].data], ["Notes", "Written", { "a ": 1 }]);
    assert.deepEqual(heard[0].data.warnings.map(({ pointer }) => pointer), ["/Channel", "/subTopic", "/data "]);
  });

  test("a text that holds a message is one", async () => {
    const { sent } = await say(JSON.stringify(NOTE));
    assert.equal(sent[0].data, 1);
  });

  test("fields that are undefined are absent", async () => {
    const { sent } = await say({ ...NOTE, id: undefined, source: undefined, extra: undefined, data: { a: undefined, b: 1 } });
    assert.equal(JSON.stringify(sent[0].data), '{"b":1}');
  });
});

describe("judging JSON", () => {
  test("looks at no more than it may, however often a value contains the same one", () => {
    const wide = Array(1000).fill("x".repeat(100));
    assert.equal(judgeJson(wide, 50_000), "long");
    let doubled = ["x"];
    for (let depth = 0; depth < 60; depth += 1) {
      doubled = [doubled, doubled];
    }
    assert.equal(judgeJson(doubled, 65_536), "long");
    assert.equal(judgeJson({ ["k".repeat(100)]: 1 }, 50), "long");
  });

  test("takes all of JSON, 64 deep and no deeper", () => {
    const nested = (depth) => (depth === 1 ? [] : [nested(depth - 1)]);
    assert.equal(judgeJson(nested(64), 1000), "json");
    assert.equal(judgeJson(nested(65), 1000), "other");
    assert.equal(judgeJson({ a: [1, -2.5, "x", true, null, {}] }, 1000), "json");
    assert.equal(judgeJson(JSON.parse('{"__proto__": {"a": 1}}'), 1000), "json");
    assert.equal(judgeJson(Array(3), 1000), "other");
  });
});

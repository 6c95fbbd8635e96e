import assert from "node:assert/strict";
import { test } from "node:test";

import { Ids } from "../../../sdk/gateway/ids.js";

const LENGTHS = [1, 2, 36, 49, 50, 51, 63, 64];

test("an id of any length goes to the bus as a valid one, always the same, and comes back", () => {
  for (const length of LENGTHS) {
    for (const filling of ["x", "~", " ", "."]) {
      const ids = new Ids("https://one.example");
      const id = filling.repeat(length);
      const onBus = ids.toBus(id);
      assert.match(onBus, /^[\x20-\x7e]{1,64}$/);
      assert.equal(ids.toBus(id), onBus);
      assert.equal(new Ids("https://one.example").toBus(id), onBus, "also after a reload");
      assert.equal(ids.fromBus(onBus), id);
    }
  }
});

test("no two ids fall together, of one gadget or of two", () => {
  const origins = ["https://one.example", "https://one.example:8443", "https://two.example"];
  const all = origins.flatMap((origin) => {
    const ids = new Ids(origin);
    const names = Array.from({ length: 500 }, (_, n) => [`${n}`, `~${n}`, `${n}`.padStart(60, "y")]).flat();
    return names.map((id) => ids.toBus(id));
  });
  assert.equal(new Set(all).size, all.length);
});

test("another's id stays as it is", () => {
  const [one, two] = [new Ids("https://one.example"), new Ids("https://two.example")];
  assert.equal(one.fromBus(two.toBus("1")), two.toBus("1"));
  assert.equal(one.fromBus("1"), "1");
  const message = { channel: "a", topic: "b", subtopic: "c", id: one.toBus("1"), correlationId: two.toBus("2") };
  assert.deepEqual(one.inMessage(message), { ...message, id: "1" });
  assert.deepEqual(two.inMessage({ channel: "a", topic: "b", subtopic: "c" }), { channel: "a", topic: "b", subtopic: "c" });
});

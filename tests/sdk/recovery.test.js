import assert from "node:assert/strict";
import { test } from "node:test";

import { Stage, message } from "./stage.js";

/** Small, and the same on every machine. @param {number} seed */
function randomness(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const CHANNELS = ["A", "B", "C"];

for (let seed = 1; seed <= 60; seed += 1) {
  test(`random cuts, seed ${seed}: each subscriber sees each matching message once and in order`, async () => {
    const chance = randomness(seed);
    const stage = new Stage();
    const stream = [];
    const subscribers = [];
    const answered = new Set();
    let registered = [];

    const serve = () => {
      for (const ask of stage.socket.sentTo("Bridge/Subscription/Subscribe").filter(({ id }) => !answered.has(id))) {
        answered.add(ask.id);
        const { patterns, recover } = ask.data;
        registered = [...new Set([...registered, ...patterns])];
        const missed = recover && stream.filter(({ channel, offset }) => patterns.includes(channel) && offset > recover.offset);
        stage.socket.say("Bridge/Subscription/Subscribed",
          { patterns, epoch: "e1", offset: stream.length, snapshot: [], ...(recover && { recovered: true, messages: missed }) },
          { correlationId: ask.id });
      }
    };
    const subscribe = () => {
      const channel = CHANNELS[Math.floor(chance() * CHANNELS.length)];
      const subscriber = { channel, seen: [], from: -1 };
      stage.bridge.subscribe(channel, ({ offset }) => subscriber.seen.push(offset),
        { onJoined: ({ again, offset }) => again || (subscriber.from = offset) });
      subscribers.push(subscriber);
    };
    const publish = () => {
      const channel = CHANNELS[Math.floor(chance() * CHANNELS.length)];
      stream.push(message(stream.length + 1, `${channel}/x/y`));
      if (stage.bridge.state === "open" && registered.includes(channel)) {
        stage.live(stream.length, `${channel}/x/y`);
      }
    };
    const back = async () => {
      stage.bridge.reconnect();
      registered = [];
      await stage.greet();
    };

    await stage.greet();
    for (let step = 0; step < 150; step += 1) {
      const dice = chance();
      if (dice < 0.08) {
        subscribe();
      } else if (dice < 0.2 && stage.bridge.state === "open") {
        registered = [];
        stage.socket.lose();
      } else if (dice < 0.35 && stage.bridge.state !== "open") {
        await back();
      } else if (dice < 0.6 && stage.bridge.state === "open") {
        serve();
      } else {
        publish();
      }
    }
    if (stage.bridge.state !== "open") {
      await back();
    }
    serve();
    serve();
    assert.notEqual(subscribers.length, 0);
    for (const { channel, seen, from } of subscribers) {
      const wanted = stream.filter((each) => each.channel === channel && each.offset > from).map(({ offset }) => offset);
      assert.deepEqual(seen, wanted);
    }
  });
}

import { Bridge } from "../../sdk/bridge.js";

/** A clock, timers, chance and a server that do what the test says. */

const flush = () => new Promise((resolve) => setImmediate(resolve));

class Socket {
  readyState = 0;
  sent = [];
  closed = null;
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close(code) {
    this.closed ??= code ?? 1005;
    this.readyState = 3;
  }
  accept() {
    this.readyState = 1;
    this.onopen?.({});
  }
  say(address, data, fields = {}) {
    const [channel, topic, subtopic] = address.split("/");
    this.onmessage?.({ data: JSON.stringify({ channel, topic, subtopic, data, ...fields }) });
  }
  /** Answer the newest message that was sent to an address. */
  answer(question, reply, data) {
    const asked = this.sentTo(question).at(-1);
    this.say(reply, data, { correlationId: asked.id });
    return asked;
  }
  sentTo(address) {
    return this.sent.filter(({ channel, topic, subtopic }) => `${channel}/${topic}/${subtopic}` === address);
  }
  lose(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

export class Stage {
  time = 1_000_000;
  chance = 0.5;
  sockets = [];
  states = [];
  #timers = [];
  #heard;

  constructor(options = {}, page = undefined) {
    const env = {
      dial: () => {
        const socket = new Socket();
        this.sockets.push(socket);
        return socket;
      },
      now: () => this.time,
      later: (then, ms) => {
        const timer = { at: this.time + ms, then };
        this.#timers.push(timer);
        return timer;
      },
      cancel: (timer) => (this.#timers = this.#timers.filter((each) => each !== timer)),
      random: () => this.chance,
      page,
      listen: (told) => {
        this.#heard = told;
        return () => (this.#heard = undefined);
      },
    };
    const url = new URL(options.url ?? "ws://bridge.test/ws");
    this.bridge = new Bridge(env, url, { ...options, onState: (change) => this.states.push(change) });
    this.opening = this.bridge.open();
    this.opening.catch(() => {});
  }

  get socket() {
    return this.sockets.at(-1);
  }

  get state() {
    return this.states.at(-1);
  }

  /** Accept the connection and greet. */
  async greet(data = {}) {
    await flush();
    this.socket.accept();
    this.socket.say("Bridge/Session/Opened", { heartbeatSeconds: 25, limits: { messageBytes: 65536 }, ...data });
    await flush();
  }

  subscribed(epoch, offset, more = {}) {
    return this.socket.answer("Bridge/Subscription/Subscribe", "Bridge/Subscription/Subscribed",
      { patterns: [], epoch, offset, snapshot: [], ...more });
  }

  live(offset, address = "Notes/Test/Written", fields = {}) {
    this.socket.say(address, { number: offset }, { id: `m${offset}`, source: "x", time: "", offset, ...fields });
  }

  /** Let time pass; timers fire when they are due. */
  async pass(ms) {
    const end = this.time + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (!next) {
        break;
      }
      this.#timers = this.#timers.filter((each) => each !== next);
      this.time = Math.max(this.time, next.at);
      next.then();
      await flush();
    }
    this.time = end;
    await flush();
  }

  /** The machine sleeps: the clock goes on, no timer fires until it wakes. */
  sleep(ms) {
    this.time += ms;
  }

  async notice(sign, event = {}) {
    this.#heard?.(sign, event);
    await flush();
  }

  /** Cut the line and come back. */
  async cut(code = 1006, reason = "") {
    this.socket.lose(code, reason);
    await this.pass(this.state.retryInMs);
    await this.pass(5_000);
    await this.greet();
  }
}

export const message = (offset, address = "Notes/Test/Written") => {
  const [channel, topic, subtopic] = address.split("/");
  return { channel, topic, subtopic, data: { number: offset }, id: `m${offset}`, source: "x", time: "", offset };
};

export const settled = async (promise) => {
  const ended = promise.then((value) => ({ value }), (error) => ({ error, code: error.code }));
  await flush();
  return Promise.race([
    ended,
    flush().then(() => "pending"),
  ]);
};

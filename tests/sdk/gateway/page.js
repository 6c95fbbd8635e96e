/** A host page without a browser: windows, frames and a bridge that do what a test tells them. */

import { setImmediate } from "node:timers/promises";

import { Gateway } from "../../../sdk/gateway/gateway.js";
import { readOptions } from "../../../sdk/gateway/options.js";

export const ONE = "https://one.example";
export const TWO = "https://two.example";
export const STRANGER = "https://stranger.example";

/** Let everything that is under way come to its end, messages of ports included. */
export async function settle() {
  for (let turn = 0; turn < 5; turn += 1) {
    await setImmediate();
  }
}

/** The host's window, with as much of a document as the gateway looks at. */
export class HostWindow extends EventTarget {
  frames = [];
  observers = [];
  document = Object.assign(new EventTarget(), { querySelectorAll: () => this.frames });
  MutationObserver = observer(this.observers);

  /** A frame is put into the page. */
  add(origin) {
    const window = new FrameWindow(this, origin);
    this.frames.push({ contentWindow: window, contentDocument: null });
    return window;
  }

  remove(window) {
    window.closed = true;
    this.frames = this.frames.filter((frame) => frame.contentWindow !== window);
    this.observers.forEach((tell) => tell());
  }

  /** The document of a frame has loaded. */
  load(window) {
    const target = this.frames.find((frame) => frame.contentWindow === window);
    const event = Object.defineProperty(new Event("load"), "target", { value: target });
    this.document.dispatchEvent(event);
  }
}

function observer(observers) {
  return class {
    constructor(tell) {
      this.tell = tell;
    }
    observe() {
      observers.push(this.tell);
    }
    disconnect() {
      observers.splice(observers.indexOf(this.tell), 1);
    }
  };
}

/** The window of a frame. Like a browser it gives a message only to the origin that it is meant for. */
export class FrameWindow {
  closed = false;
  heard = [];
  ports = [];

  constructor(parent, origin) {
    this.parent = parent;
    this.origin = origin;
  }

  /** Another document comes into the frame. */
  navigate(origin) {
    this.origin = origin;
  }

  postMessage(message, targetOrigin, transfer = []) {
    if (targetOrigin === "*") {
      throw new Error("posted to anybody");
    }
    if (targetOrigin === this.origin && !this.closed) {
      this.heard.push(structuredClone(message));
      this.ports.push(...transfer);
    }
  }

  /** Its document posts to the host. */
  say(data) {
    const event = Object.assign(new Event("message"), { data, origin: this.origin, source: this });
    this.parent.dispatchEvent(event);
  }

  /** What it heard at an address. */
  at(address) {
    return this.heard.filter((message) => addressOf(message) === address);
  }

  /** The codes that its messages were refused with. */
  get refusals() {
    return this.at("Bridge/Message/Rejected").map(({ data }) => data.code);
  }
}

export const addressOf = ({ channel, topic, subtopic }) => `${channel}/${topic}/${subtopic}`;

export function message(address, data = null, more = {}) {
  const [channel, topic, subtopic] = address.split("/");
  return { channel, topic, subtopic, data, ...more };
}

/** The SDK's bridge. It answers when the test says so. */
export class FakeBridge extends EventTarget {
  state = "open";
  opened = { identity: { extension: "5069" }, limits: { messageBytes: 65_536, messagesPerSecond: 0 } };
  sent = [];
  asked = [];
  subscriptions = new Set();
  snapshot = [];
  offset = 10;
  /** Whether a subscription is joined at once. */
  joins = true;
  replies = new Map();

  subscribe(patterns, listener, options) {
    const subscription = { patterns, listener, options };
    this.subscriptions.add(subscription);
    if (this.joins) {
      queueMicrotask(() => this.join(subscription));
    }
    return () => this.subscriptions.delete(subscription);
  }

  join(subscription, more = {}) {
    if (this.subscriptions.has(subscription)) {
      const { offset, snapshot: messages } = this;
      subscription.options.onJoined({ recovered: false, again: false, epoch: "e1", offset, messages, ...more });
      messages.forEach((each) => subscription.listener(each, { via: "snapshot" }));
    }
  }

  /** After a reconnect. */
  joinAgain(more) {
    [...this.subscriptions].forEach((subscription) => this.join(subscription, { again: true, ...more }));
  }

  /** A message of the stream comes, and is handed to all. */
  emit(address, data, more = {}) {
    this.offset += 1;
    const whole = message(address, data, { id: `m${this.offset}`, offset: this.offset, source: "elsewhere", ...more });
    this.tell(whole, "live");
    [...this.subscriptions].forEach(({ listener }) => listener(whole, { via: "live" }));
    return whole;
  }

  tell(whole, via) {
    this.dispatchEvent(Object.assign(new Event("message"), { detail: { message: whole, via } }));
  }

  publish(outgoing) {
    return this.#send(outgoing);
  }

  command(outgoing) {
    let end;
    const outcome = new Promise((resolve, reject) => {
      end = { resolve, reject };
    });
    const accepted = this.#send(outgoing, end);
    accepted.catch(end.reject);
    return Object.assign(outcome, { id: outgoing.id, accepted });
  }

  request(question) {
    this.asked.push(question);
    return Promise.resolve({ data: this.replies.get(addressOf(question)) });
  }

  get last() {
    return this.sent.at(-1);
  }

  #send(outgoing, end) {
    return new Promise((resolve, reject) => {
      const accept = (more = {}) =>
        resolve({ id: outgoing.id, offset: (this.offset += 1), duplicate: false, warnings: [], ...more });
      this.sent.push({ ...outgoing, accept, refuse: reject, end });
    });
  }
}

/** A host page with a gateway, two listed gadgets, and a clock that stands still. */
export function openPage(gadgets = LIST, window = new HostWindow(), opened = {}) {
  const bridge = new FakeBridge();
  Object.assign(bridge.opened, opened);
  const clock = { now: 1000 };
  const gateway = new Gateway(readOptions({ bridge, gadgets, target: window }), () => clock.now);
  return { bridge, window, gateway, clock };
}

export const LIST = [
  { origin: ONE, app: "one", publish: ["Cisco/InboundCall", "Notes"], subscribe: ["Cisco", "Notes", "Bridge/Command"] },
  { origin: TWO, app: "two", publish: ["Notes/Own"], subscribe: ["Notes/*/Shown"] },
];

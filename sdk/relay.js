import { addressOf, canonical, matches, newId } from "./message.js";

/** @typedef {import("./workspace-bridge.js").Message} Message */

/** As many ids as a bridge remembers: an outcome may come for each. */
const REMEMBERED = 10_000;
const SILENT_INTERVALS = 2;

/** What is shared by all members: one socket to the bridge, and who gets what comes over it. */
export class Relay {
  #dial;
  #now;
  /** @type {Set<Member>} */
  members = new Set();
  /** @type {any} */
  #socket;
  /** @type {Message | undefined} */
  #opened;
  #openedAt = 0;
  #heardAt = 0;
  /** Who waits for which answer; `id` is the member's own. @type {Map<string, {member: Member, id: string | undefined, patterns?: string[]}[]>} */
  #asked = new Map();
  /** Who sent which command. @type {Map<string, Member>} */
  #senders = new Map();
  /** Offsets of members' own messages, not yet come back. @type {Map<number, Member>} */
  #own = new Map();

  /**
   * @param {(url: string) => any} dial
   * @param {() => number} now
   */
  constructor(dial, now) {
    this.#dial = dial;
    this.#now = now;
  }

  /** @param {(said: object) => void} say */
  join(say) {
    return new Member(this, say);
  }

  /**
   * @param {Member} member that wants a connection
   * @param {string} url
   */
  open(member, url) {
    const patience = (this.#opened?.data.heartbeatSeconds ?? 15) * 1000 * SILENT_INTERVALS;
    if (this.#socket && this.#now() - this.#heardAt > patience) {
      this.#lost(1006, "no sign of life");
    }
    this.members.add(member);
    if (!this.#socket) {
      this.#connect(url);
    } else if (this.#socket.readyState === 1) {
      member.say({ opened: true });
      this.#greet(member);
    }
  }

  /** @param {Member} member */
  leave(member) {
    if (!this.members.delete(member)) {
      return;
    }
    if (this.members.size === 0) {
      this.#socket?.close(1000);
      this.#lost(1000, "");
    } else {
      this.#unsubscribe(member.patterns);
    }
  }

  /**
   * @param {Member} member
   * @param {Message} message
   */
  send(member, message) {
    const address = addressOf(message);
    if (address === "Bridge/Session/Open") {
      this.#greet(member, message);
    } else if (address === "Bridge/Subscription/Unsubscribe" && Array.isArray(message.data?.patterns)) {
      const patterns = message.data.patterns.map(canonical);
      patterns.forEach((/** @type {string} */ pattern) => member.patterns.delete(pattern));
      this.#unsubscribe(patterns);
      member.hear("Bridge/Subscription/Unsubscribed", { patterns }, message.id);
    } else {
      this.#forward(member, message, address);
    }
  }

  /**
   * @param {Member} member
   * @param {Message} message
   * @param {string} address
   */
  #forward(member, message, address) {
    const control = message.channel === "Bridge";
    const id = control || message.id === undefined ? newId() : message.id;
    let { data } = message;
    let patterns;
    if (address === "Bridge/Subscription/Subscribe") {
      patterns = data?.patterns;
      member.echo = data?.echo ?? member.echo;
      data = { ...data, echo: true };
    }
    const queue = this.#asked.get(id) ?? [];
    this.#asked.set(id, [...queue, { member, id: message.id, patterns }]);
    this.#socket?.send(JSON.stringify({ ...message, data, id }));
  }

  /** @param {Iterable<string>} patterns of which nobody may want some any more */
  #unsubscribe(patterns) {
    const wanted = new Set([...this.members].flatMap((member) => [...member.patterns]));
    const idle = [...patterns].filter((pattern) => !wanted.has(pattern));
    if (idle.length && this.#opened) {
      const address = { channel: "Bridge", topic: "Subscription", subtopic: "Unsubscribe" };
      this.#socket?.send(JSON.stringify({ ...address, data: { patterns: idle } }));
    }
  }

  /**
   * @param {Member} member
   * @param {Message} [open] its token, which is the one of all members
   */
  #greet(member, open) {
    if (this.#opened && !member.greeted) {
      const { data } = this.#opened;
      const gone = (this.#now() - this.#openedAt) / 1000;
      const left = data.expiresInSeconds === undefined ? {} : { expiresInSeconds: Math.max(0, data.expiresInSeconds - gone) };
      member.greeted = true;
      member.hear("Bridge/Session/Opened", { ...data, ...left });
    } else if (open && !this.#opened && !this.#opening) {
      this.#opening = true;
      this.#socket?.send(JSON.stringify(open));
    }
  }

  #opening = false;

  /** @param {string} url */
  #connect(url) {
    const socket = this.#dial(url);
    this.#socket = socket;
    this.#heardAt = this.#now();
    socket.onopen = () => this.members.forEach((member) => member.say({ opened: true }));
    socket.onmessage = (/** @type {any} */ { data }) => {
      try {
        socket === this.#socket && this.#take(data);
      } catch {
        this.#lost(1006, "what came is no message of the protocol");
      }
    };
    socket.onclose = (/** @type {any} */ { code, reason }) => socket === this.#socket && this.#lost(code, reason);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    const members = [...this.members];
    const socket = this.#socket;
    this.members.clear();
    this.#socket = this.#opened = undefined;
    this.#opening = false;
    [this.#asked, this.#senders, this.#own].forEach((each) => each.clear());
    socket?.close();
    members.forEach((member) => member.say({ closed: [code, reason] }));
  }

  /** @param {string} text */
  #take(text) {
    this.#heardAt = this.#now();
    const message = JSON.parse(text);
    if (message.offset !== undefined) {
      this.#live(message, text);
      return;
    }
    const address = addressOf(message);
    if (address === "Bridge/Session/Opened") {
      this.#opened = message;
      this.#openedAt = this.#now();
      this.members.forEach((member) => this.#greet(member));
    } else if (message.correlationId === undefined) {
      this.members.forEach((member) => member.greeted && member.say({ text }));
    } else {
      this.#answer(message, address);
    }
  }

  /**
   * @param {Message} message
   * @param {string} text
   */
  #live(message, text) {
    const offset = /** @type {number} */ (message.offset);
    const own = this.#own.get(offset);
    this.#own.forEach((_, earlier) => earlier <= offset && this.#own.delete(earlier));
    const outcome = message.channel === "Bridge" && message.topic === "Command";
    const sender = outcome ? this.#senders.get(message.correlationId ?? "") : undefined;
    for (const member of this.members) {
      if (member === sender || (matches(member.patterns, message) && (member !== own || member.echo))) {
        member.say({ text });
      }
    }
  }

  /**
   * @param {Message} message
   * @param {string} address
   */
  #answer(message, address) {
    const id = /** @type {string} */ (message.correlationId);
    const queue = this.#asked.get(id) ?? [];
    const asked = queue.shift();
    if (queue.length === 0) {
      this.#asked.delete(id);
    }
    if (!asked) {
      return;
    }
    const { member } = asked;
    if (address === "Bridge/Message/Accepted") {
      this.#accepted(id, member, message.data);
    } else if (address === "Bridge/Subscription/Subscribed") {
      message.data.patterns.forEach((/** @type {string} */ pattern) => member.patterns.add(canonical(pattern)));
    } else if (address === "Bridge/Session/Refreshed" && message.data.ended?.length) {
      // Others have to hear of it too: they come back, and learn what they may.
      [...this.members].filter((each) => each !== member).forEach((each) => {
        this.members.delete(each);
        each.say({ closed: [1012, "the token's rights have changed"] });
      });
    }
    if (asked.id !== undefined && this.members.has(member)) {
      member.say({ text: JSON.stringify({ ...message, correlationId: asked.id }) });
    }
  }

  /**
   * @param {string} id
   * @param {Member} member
   * @param {any} data
   */
  #accepted(id, member, data) {
    if (!data.duplicate) {
      this.#own.set(data.offset, member);
    }
    this.#senders.set(id, member);
    if (this.#senders.size > REMEMBERED) {
      this.#senders.delete(/** @type {string} */ (this.#senders.keys().next().value));
    }
  }
}

/** One page's end. */
class Member {
  #relay;
  say;
  echo = false;
  greeted = false;
  /** @type {Set<string>} */
  patterns = new Set();

  /**
   * @param {Relay} relay
   * @param {(said: object) => void} say
   */
  constructor(relay, say) {
    this.#relay = relay;
    this.say = say;
  }

  /** @param {string} url */
  open(url) {
    this.#relay.open(this, url);
  }

  leave() {
    this.#relay.leave(this);
  }

  /** @param {string} text */
  send(text) {
    if (this.#relay.members.has(this)) {
      this.#relay.send(this, JSON.parse(text));
    }
  }

  /**
   * @param {string} address
   * @param {any} data
   * @param {string} [correlationId]
   */
  hear(address, data, correlationId) {
    const [channel, topic, subtopic] = address.split("/");
    this.say({ text: JSON.stringify({ channel, topic, subtopic, data, correlationId }) });
  }
}

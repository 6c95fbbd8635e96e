import { compose } from "./bridge.js";
import { Door } from "./door.js";
import { hasAddress, readEnvelope } from "./envelope.js";
import { Listening } from "./listening.js";
import { isEmpty, newSubscriberId, readPacket } from "./packet.js";
import { readObject, salvageId } from "./posted.js";
import { refusalBody, tooFast } from "./refusal.js";

/** @typedef {import("./bridge.js").Message} Message */
/** @typedef {import("./envelope.js").Sent} Sent */

/**
 * @typedef {object} Host what a gadget's messages are given to
 * @property {number} messageBytes
 * @property {(gadget: Gadget, message: Sent, warnings: import("./envelope.js").Warning[]) => Promise<void>} take
 * @property {(gadget: Gadget, channel: string) => void} registered a first packet has come
 * @property {(gadget: Gadget) => void} left
 */

/** One window of a listed gadget: what it says is read here, and what it gets goes out here. */
export class Gadget {
  #host;
  #isGone = false;

  /**
   * @param {import("./listed.js").Listed} listed
   * @param {any} window
   * @param {Host} host
   */
  constructor(listed, window, host) {
    this.listed = listed;
    this.window = window;
    this.listening = new Listening(listed);
    this.door = new Door(window, listed.grant.origin, {
      hear: (event, byPort) => this.#hear(event, byPort),
      renewed: () => this.#forgetPatterns(),
      gone: () => this.leave(),
    });
    this.#host = host;
  }

  /** @returns {boolean} whether there is nobody any more who could hear */
  isGone() {
    if (!this.#isGone && this.door.isClosed) {
      this.leave();
    }
    return this.#isGone;
  }

  /** Forget it: it is gone, or another document stands in its place. */
  leave() {
    if (!this.#isGone) {
      this.#isGone = true;
      this.door.closePort();
      this.listening.stop();
      this.#host.left(this);
    }
  }

  #forgetPatterns() {
    this.listening.stop();
    this.listed.rest();
  }

  // What it says

  /**
   * @param {MessageEvent} event
   * @param {boolean} byPort
   */
  #hear(event, byPort) {
    const wait = this.isGone() ? 0 : this.listed.take();
    if (this.#isGone) {
      return;
    }
    if (!wait) {
      this.#read(event.data, byPort);
    } else if (this.listed.mayAnswer()) {
      this.refuse(tooFast(wait), { id: salvageId(event.data) });
    } else {
      this.listed.counters.muted += 1; // and its data was not even unpacked
    }
  }

  /**
   * @param {unknown} posted
   * @param {boolean} byPort
   */
  #read(posted, byPort) {
    try {
      const object = readObject(posted, this.#host.messageBytes);
      const packet = readPacket(object);
      if (packet) {
        this.#readPacket(packet);
      } else if (byPort || hasAddress(object)) {
        this.#take(object);
      } else {
        this.listed.counters.ignored += 1;
      }
    } catch (refusal) {
      this.refuse(refusal, { id: salvageId(posted) });
    }
  }

  /** @param {import("./packet.js").Packet} packet */
  #readPacket({ channel, responseUrl, subscriberId, message }) {
    const own = this.door.packets?.subscriberId ?? newSubscriberId();
    this.door.packets = { responseUrl, subscriberId: own };
    if (subscriberId !== own) {
      this.#host.registered(this, channel);
    }
    if (!isEmpty(message)) {
      this.#take(readObject(message, this.#host.messageBytes));
    }
  }

  /** @param {Record<string, unknown>} object */
  #take(object) {
    const { message, warnings } = readEnvelope(object, this.#host.messageBytes);
    this.#host.take(this, message, warnings).catch((error) => this.refuse(error, message));
  }

  // What it gets

  /** @param {Message} message */
  answer(message) {
    if (!this.isGone()) {
      this.door.post(message);
    }
  }

  /**
   * @param {any} error a refusal of the gateway, or what the SDK rejected with
   * @param {{id?: string, channel?: string, topic?: string, subtopic?: string}} message as far as it could be read
   */
  refuse(error, { id, channel, topic, subtopic }) {
    const body = refusalBody(error);
    const address = channel === undefined ? {} : { address: `${channel}/${topic}/${subtopic}` };
    this.listed.countRefusal(body.code);
    this.answer(compose("Bridge/Message/Rejected", { ...address, ...body }, id));
  }

  /** @param {Message} message of the stream */
  deliver(message) {
    const verdict = this.listening.judge(message);
    if (verdict === "withheld") {
      this.listed.counters.withheld += 1;
    } else if (verdict === "wanted") {
      this.hand(message);
    }
  }

  /** @param {Message} message that it gets whether or not it listens */
  hand(message) {
    this.listed.counters.delivered += 1;
    this.answer(this.listed.ids.inMessage(message));
  }

  /** @param {unknown} error why nothing will be delivered any more */
  tellEnded(error) {
    if (this.listening.end()) {
      this.refuse(error, {});
    }
  }

  /** @param {import("./bridge.js").Joined} joined after messages were lost for good */
  tellAnew(joined) {
    const body = this.listening.standAnew(joined);
    if (body) {
      this.answer(compose("Bridge/Subscription/Subscribed", body));
    }
  }
}

import { Control } from "./control.js";
import { Frames } from "./frames.js";
import { Gadget } from "./gadget.js";
import { Listed } from "./listed.js";
import { Publishing } from "./publishing.js";
import { Bucket } from "./rate.js";
import { tooFast, tooMuch } from "./refusal.js";

/** @typedef {import("./envelope.js").Sent} Sent */

const MESSAGE_BYTES = 65_536;

/** All gadgets share the page's session. Its rate must not be used up, or the bridge ends it: a fifth is the host's. */
const SHARE = 0.8;
const BURST_SECONDS = 2;

/** Where messages of frames come in. Who sends is what the browser says: the window and its origin, nothing else. */
export class Gateway {
  #target;
  #now;
  #frames;
  #pace;
  #publishing;
  #control;
  #strangers = 0;
  /** @type {Map<string, Listed>} */
  #listed;
  /** Windows that have spoken. @type {Map<any, Gadget>} */
  #gadgets = new Map();

  /**
   * @param {import("./options.js").Options} options
   * @param {() => number} [now] milliseconds, on a clock that never goes back
   */
  constructor({ bridge, gadgets, target }, now = () => performance.now()) {
    const { messageBytes, messagesPerSecond = 0 } = bridge.opened?.limits ?? {};
    this.messageBytes = messageBytes || MESSAGE_BYTES;
    this.#target = target;
    this.#now = now;
    this.#listed = new Map(gadgets.map((grant) => [grant.origin, new Listed(grant, bridge, now)]));
    this.#frames = new Frames(target, {
      changed: () => this.#gadgets.forEach((gadget) => gadget.isGone()),
      loaded: (window) => this.#gadgets.get(window)?.door.loaded(),
    });
    this.#pace = new Bucket(messagesPerSecond * SHARE, messagesPerSecond * SHARE * BURST_SECONDS, now());
    this.#publishing = new Publishing(bridge, () => this.#spend(), now);
    this.#control = new Control(bridge, () => this.#spend(), this.#frames, this.messageBytes);
    target.addEventListener("message", this.#hear);
  }

  close() {
    this.#target.removeEventListener("message", this.#hear);
    this.#frames.close();
    this.#publishing.close();
    this.#gadgets.forEach((gadget) => gadget.leave());
  }

  /** @returns {import("./counters.js").Counters} a copy */
  get counters() {
    const gadgets = [...this.#listed].map(([origin, { counters }]) => [origin, counters]);
    return structuredClone({ strangers: this.#strangers, gadgets: Object.fromEntries(gadgets) });
  }

  /**
   * @param {Gadget} gadget
   * @param {Sent} message
   * @param {import("./envelope.js").Warning[]} warnings
   */
  async take(gadget, message, warnings) {
    await gadget.listed.whilePending(() =>
      message.channel === "Bridge"
        ? this.#control.take(gadget, message)
        : this.#publishing.publish(gadget, message, warnings),
    );
  }

  /**
   * @param {Gadget} gadget
   * @param {string} channel
   */
  registered(gadget, channel) {
    this.#control.register(gadget, channel);
  }

  /** @param {Gadget} gadget */
  left(gadget) {
    this.#gadgets.delete(gadget.window);
    gadget.listed.remove(gadget);
  }

  #hear = (/** @type {MessageEvent} */ event) => {
    const { source: window, origin } = event;
    const known = this.#gadgets.get(window);
    if (known && known.listed.grant.origin !== origin) {
      known.leave(); // the window is the same, but another document stands in it
    }
    const listed = this.#listed.get(origin);
    if (!window || !listed || !this.#frames.isChild(window)) {
      this.#strangers += 1; // without a look at what it says
      return;
    }
    this.#gadget(listed, window)?.door.heardAtWindow(event);
  };

  /**
   * @param {Listed} listed
   * @param {any} window
   * @returns {Gadget | undefined}
   */
  #gadget(listed, window) {
    const known = this.#gadgets.get(window);
    if (known) {
      return known;
    }
    const gadget = new Gadget(listed, window, this);
    if (listed.isFull) {
      if (listed.mayAnswer()) {
        gadget.refuse(tooMuch("8 frames of one gadget", 8), {});
      }
      return undefined;
    }
    this.#gadgets.set(window, gadget);
    listed.add(gadget);
    return gadget;
  }

  #spend() {
    const wait = this.#pace.take(this.#now());
    if (wait) {
      throw tooFast(wait);
    }
  }
}

/** @typedef {import("./bridge.js").Joined} Joined */
/** @typedef {import("./bridge.js").Message} Message */

/**
 * What one listed gadget may read, from the bridge to all its windows.
 *
 * It subscribes to what the host granted, never to what a gadget asked for: no gadget can use up the patterns of the
 * session that it shares with others.
 */
export class Feed {
  #bridge;
  #patterns;
  #told;
  /** @type {(() => void) | undefined} */
  #stop;

  /**
   * @param {import("./bridge.js").Bridge} bridge
   * @param {string[]} patterns
   * @param {object} told
   * @param {(message: Message) => void} told.message
   * @param {(joined: Joined) => void} told.anew something was missed for good, here is how things stand
   * @param {(error: unknown) => void} told.ended the bridge does not allow it any more
   */
  constructor(bridge, patterns, told) {
    this.#bridge = bridge;
    this.#patterns = patterns;
    this.#told = told;
  }

  open() {
    this.#stop ??= this.#bridge.subscribe(this.#patterns, (message, { via }) => this.#take(message, via), {
      echo: true,
      onJoined: (/** @type {Joined} */ joined) => joined.again && !joined.recovered && this.#told.anew(joined),
      onRefused: (error) => this.#refused(error),
    });
  }

  close() {
    this.#stop?.();
    this.#stop = undefined;
  }

  /**
   * Ask for a fresh snapshot. It is handed over at its place in the stream: what comes after it follows from the feed.
   *
   * @param {(joined: Joined) => void} take
   * @param {(error: unknown) => void} refused the bridge does not allow it to the session
   * @returns {() => void} calls it off
   */
  snapshot(take, refused) {
    let taken = false;
    const stop = this.#bridge.subscribe(this.#patterns, () => {}, {
      echo: true,
      onJoined: (/** @type {Joined} */ joined) => {
        if (!taken) {
          taken = true;
          take(joined);
          queueMicrotask(() => stop());
        }
      },
      onRefused: refused,
    });
    return () => {
      taken = true;
      stop();
    };
  }

  /** @param {unknown} error */
  #refused(error) {
    this.close();
    this.#told.ended(error);
  }

  /**
   * @param {Message} message
   * @param {string} via
   */
  #take(message, via) {
    if (via !== "snapshot") {
      this.#told.message(message); // a snapshot is handed over whole, with `anew`
    }
  }
}

/** How late a timer may fire in a page that is awake. */
const LATE_MS = 1_000;
/** How long a sign of life may take once it was asked for. */
const PROBE_MS = 5_000;
const PROBES = 2;

/**
 * Tells a dead line from a live one by what arrives, and by the clock. A timer that fires late says that this page
 * slept: what came meanwhile may still be queued, so a sign of life is asked for before the line is given up.
 */
export class Pulse {
  #env;
  #probe;
  #dead;
  /** @type {any} */
  #timer;
  #limit = 0;
  #deadline = 0;
  #due = 0;
  #probes = 0;

  /**
   * @param {import("./environment.js").Environment} env
   * @param {() => void} probe ask for a sign of life
   * @param {() => void} dead
   */
  constructor(env, probe, dead) {
    this.#env = env;
    this.#probe = probe;
    this.#dead = dead;
  }

  /** @param {number} ms longest silence from now on */
  expect(ms) {
    this.#limit = ms;
    this.heard();
    this.#arm();
  }

  /** Something came. */
  heard() {
    this.#probes = 0;
    this.#deadline = this.#env.now() + this.#limit;
  }

  /**
   * The page woke up, or the network changed: find out at once.
   *
   * @param {boolean} anyhow even if something came lately
   */
  doubt(anyhow) {
    if (this.#limit && (anyhow || this.#deadline - this.#env.now() < this.#limit / 2)) {
      this.#probes = 0;
      this.#ask();
    }
  }

  stop() {
    this.#env.cancel(this.#timer);
    this.#limit = 0;
  }

  #arm() {
    const now = this.#env.now();
    const left = Math.min(this.#deadline - now, this.#limit); // a clock that was set back must not lengthen it
    this.#deadline = now + left;
    this.#due = now + left;
    this.#env.cancel(this.#timer);
    this.#timer = this.#env.later(() => this.#look(), left);
  }

  #look() {
    const now = this.#env.now();
    if (now < this.#deadline) {
      this.#arm();
    } else if (now - this.#due > LATE_MS && this.#probes < PROBES) {
      this.#ask();
    } else {
      this.stop();
      this.#dead();
    }
  }

  #ask() {
    this.#probes += 1;
    this.#deadline = this.#env.now() + Math.min(PROBE_MS, this.#limit);
    this.#arm();
    this.#probe();
  }
}

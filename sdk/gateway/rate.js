/** A token bucket: `rate` messages a second, `burst` at once. */
export class Bucket {
  #rate;
  #burst;
  #tokens;
  #updated;

  /**
   * @param {number} rate a second; 0 lets everything through
   * @param {number} burst
   * @param {number} now milliseconds, on a clock that never goes back
   */
  constructor(rate, burst, now) {
    this.#rate = rate;
    this.#burst = Math.max(burst, 1);
    this.#tokens = this.#burst;
    this.#updated = now;
  }

  /**
   * Take one token.
   *
   * @param {number} now
   * @returns {number} 0, or the milliseconds after which there will be one
   */
  take(now) {
    if (this.#rate <= 0) {
      return 0;
    }
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#updated) / 1000) * this.#rate);
    this.#updated = now;
    if (this.#tokens < 1) {
      return ((1 - this.#tokens) / this.#rate) * 1000;
    }
    this.#tokens -= 1;
    return 0;
  }
}

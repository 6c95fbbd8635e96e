/** @typedef {import("./store.js").Line} Line */

/** Where each line of a list stands: closed ones have one height, open ones what they were measured to have. */
export class Heights {
  /** In the order of their numbers. @type {readonly Line[]} */
  lines = [];
  /** Lines that are higher than others. @type {Set<Line>} */
  open = new Set();
  /** Height of a closed line, pixels. */
  row = 46;

  /** @returns {{index: number, extra: number}[]} the open ones among the lines, in their order */
  #opened() {
    return [...this.open].map((line) => ({ index: this.placeOf(line.number), line }))
      .filter(({ index, line }) => this.lines[index] === line)
      .sort((one, other) => one.index - other.index)
      .map(({ index, line }) => ({ index, extra: line.extra }));
  }

  /**
   * @param {number} index
   * @returns {number} pixels from the top of the list to the top of that line
   */
  topOf(index) {
    const before = this.#opened().filter((each) => each.index < index);
    return index * this.row + before.reduce((sum, { extra }) => sum + extra, 0);
  }

  /**
   * @param {number} top
   * @returns {number} index of the line at that height
   */
  indexAt(top) {
    let left = top;
    for (const { index, extra } of this.#opened()) {
      if (left < (index + 1) * this.row) {
        break;
      }
      left = Math.max((index + 0.5) * this.row, left - extra);
    }
    return Math.max(0, Math.floor(left / this.row));
  }

  /**
   * @param {number} number
   * @returns {number} index of the first line with that number or a greater one
   */
  placeOf(number) {
    let low = 0;
    let high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lines[middle].number < number) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

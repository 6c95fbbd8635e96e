/**
 * What happened between one listed origin and the bus.
 *
 * @typedef {object} GadgetCounters
 * @property {string} app
 * @property {number} windows frames that are known now
 * @property {number} accepted messages that were taken
 * @property {Record<string, number>} refused by code
 * @property {number} muted refused without an answer, because too many had been answered
 * @property {number} delivered messages of the stream, outcomes included
 * @property {number} withheld the gadget's own messages, which it did not ask to have back
 * @property {number} ignored messages of other libraries
 */

/**
 * @typedef {object} Counters
 * @property {number} strangers messages of windows that are not listed; they were not looked at
 * @property {Record<string, GadgetCounters>} gadgets by origin
 */

/**
 * @param {string} app
 * @returns {GadgetCounters}
 */
export const noCounters = (app) => ({
  app,
  windows: 0,
  accepted: 0,
  refused: {},
  muted: 0,
  delivered: 0,
  withheld: 0,
  ignored: 0,
});

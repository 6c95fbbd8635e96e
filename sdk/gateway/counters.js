/** @typedef {import("../gateway.js").Counters} Counters */
/** @typedef {import("../gateway.js").GadgetCounters} GadgetCounters what the figures mean */

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

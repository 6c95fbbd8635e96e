/** What the page offers and says, by the adapter that moves the calls. */

/**
 * @typedef {object} Adapter
 * @property {string} outside what the outside world is the other end of; empty where nobody has a hand on it
 * @property {string} whoMaySignIn
 * @property {boolean} namesAreNumbers whether a workspace that is named by a number has an agent at that extension
 */

/** @type {Record<string, Adapter>} */
const ADAPTERS = {
  simulator: {
    outside: "the simulated switch’s other end",
    whoMaySignIn: "The simulator takes any name and password.",
    namesAreNumbers: true,
  },
  "finesse-demo": {
    outside: "the other end of Finesse’s look-alike",
    whoMaySignIn: "Take one of the agents that the terminal shows.",
    namesAreNumbers: false,
  },
};

/** @type {Adapter} */
const REAL = {
  outside: "",
  whoMaySignIn: "Take your name, password and extension of Cisco Finesse.",
  namesAreNumbers: false,
};

/**
 * @param {string} name as `Opened` tells it
 * @returns {Adapter}
 */
export function adapterOf(name) {
  return ADAPTERS[name] ?? REAL;
}

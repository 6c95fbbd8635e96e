import { openGateway } from "/sdk/gateway.js";
import { element, show } from "./dom.js";

/**
 * The gateway at work: two gadgets and a stranger in frames, each of its own origin, and what passed between them and
 * the bus. Place it in the page with `<section id="gadgets"></section>` and
 * `new Gadgets(find("gadgets", HTMLElement), bridge)`; its style is `gadgets.css`.
 */

/**
 * @typedef {object} Sample
 * @property {string} name of its host, under `localhost`
 * @property {string} title
 * @property {string} text
 * @property {Omit<import("../sdk/gateway.js").GadgetOptions, "origin">} [rights] none: it is not listed
 */

/** @type {Sample[]} */
const SAMPLES = [
  {
    name: "one",
    title: "Consult",
    text: "20 lines of HTML and postMessage. It may read calls and the agent’s state, and consult on a call.",
    rights: {
      app: "consult-gadget",
      publish: ["Cisco/InboundCall/SetCONSULT"],
      subscribe: ["Cisco/InboundCall/InboundCallStateChange", "Cisco/Agent"],
    },
  },
  {
    name: "two",
    title: "Caller card",
    text: "Asked for a MessagePort. It may read calls, and read and publish notes in a channel of its own.",
    rights: {
      app: "caller-card",
      publish: ["Notes/Caller/Written"],
      subscribe: ["Cisco/InboundCall/InboundCallStateChange", "Notes/Caller"],
    },
  },
  {
    name: "stranger",
    title: "Stranger",
    text: "Not listed. Whatever it asks for, it gets no answer, not even a refusal.",
  },
];

const LOOPBACK = ["localhost", "127.0.0.1"];
const REFRESH_MS = 500;

export class Gadgets {
  #element;
  #bridge;
  /** @type {ReturnType<typeof openGateway> | undefined} */
  #gateway;
  /** What changes of each sample's counters, by its origin. @type {Map<string, HTMLElement>} */
  #counts = new Map();

  /**
   * @param {HTMLElement} element
   * @param {import("../sdk/workspace-bridge.js").Bridge} bridge
   */
  constructor(element, bridge) {
    this.#element = element;
    this.#bridge = bridge;
    if (location.protocol === "http:" && LOOPBACK.includes(location.hostname)) {
      this.#openWhenSeen();
    } else {
      element.append(explanation());
    }
  }

  /** The frames load when somebody looks: until then they would only take time from the page. */
  #openWhenSeen() {
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) {
        observer.disconnect();
        this.#open();
      }
    }, { rootMargin: "100% 0px" }); // a little before it is scrolled to
    observer.observe(this.#element);
  }

  #open() {
    const listed = SAMPLES.flatMap(({ name, rights }) => (rights ? [{ origin: originOf(name), ...rights }] : []));
    this.#gateway = openGateway({ bridge: this.#bridge, gadgets: listed }); // before the frames: it sees them load
    this.#element.append(element("div", { class: "gadgets" }, ...SAMPLES.map((sample) => this.#draw(sample))));
    setInterval(() => this.#showCounts(), REFRESH_MS);
    this.#showCounts();
  }

  /** @param {Sample} sample */
  #draw({ name, title, text }) {
    const counts = element("p", { class: "note", "data-gadget": name });
    this.#counts.set(originOf(name), counts);
    const src = `${originOf(name)}/gadgets/${name}.html`;
    return element(
      "article",
      { class: "gadget" },
      element("h3", {}, title, " ", element("small", {}, new URL(originOf(name)).host)),
      element("p", { class: "hints" }, text),
      element("iframe", { src, title: `Gadget: ${title}`, sandbox: "allow-scripts allow-same-origin allow-forms" }),
      counts,
    );
  }

  #showCounts() {
    const { strangers, gadgets } = /** @type {import("../sdk/gateway.js").Counters} */ (this.#gateway?.counters);
    for (const [origin, counts] of this.#counts) {
      show(counts, gadgets[origin] ? inWords(gadgets[origin]) : `${strangers} messages ignored`);
    }
  }
}

/** @param {string} name */
const originOf = (name) => `http://${name}.localhost${location.port ? `:${location.port}` : ""}`;

/** @param {import("../sdk/gateway.js").GadgetCounters} counters */
function inWords({ accepted, delivered, withheld, refused }) {
  const refusals = Object.entries(refused).map(([code, count]) => `${count} × ${code}`);
  const parts = [`${accepted} accepted`, `${delivered} delivered`, ...(withheld ? [`${withheld} withheld`] : [])];
  return [...parts, refusals.length ? `refused: ${refusals.join(", ")}` : "none refused"].join(" · ");
}

const explanation = () =>
  element(
    "p",
    { class: "empty" },
    "Here stand sample gadgets in frames, each of an origin of its own. That takes names such as one.localhost, which " +
      "lead to this machine only: open the demo page of a bridge at http://localhost to see them.",
  );

/** Stands in for the SDK until it is there: as much of it as the gateway needs, and no reconnect. */
export async function connect({ url, workspace = "demo", app = "host" }) {
  const socket = new WebSocket(`${url}?workspace=${workspace}&app=${app}`, ["workspace-bridge.v1"]);
  const target = new EventTarget();
  const waiting = new Map();
  const subscriptions = new Set();
  const newId = () => crypto.randomUUID();
  const matches = (pattern, m) => pattern.split("/").every((part, n) => part === "*" || part === [m.channel, m.topic, m.subtopic][n]);
  const send = (m) => socket.send(JSON.stringify(m));
  const bridge = Object.assign(target, {
    state: "connecting",
    subscribe(patterns, listener, options = {}) {
      const subscription = { patterns: [patterns].flat(), listener, options, joined: false };
      subscriptions.add(subscription);
      bridge.request({ channel: "Bridge", topic: "Subscription", subtopic: "Subscribe", data: { patterns: subscription.patterns, echo: true } }, ({ data }) => {
        subscription.joined = true;
        options.onJoined?.({ recovered: false, again: false, epoch: data.epoch, offset: data.offset, messages: data.snapshot });
        data.snapshot.forEach((m) => listener(m, { via: "snapshot" }));
      });
      return () => subscriptions.delete(subscription);
    },
    request(m, then = () => {}) {
      const id = newId();
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve: (reply) => { then(reply); resolve(reply); }, reject });
        send({ ...m, id });
      });
    },
    publish(m) {
      const id = m.id ?? newId();
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve: ({ data }) => resolve({ ...data, id }), reject });
        send({ ...m, id });
      });
    },
    command(m) {
      const id = m.id ?? newId();
      const accepted = bridge.publish({ ...m, id });
      const ended = new Promise((resolve, reject) => {
        accepted.catch(reject);
        target.addEventListener("message", ({ detail: { message } }) => {
          if (message.topic === "Command" && message.correlationId === id) {
            if (message.subtopic === "Completed") resolve(message.data);
            else reject(Object.assign(new Error(), { code: message.subtopic === "Failed" ? "failed" : "timed_out", body: message.data }));
          }
        });
      });
      return Object.assign(ended, { id, accepted });
    },
  });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    target.dispatchEvent(new CustomEvent("message", { detail: { message, via: message.offset ? "live" : "control" } }));
    const asked = message.offset ? undefined : waiting.get(message.correlationId);
    waiting.delete(message.offset ? "" : message.correlationId);
    if (asked) {
      if (message.subtopic === "Rejected") asked.reject(Object.assign(new Error(), { code: message.data.code, body: message.data }));
      else asked.resolve(message);
    }
    if (message.offset) {
      for (const { patterns, listener, joined } of subscriptions) {
        if (joined && patterns.some((p) => matches(p, message))) listener(message, { via: "live" });
      }
    }
  };
  bridge.opened = await new Promise((resolve) => target.addEventListener("message", ({ detail }) => resolve(detail.message.data), { once: true }));
  bridge.state = "open";
  return bridge;
}

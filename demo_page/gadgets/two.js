/**
 * A gadget that asks its host page for a port, shows who calls, and publishes notes in a channel of its own.
 *
 * Nothing but web standards: no SDK, no connection, only messages to the page that it stands in.
 */

const PATTERNS = ["Cisco/InboundCall/InboundCallStateChange", "Notes/Caller/Written"];
const KEPT = 50;

const find = (id) => document.getElementById(id);
const button = document.querySelector("button");

/** @type {MessagePort | undefined} */
let port;
/** The caller of the latest call, and that call's id. */
let caller = "";
let callId = "";
/** @type {{caller: string, text: string}[]} */
let notes = [];

function message(address, data) {
  const [channel, topic, subtopic] = address.split("/");
  return { channel, topic, subtopic, data, id: crypto.randomUUID() };
}

/** The host page answers Hello with a port. Should it come again, the new port is the one that counts. */
addEventListener("message", ({ source, data, ports }) => {
  if (source === parent && data?.subtopic === "Welcome" && ports.length) {
    port?.close();
    [port] = ports;
    port.onmessage = (event) => take(event.data);
    port.postMessage(message("Bridge/Subscription/Subscribe", { patterns: PATTERNS, echo: true }));
  }
});

function take({ subtopic, data }) {
  switch (subtopic) {
    case "Subscribed":
      data.snapshot.forEach(take);
      break;
    case "InboundCallStateChange":
      showCall(data.call);
      break;
    case "Written":
      notes = [data, ...notes].slice(0, KEPT);
      showNotes();
      break;
    case "Accepted":
      find("told").textContent = "";
      break;
    case "Rejected":
      find("told").textContent = data.message;
      break;
  }
}

/** A consult call is the agent's own question, not a caller's. */
function showCall(call) {
  if (call.CallType === "CONSULT" || (call.ended && call.id !== callId)) {
    return;
  }
  callId = call.id;
  caller = call.ended ? "" : call.ResponseActual.dialog.fromAddress;
  find("caller").textContent = caller || "nobody";
  find("state").textContent = call.ended ? "–" : call.event;
  button.disabled = !caller;
  showNotes();
}

function showNotes() {
  const own = notes.filter((note) => note.caller === caller);
  find("notes").replaceChildren(...own.map(({ text }) => {
    const line = document.createElement("li");
    line.textContent = text;
    return line;
  }));
}

find("write").addEventListener("submit", (event) => {
  event.preventDefault();
  port?.postMessage(message("Notes/Caller/Written", { caller, text: find("text").value }));
  find("text").value = "";
});

parent.postMessage(message("Bridge/Gateway/Hello"), "*");

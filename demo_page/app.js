import { Activity } from "./activity.js";
import { adapterOf } from "./adapters.js";
import { Agent } from "./agent.js";
import { Bus } from "./bus.js";
import { Calls, isCallEvent } from "./calls.js";
import { Commands } from "./commands.js";
import { Desk } from "./desk.js";
import { find, show } from "./dom.js";
import { Header } from "./header.js";
import { Log } from "./log.js";
import { addressOf } from "./message.js";
import { Outside } from "./outside.js";
import { Tabs } from "./tabs.js";

/** The demo page: an ordinary gadget that subscribes to everything. Here its parts are put together. */

/** @typedef {import("./message.js").Message} Message */

const workspace = new URLSearchParams(location.search).get("workspace") || "demo";
const url = new URL("/ws", location.href);
url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
url.search = new URLSearchParams({ workspace, app: "demo-page" }).toString();

new Tabs(find("tabs", HTMLDivElement));
const bus = new Bus(url.href, ["*"], { line: showLine, control: takeControl, joined: join, live });
const calls = new Calls();
const commands = new Commands(bus, showCommands);
const header = new Header(workspace, () => bus.connect());
const desk = new Desk(calls, commands);
const outside = new Outside(calls, commands);
const agent = new Agent(find("agent", HTMLDivElement), find("sign-in", HTMLDivElement), commands);
const activity = new Activity(commands);
const log = new Log((id) => commands.isOwn(id));

/** Whether the line was open when its state was told last: a loss is logged once, not with each attempt. */
let wasOpen = false;

/** How far the bridge's clock is ahead of the page's, milliseconds. */
let ahead = 0;

/** @param {import("./bus.js").Line} line */
function showLine(line) {
  header.showLine(line);
  for (const part of document.querySelectorAll("#desk, #outside")) {
    part.toggleAttribute("inert", line.phase !== "open");
  }
  if (wasOpen && line.phase !== "open") {
    log.divide(`Connection lost: ${line.text}`);
  }
  wasOpen = line.phase === "open";
}

/** @param {Message} message */
function takeControl(message) {
  log.add(message, "control");
  commands.take(message);
  if (addressOf(message) === "Bridge/Session/Opened") {
    const { identity, server } = message.data;
    const adapter = adapterOf(server.adapter);
    header.greet(message.data, adapter);
    outside.fit(adapter);
    agent.fit(adapter);
    setExtension(identity.extension ?? "");
  }
}

/** @param {import("./bus.js").Joined} joined */
function join({ kind, again, sameEpoch, messages }) {
  if (again) {
    log.divide(kind === "recovered" ? `Connected again, ${messages.length} missed messages recovered`
      : "Connected again, but too much was missed: here is how things stand");
  }
  if (!sameEpoch) {
    log.beginEpoch();
  }
  if (kind === "snapshot") {
    calls.reset();
  }
  for (const message of messages) {
    take(message, kind);
  }
  if (again) {
    commands.inquire(sameEpoch);
  }
  header.showPosition(bus.position);
  showCalls();
}

/** @param {Message} message */
function live(message) {
  ahead = Date.parse(message.time ?? "") - Date.now() || ahead;
  const news = take(message, "live");
  if (news) {
    show(find("announcer", HTMLElement), news);
  }
  header.showPosition(bus.position);
  if (isCallEvent(message)) {
    showCalls();
  }
}

/**
 * @param {Message} message of the stream
 * @param {import("./row.js").Way} way
 * @returns {string} news of a call, in words
 */
function take(message, way) {
  log.add(message, way);
  commands.take(message);
  if (isCallEvent(message)) {
    return calls.take(message);
  }
  switch (addressOf(message)) {
    case "Cisco/Agent/SetAgentState":
      setExtension(message.data.extension);
      agent.showState(message.data.state, message.data.reasonCodeId);
      break;
    case "Cisco/Connection/SetConnectionStatus":
      header.showCallControl(message.data.status, message.data.reason);
      agent.offerSignIn(message.data.status === "signed_out", message.data.reason);
      break;
  }
  return "";
}

/** @param {string} extension */
function setExtension(extension) {
  calls.extension = extension;
  header.showExtension(extension);
}

function showCalls() {
  desk.update();
  outside.update();
  tick();
}

function showCommands() {
  desk.showPending();
  activity.update();
}

function tick() {
  desk.tick(Date.now() + ahead);
}

setInterval(tick, 1000);
bus.connect();

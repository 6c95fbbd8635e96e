import { connect } from "/sdk/workspace-bridge.js";
import { adapterOf } from "./bus/adapters.js";
import { Calls, isCallEvent } from "./bus/calls.js";
import { Commands } from "./bus/commands.js";
import { addressOf } from "./bus/message.js";
import { Composer } from "./composer/composer.js";
import { Connection, lineState, wantsToken } from "./connection/connection.js";
import { CuttableWebSocket } from "./connection/cut-line.js";
import { Header } from "./connection/header.js";
import { app, token, workspace } from "./connection/visit.js";
import { Activity } from "./desk/activity.js";
import { Agent } from "./desk/agent.js";
import { Desk } from "./desk/desk.js";
import { find, show } from "./dom.js";
import { FocusKeeper } from "./focus.js";
import { Gadgets } from "./gadgets.js";
import { Log } from "./log/log.js";
import { Outside } from "./outside.js";
import { Story } from "./story/story.js";
import { Tabs } from "./tabs.js";

/** The demo page: an ordinary widget on the SDK that subscribes to everything. Here its parts are put together. */

/** @typedef {import("./bus/message.js").Message} Message */
/** @typedef {import("../sdk/workspace-bridge.js").Bridge} Bridge */
/** @typedef {import("../sdk/workspace-bridge.js").StateChange} StateChange */
/** @typedef {import("../sdk/workspace-bridge.js").Joined} Joined */

const tabs = new Tabs(find("tabs", HTMLDivElement));
const calls = new Calls();
const commands = new Commands(showCommands);
const header = new Header(reconnect);
const connection = new Connection(reconnect);
const desk = new Desk(calls, commands);
const outside = new Outside(calls, commands);
const agent = new Agent(find("agent", HTMLDivElement), find("sign-in", HTMLDivElement), commands);
const activity = new Activity(commands);
const log = new Log((id) => commands.isOwn(id));
const focus = new FocusKeeper();

/** @type {Bridge | undefined} */
let bridge;

/** @type {StateChange["state"]} */
let state = "connecting";

/** Where the log ends: what is missing after it can be told. */
let logged = 0;

/** How far the bridge's clock is ahead of the page's, milliseconds. */
let ahead = 0;

/** After a close that is final the SDK does not come back: the page begins anew. */
function reconnect() {
  if (bridge && state !== "closed") {
    bridge.reconnect();
  } else {
    location.reload();
  }
}

/** @param {StateChange} change */
function changeState(change) {
  if (state === "open" && change.state !== "open") {
    log.divide(change.state === "connecting" ? "Connecting anew, on demand" : sentence(change.reason));
  }
  state = change.state;
  connection.showState(change);
  if (state !== "open") { // open it is for the page when it has seen the desk, see `join`
    showLine(change);
  }
  if (wantsToken(change)) {
    tabs.open("connection");
    connection.askForToken();
  }
}

/** @param {string} words */
function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {StateChange} change */
function showLine(change) {
  header.showLine(lineState(change));
  focus.keepWhile(() => {
    for (const part of document.querySelectorAll("#desk, #outside")) {
      part.toggleAttribute("inert", change.state !== "open");
    }
  });
}

/** @param {Bridge} opened */
function begin(opened) {
  bridge = opened;
  commands.over(bridge);
  bridge.addEventListener("message", ({ detail: { message, via } }) => via === "control" && takeControl(message));
  new Composer(find("composer", HTMLElement), bridge);
  new Story(find("story", HTMLElement), bridge);
  new Gadgets(find("gadgets", HTMLElement), bridge);
  takeControl({ channel: "Bridge", topic: "Session", subtopic: "Opened", data: bridge.opened }); // it came before all this
  bridge.subscribe("*", (message, { via }) => take(message, via), { echo: true, onJoined: join });
}

/** @param {Message} message */
function takeControl(message) {
  log.add(message, "control");
  if (addressOf(message) === "Bridge/Session/Opened") {
    greet(message.data);
  }
}

/** @param {any} opened the body of `Opened` */
function greet(opened) {
  const adapter = adapterOf(opened.server.adapter);
  header.greet(opened.workspace, adapter);
  connection.greet(opened);
  outside.fit(adapter);
  agent.fit(adapter);
  setExtension(opened.identity.extension ?? "");
}

/** @param {Joined} joined */
function join(joined) {
  if (joined.again) {
    tellOfRecovery(joined);
  }
  if (!joined.sameEpoch) {
    log.beginEpoch();
    logged = 0;
  }
  if (!joined.recovered) {
    calls.reset();
    showCalls();
  }
  showLine({ state: "open", reason: "" });
  showPosition();
}

/** @param {Joined} joined */
function tellOfRecovery({ recovered, sameEpoch, offset, messages }) {
  if (recovered) {
    log.divide(`Connected again, ${messages.length} missed messages recovered`);
    return;
  }
  const lost = sameEpoch ? `too much was missed: ${offset - logged} messages are not in the log`
    : "the bridge was restarted: its calls, and what was sent meanwhile, cannot be recovered";
  log.divide(`Connected again, but ${lost}. Here is how things stand`);
  header.showNotice(`Connected again, but ${lost}. The desk shows how things stand now.`);
}

/**
 * @param {Message} message of the stream
 * @param {import("./log/row.js").Way} way
 */
function take(message, way) {
  log.add(message, way);
  if (way === "live") {
    ahead = Date.parse(message.time ?? "") - Date.now() || ahead;
  }
  if (isCallEvent(message)) {
    takeCall(message, way);
  } else {
    takeState(message);
  }
  logged = message.offset ?? logged;
  showPosition();
}

/**
 * @param {Message} message a call event
 * @param {import("./log/row.js").Way} way
 */
function takeCall(message, way) {
  const news = calls.take(message);
  if (news && way === "live") {
    show(find("announcer", HTMLElement), news);
  }
  showCalls();
}

/** @param {Message} message */
function takeState(message) {
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
}

/** @param {string} extension */
function setExtension(extension) {
  calls.extension = extension;
  header.showExtension(extension);
}

function showPosition() {
  header.showOffset(bridge?.position?.offset);
  connection.showPosition(bridge?.position);
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
connect({ workspace: workspace || undefined, app, token: token() || undefined, WebSocket: CuttableWebSocket, onState: changeState })
  .then(begin, () => {}); // the state that was told says why

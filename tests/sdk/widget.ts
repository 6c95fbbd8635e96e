// A widget as its author would write it. `@ts-expect-error` marks what the types must catch.
import { BridgeError, connect, type MessageAt, type StateChange } from "../../sdk/workspace-bridge.js";

const bridge = await connect({
  workspace: "demo",
  app: "widget",
  token: async () => "token",
  onState: ({ state, causes = [] }: StateChange) => console.log(state, causes.join()),
});

const stop: () => void = bridge.subscribe("Cisco/InboundCall/InboundCallStateChange", (message, { via }) => {
  const event: string = message.data.call.event;
  const subtopic: "InboundCallStateChange" = message.subtopic;
  const way: "snapshot" | "recovered" | "live" = via;
  // @ts-expect-error there is no such field in a call event
  const wrong: string = message.data.call.ended.nothing;
  console.log(event, subtopic, way, wrong, message.offset + 1);
});

bridge.subscribe("Cisco/InboundCall", (message) => {
  if (message.subtopic === "SetCONSULT") {
    const to: string = message.data.toAddress;
    console.log(to);
  }
  // @ts-expect-error no message of this topic has that subtopic
  console.log(message.subtopic === "SetAgentState");
});

bridge.subscribe(["Notes", "Cisco/Agent/SetAgentState"], (message) => console.log(message.source), {
  echo: true,
  onJoined: ({ recovered, messages }) => console.log(recovered, messages.length),
});

const consult = { MediaAddress: "5069", CallID: "1", toAddress: "5070" };
const run = bridge.command({ channel: "Cisco", topic: "InboundCall", subtopic: "SetCONSULT", data: consult });
const id: string = run.id;
const { consultCall } = await run;
const offset: number | undefined = (await run.accepted).offset;

// @ts-expect-error toAddress is missing
await bridge.command({ channel: "Cisco", topic: "InboundCall", subtopic: "SetCONSULT", data: { MediaAddress: "1", CallID: "1" } });
// @ts-expect-error a call has an id, not a number
await bridge.command({ channel: "Cisco", topic: "InboundCall", subtopic: "SetHOLD", data: { MediaAddress: "1", CallID: 1 } });
// @ts-expect-error this is not the bridge's own channel
await bridge.request({ channel: "Cisco", topic: "Policy", subtopic: "Explain" });

await bridge.publish({ channel: "Notes", topic: "Pad", subtopic: "Written", data: { any: ["thing"] } });
await bridge.publish({ channel: "Cisco", topic: "Agent", subtopic: "SetReadyState" });

bridge.addEventListener("state", ({ detail }) => console.log(detail.retryInMs, id, consultCall, offset));
try {
  await bridge.close();
} catch (error) {
  if (error instanceof BridgeError && error.code === "offline") {
    console.log(error.temporary, error.body?.errors);
  }
}
export const handler = (message: MessageAt<"Cisco/Agent/SetAgentState">) => message.data;
stop();

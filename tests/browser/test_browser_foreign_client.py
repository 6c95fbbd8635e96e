"""A client that is none of ours: the browser's own WebSocket, in a page without a line of the project's code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from bridge.app import Bridge

MAIN_JOB = """async () => {
    const socket = new WebSocket(`ws://${location.host}/ws?workspace=demo&app=foreign`, ["workspace-bridge.v1"]);
    const messages = [];
    let wake = () => {};
    socket.onmessage = ({ data }) => { messages.push(JSON.parse(data)); wake(); };
    const closed = new Promise((resolve) => { socket.onclose = ({ code }) => resolve(code); });

    const first = async (wanted) => {
        for (;;) {
            const found = messages.find(wanted);
            if (found) return found;
            await new Promise((resolve) => { wake = resolve; });
        }
    };
    const send = (address, id, data) => {
        const [channel, topic, subtopic] = address.split("/");
        socket.send(JSON.stringify({ channel, topic, subtopic, id, data }));
    };
    const command = async (address, id, data) => {
        send(address, id, data);
        const ended = await first((each) => each.topic === "Command" && each.correlationId === id
            || each.subtopic === "Rejected" && each.correlationId === id);
        if (ended.subtopic !== "Completed") throw new Error(JSON.stringify(ended));
        return ended.data;
    };

    const opened = await first((each) => each.subtopic === "Opened");
    const MediaAddress = opened.data.identity.extension;
    send("Bridge/Subscription/Subscribe", "s1", { patterns: ["Cisco/InboundCall", "Bridge/Command"] });
    const { data: subscribed } = await first((each) => each.subtopic === "Subscribed");

    const { call: CallID } = await command("Simulator/Call/Offer", "offer", { fromAddress: "+15550100" });
    await command("Cisco/InboundCall/SetANSWER", "answer", { MediaAddress, CallID });
    const { consultCall } = await command("Cisco/InboundCall/SetCONSULT", "consult",
        { MediaAddress, CallID, toAddress: "5070" });
    await command("Simulator/Party/Answer", "party", { address: "5070" });
    await command("Cisco/InboundCall/SetCONFERENCE", "conference", { MediaAddress, CallID });
    await command("Cisco/InboundCall/SetDROP", "drop", { MediaAddress, CallID });
    socket.close(1000);
    return { protocol: socket.protocol, MediaAddress, CallID, consultCall, subscribed, messages, code: await closed };
}"""


async def test_a_bare_page_consults_confers_and_drops(bridge: Bridge, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(f"{bridge.http_url}/problems/")

    told = await page.evaluate(MAIN_JOB)

    assert told["protocol"] == "workspace-bridge.v1"
    assert told["MediaAddress"] == "5069"
    assert told["code"] == 1000
    events = [message["data"]["call"] for message in told["messages"] if message["topic"] == "InboundCall"]
    original = [call["event"] for call in events if call["id"] == told["CallID"]]
    assert original[:3] == ["alerting", "active", "held"]
    consult = [call for call in events if call["id"] == told["consultCall"]]
    assert consult[0]["CallType"] == "CONSULT"
    assert consult[0]["associatedCall"] == told["CallID"]
    ended = [call["id"] for call in events if call["ended"]]
    assert sorted(ended) == sorted([told["CallID"], told["consultCall"]])
    offsets = [message["offset"] for message in told["messages"] if "offset" in message]
    assert offsets == sorted(set(offsets))
    assert offsets[0] > told["subscribed"]["offset"]

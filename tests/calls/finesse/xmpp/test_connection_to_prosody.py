"""The client against a real server, over both transports."""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from typing import TYPE_CHECKING

import pytest
import uvloop
from pydantic import SecretStr

from bridge.calls.finesse.xml import element
from bridge.calls.finesse.xmpp import (
    Endpoint,
    Timing,
    XmppConflict,
    XmppLost,
    XmppRefused,
    XmppUnreachable,
    connect,
)
from bridge.finesse_simulator.certificates import make_certificates
from bridge.finesse_simulator.prosody import FINESSE_USER, Prosody
from tests.calls.finesse.xmpp.conftest import AGENTS
from tests.calls.finesse.xmpp.played import (
    LIMIT,
    PASSWORD,
    WIRES,
    Client,
    Component,
    Wire,
    end_of,
    first_message,
    nothing_left,
    open_sockets,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.calls.finesse.xmpp import XmppConnection
    from bridge.finesse_simulator.certificates import Certificates

on_both_wires = pytest.mark.parametrize("wire", WIRES)

UPDATE = "<Update><data><dialogs/></data><event>POST</event><note>&lt;a&gt; \u00e4 \U0001f600</note></Update>"


def notification(agent: str, payload: str = UPDATE) -> str:
    """What Finesse's pubsub service sends: the payload is text."""
    item = element("item", element("notification", payload, namespace="http://jabber.org/protocol/pubsub"), id="1")
    items = element("items", item, node=f"/finesse/api/User/{agent}/Dialogs")
    event = element("event", items, namespace="http://jabber.org/protocol/pubsub#event")
    return element("message", event, **{"from": "pubsub.localhost", "to": f"{agent}@localhost", "id": "m1"})


async def next_presence(connection: XmppConnection, sender: str) -> str:
    """The type of the next presence of that user: ``""`` for available."""
    async with asyncio.timeout(LIMIT):
        async for stanza in connection:
            if stanza.name == "presence" and stanza.attributes.get("from", "").startswith(f"{sender}@"):
                return stanza.attributes.get("type", "")
    raise AssertionError("it ended")


@on_both_wires
async def test_an_agent_connects_is_told_its_address_and_gets_a_notification_as_it_was_sent(
    prosody: Prosody, client: Client, wire: Wire
) -> None:
    connection = await client(client.endpoint(wire))
    assert connection.jid == "1001001@localhost/bridge"
    async with Component.of(prosody) as pubsub:
        pubsub.send(notification("1001001"))
        stanza = await first_message(connection)
    event = stanza.child("event")
    assert event is not None
    payload = event.children[0].children[0].child("notification")
    assert payload is not None
    assert payload.text == UPDATE
    await connection.close()
    await connection.close()
    assert isinstance(await end_of(connection), StopAsyncIteration)


@on_both_wires
async def test_a_wrong_password_is_refused_after_exactly_one_attempt(
    prosody: Prosody, client: Client, wire: Wire
) -> None:
    with pytest.raises(XmppRefused) as refused:
        await client(client.endpoint(wire), password="wrong")
    assert refused.value.condition == "not-authorized"
    log = prosody.log_file.read_text()
    assert log.count("Client connected") == 1
    assert "Authenticated as" not in log


@on_both_wires
async def test_a_second_session_with_the_same_resource_ends_the_first_with_a_conflict(
    prosody: Prosody, client: Client, wire: Wire
) -> None:
    first = await client(client.endpoint(wire))
    second = await client(client.endpoint("tcp" if wire == "websocket" else "websocket"))
    assert isinstance(await end_of(first), XmppConflict)
    assert isinstance(await end_of(first), XmppConflict)
    async with Component.of(prosody) as pubsub:
        pubsub.send(notification("1001001"))
        assert (await first_message(second)).name == "message"
    await first.close()
    await second.close()


@on_both_wires
async def test_two_resources_of_one_agent_live_side_by_side(prosody: Prosody, client: Client, wire: Wire) -> None:
    connections = [await client(client.endpoint(wire), resource=resource) for resource in ("a", "b")]
    async with Component.of(prosody) as pubsub:
        pubsub.send(notification("1001001"))
        for connection in connections:
            assert (await first_message(connection)).name == "message"
    for connection in connections:
        await connection.close()


@on_both_wires
async def test_a_killed_server_is_a_lost_connection(prosody: Prosody, client: Client, wire: Wire) -> None:
    connection = await client(client.endpoint(wire))
    await prosody.kill()
    lost = await end_of(connection)
    assert isinstance(lost, XmppLost)
    assert "connection" in str(lost)
    await connection.close()
    with pytest.raises(XmppUnreachable, match=r"no connection to localhost:\d+"):
        await client(client.endpoint(wire))
    await prosody.start()
    await (await client(client.endpoint(wire))).close()


@on_both_wires
async def test_a_server_that_stops_is_a_lost_connection(prosody: Prosody, client: Client, wire: Wire) -> None:
    connection = await client(client.endpoint(wire))
    stopping = asyncio.create_task(prosody.stop())
    assert isinstance(
        await end_of(connection), XmppLost
    )  # Prosody tells why, but does not always wait until it is sent
    await connection.close()
    await stopping


@on_both_wires
async def test_a_cut_socket_is_a_lost_connection_and_only_that_agents(
    prosody: Prosody, client: Client, wire: Wire
) -> None:
    connections = [await client(client.endpoint(wire), username=name) for name in ("1001001", "1001002")]
    assert await prosody.cut("1001001") == 1
    assert isinstance(await end_of(connections[0]), XmppLost)
    async with Component.of(prosody) as pubsub:
        pubsub.send(notification("1001002"))
        assert (await first_message(connections[1])).name == "message"
    for connection in connections:
        await connection.close()


@on_both_wires
async def test_the_presence_of_finesse_tells_agents_whether_it_is_there(
    prosody: Prosody, client: Client, wire: Wire
) -> None:
    agent = await client(client.endpoint(wire))
    assert await next_presence(agent, FINESSE_USER) == "unavailable"
    finesse = await client(
        client.endpoint(wire), username=FINESSE_USER, password=prosody.finesse_password, resource="app"
    )
    assert await next_presence(agent, FINESSE_USER) == ""
    assert await next_presence(finesse, "1001001") == ""
    await agent.close()
    assert await next_presence(finesse, "1001001") == "unavailable"
    again = await client(client.endpoint(wire))
    assert await next_presence(again, FINESSE_USER) == ""
    await finesse.close()
    assert await next_presence(again, FINESSE_USER) == "unavailable"
    await again.close()


@on_both_wires
async def test_pings_keep_a_quiet_connection_and_prosody_answers_them(client: Client, wire: Wire) -> None:
    connection = await client(client.endpoint(wire), timing=Timing(connect=LIMIT, ping=0.001, pong=LIMIT))
    reading = asyncio.create_task(end_of(connection))
    async with asyncio.timeout(LIMIT):
        while connection._stream._pings < 20:  # noqa: ASYNC110  # nobody is told of a ping
            await asyncio.sleep(0)
    assert not reading.done()
    await connection.close()
    assert isinstance(await reading, StopAsyncIteration)


@pytest.mark.parametrize("agents", [AGENTS], ids=["500"])
@on_both_wires
async def test_five_hundred_agents_connect_at_once_and_each_gets_its_own_notification(
    prosody: Prosody, client: Client, wire: Wire, agents: list[str]
) -> None:
    patient = Timing(connect=30, close=LIMIT)
    connections = await asyncio.gather(
        *(client(client.endpoint(wire), username=agent, timing=patient) for agent in agents)
    )
    async with Component.of(prosody) as pubsub:
        for agent in agents:
            pubsub.send(notification(agent, f"<Update>{agent}</Update>"))
        stanzas = await asyncio.gather(*(first_message(connection) for connection in connections))
    assert [stanza.attributes["to"] for stanza in stanzas] == [f"{agent}@localhost" for agent in agents]
    await asyncio.gather(*(connection.close() for connection in connections))


@on_both_wires
async def test_an_authority_that_is_not_known_is_told_with_the_setting_that_names_it(
    client: Client, wire: Wire, tmp_path: Path
) -> None:
    stranger = Client(make_certificates(tmp_path / "other"))
    with pytest.raises(XmppUnreachable, match=r"certificate that is not trusted .*FINESSE_CA_FILE"):
        await stranger(client.endpoint(wire))


@on_both_wires
async def test_a_certificate_of_another_host_is_not_trusted(client: Client, wire: Wire) -> None:
    elsewhere = Endpoint(client.endpoint(wire).url.replace("localhost", "127.0.0.2"))
    with pytest.raises(XmppUnreachable):
        await client(elsewhere)


async def test_a_path_where_no_xmpp_is_spoken_is_unreachable(client: Client) -> None:
    with pytest.raises(XmppUnreachable, match=r"localhost:\d+ answers HTTP 404 and opens no WebSocket"):
        await client(Endpoint(client.endpoint("websocket").url.replace("/ws/", "/elsewhere/")))


@on_both_wires
async def test_nothing_secret_is_logged_even_when_everything_is(
    client: Client, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, name)
    connection = await client(client.endpoint(wire))
    await connection.close()
    with pytest.raises(XmppRefused):
        await client(client.endpoint(wire), password="wrong-secret")
    told = caplog.text + repr(connection)
    for secret in (PASSWORD, "wrong-secret"):
        assert secret not in told
        assert base64.b64encode(f"\0001001001\0{secret}".encode()).decode() not in told


@on_both_wires
def test_the_same_on_uvloop_where_production_runs(tmp_path: Path, certificates: Certificates, wire: Wire) -> None:
    tls = ssl.create_default_context(cafile=str(certificates.ca_file))

    async def life() -> list[str]:
        ends: list[str] = []
        async with Prosody(directory=tmp_path, certificates=certificates, accounts={"a": PASSWORD}) as prosody:
            endpoint = Endpoint(prosody.tcp_url if wire == "tcp" else prosody.websocket_url)

            async def enter(password: str = PASSWORD) -> XmppConnection:
                return await connect(
                    endpoint, username="a", domain="localhost", secret=SecretStr(password), resource="r", tls=tls
                )

            async with nothing_left():
                first = await enter()
                second = await enter()
                ends.append(type(await end_of(first)).__name__)
                await second.close()
                ends.append(type(await end_of(second)).__name__)
                with pytest.raises(XmppRefused):
                    await enter("wrong")
                third = await enter()
                await prosody.kill()
                ends.append(type(await end_of(third)).__name__)
                with pytest.raises(XmppUnreachable):
                    await enter()
        return ends

    sockets = open_sockets()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(life()) == ["XmppConflict", "StopAsyncIteration", "XmppLost"]
    assert open_sockets() == sockets

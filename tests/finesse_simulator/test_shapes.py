"""The documents themselves: what stands where, in which order, in which case."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import httpx
from websockets import Subprotocol
from websockets.asyncio.client import connect

from tests.finesse_simulator.desks import CUSTOMER, signed_in, tls

if TYPE_CHECKING:
    from bridge.finesse_simulator.look_alike import FinesseLookAlike
    from tests.finesse_simulator.desks import AgentDesk

A = "1001001"
PUBSUB = "{http://jabber.org/protocol/pubsub}"
EVENT = "{http://jabber.org/protocol/pubsub#event}"
DIALOG = [
    "associatedDialogUri",
    "fromAddress",
    "id",
    "mediaProperties",
    "mediaType",
    "participants",
    "secondaryId",
    "state",
    "toAddress",
    "uri",
]


def names(element: ET.Element | None) -> list[str]:
    assert element is not None
    return [child.tag for child in element]


def read(response: httpx.Response) -> ET.Element:
    assert response.headers["content-type"] == "application/xml;charset=UTF-8"
    return ET.fromstring(response.text)  # noqa: S314 our own


async def test_stanza_is_a_pubsub_event_to_the_bare_jid_with_escaped_text(alice: AgentDesk) -> None:
    alice.finesse.offer(A, CUSTOMER, {"user.note": "<b> & ]]>"})
    await alice.until(lambda: alice.of_dialogs)
    told = alice.of_dialogs[0]
    stanza = told.stanza

    assert (stanza.get("from"), stanza.get("to")) == ("pubsub.finesse1.localhost", f"{A}@finesse1.localhost")
    assert (stanza.get("type"), [child.tag for child in stanza]) == (None, [f"{EVENT}event"])
    items = stanza.find(f"{EVENT}event/{EVENT}items")
    assert items is not None
    assert items.get("node") == f"/finesse/api/User/{A}/Dialogs"
    assert [item.get("id") is not None for item in items] == [True]
    notification = items.find(f"{EVENT}item/{PUBSUB}notification")
    assert names(notification) == []
    assert told.payload.startswith("<Update><data><dialogs><Dialog>")
    assert told.text(".//CallVariable[name='user.note']/value") == "<b> & ]]>"


async def test_first_and_last_are_lists_and_changes_are_single(alice: AgentDesk) -> None:
    call = await alice.in_a_call()
    alice.finesse.party_drop(CUSTOMER)
    await alice.until(lambda: alice.of_dialogs[-1].event == "DELETE")

    seen = {(told.event, told.kind, told.source) for told in alice.of_dialogs}
    assert seen == {
        ("POST", "dialogs", f"/finesse/api/User/{A}/Dialogs"),
        ("PUT", "dialog", f"/finesse/api/Dialog/{call}"),
        ("DELETE", "dialogs", f"/finesse/api/User/{A}/Dialogs"),
    }
    assert names(alice.of_dialogs[0].update) == ["data", "event", "requestId", "source"]


async def test_dialog_has_everything_in_alphabetical_order_and_what_is_empty_is_there(alice: AgentDesk) -> None:
    call = await alice.in_a_call()
    dialog = read(await alice.request("GET", f"/Dialog/{call}"))

    assert dialog.tag == "Dialog"
    assert names(dialog) == DIALOG
    media = names(dialog.find("mediaProperties"))
    assert media == sorted(media)
    assert {"DNIS", "callKeyCallId", "callType", "callvariables", "queueName", "wrapUpReason"} <= set(media)
    variables = [variable.findtext("name") for variable in dialog.iter("CallVariable")]
    assert variables == [f"callVariable{number}" for number in range(1, 11)]
    party = dialog.findall("participants/Participant")[1]
    assert names(party) == sorted(names(party))
    assert party.findtext("mediaAddressType") == "AGENT_DEVICE"
    assert dialog.findtext("participants/Participant/mediaAddressType") == ""
    assert dialog.findtext("mediaProperties/callType") == "PREROUTE_ACD_IN"


async def test_list_of_dialogs_is_empty_or_has_them_all(alice: AgentDesk) -> None:
    before = await alice.request("GET", f"/User/{A}/Dialogs")
    call = await alice.in_a_call()
    after = read(await alice.request("GET", f"/User/{A}/Dialogs"))

    assert before.text == "<Dialogs/>"
    assert after.tag == "Dialogs"
    assert [dialog.findtext("id") for dialog in after.findall("Dialog")] == [call]


async def test_user_reads_alike_over_rest_and_xmpp(alice: AgentDesk) -> None:
    user = read(await alice.request("GET", f"/User/{A}"))
    told = alice.of_user[-1]

    assert (told.event, told.source) == ("PUT", f"/finesse/api/User/{A}")
    noticed = told.update.find("data/user")
    assert noticed is not None
    assert [(child.tag, child.text) for child in noticed] == [(child.tag, child.text) for child in user]
    assert (user.tag, names(user)) == ("User", sorted(names(user)))
    values = {name: user.findtext(name) for name in ("loginId", "loginName", "extension", "state", "pendingState")}
    assert values == {"loginId": A, "loginName": "agent1", "extension": A, "state": "NOT_READY", "pendingState": ""}


async def test_system_info_needs_no_credentials_and_names_the_domains(finesse: FinesseLookAlike) -> None:
    async with httpx.AsyncClient(verify=tls(finesse)) as client:
        info = read(await client.get(f"{finesse.rest_urls[0]}/finesse/api/SystemInfo"))

    found = {name: info.findtext(name) for name in ("status", "deploymentType", "xmppDomain", "xmppPubSubDomain")}
    assert found == {
        "status": "IN_SERVICE",
        "deploymentType": "UCCE",
        "xmppDomain": "finesse1.localhost",
        "xmppPubSubDomain": "pubsub.finesse1.localhost",
    }


async def test_express_names_call_types_and_lacks_the_call_key(express: FinesseLookAlike) -> None:
    async with signed_in(express) as alice:
        call = express.offer(A, CUSTOMER)
        dialog = read(await alice.request("GET", f"/Dialog/{call}"))

    assert dialog.findtext("mediaProperties/callType") == "ACD_IN"
    assert dialog.find("mediaProperties/callKeyCallId") is None


async def test_path_that_finesse_lacks_is_not_found(alice: AgentDesk) -> None:
    assert (await alice.request("GET", "/Nonsense")).status_code == 404
    assert (await alice.request("DELETE", f"/User/{A}")).status_code == 405


async def test_websocket_port_speaks_xmpp(finesse: FinesseLookAlike) -> None:
    opening = '<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="finesse1.localhost" version="1.0"/>'
    url = finesse.xmpp_urls[0]
    async with connect(url, ssl=tls(finesse), subprotocols=[Subprotocol("xmpp")], proxy=None) as socket:
        await socket.send(opening)
        opened, features = [ET.fromstring(await socket.recv()) for _ in range(2)]  # noqa: S314 our own

    assert opened.get("from") == "finesse1.localhost"
    assert [mechanism.text for mechanism in features.iter("{urn:ietf:params:xml:ns:xmpp-sasl}mechanism")] == ["PLAIN"]

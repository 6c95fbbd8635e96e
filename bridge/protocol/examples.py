"""An example body for every message of the catalogue, as the schemas, the AsyncAPI document and the docs show them.

They tell one story: the customer +15550100 calls agent 5069, who consults 5070 about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.protocol import cisco, control, simulator
from bridge.protocol.catalogue import Kind

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bridge.protocol.catalogue import Entry

_AGENT, _COLLEAGUE, _CUSTOMER = "5069", "5070", "+15550100"
_CALL, _CONSULT_CALL = "16786021", "16786022"
_TIME = "2025-03-04T09:30:00.250Z"
_EPOCH = "h2Vd90sKqLr4TzWc"
_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqZG9lIn0.c2lnbmF0dXJl"  # noqa: S105 an example
_CONSULT = "Cisco/InboundCall/SetCONSULT"
_ON_CALL = {"MediaAddress": _AGENT, "CallID": _CALL}
_TO_COLLEAGUE = {"MediaAddress": _AGENT, "toAddress": _COLLEAGUE, "CallID": _CALL}


def _party(address: str, state: str, *actions: str, agent: bool = False) -> dict[str, Any]:
    return {
        "actions": {"action": list(actions)},
        "mediaAddress": address,
        "mediaAddressType": "AGENT_DEVICE" if agent else "",
        "startTime": _TIME,
        "state": state,
        "stateCause": "",
        "stateChangeTime": _TIME,
    }


def _call_event(call_type: str, from_address: str, to_address: str) -> dict[str, Any]:
    """Give the event of a call in which the agent talks with the customer."""
    actions = ["HOLD", "CONSULT_CALL", "TRANSFER_SST", "SEND_DTMF", "UPDATE_CALL_DATA", "DROP"]
    dialog = {
        "associatedDialogUri": "",
        "fromAddress": from_address,
        "id": _CALL,
        "secondaryId": None,
        "mediaType": "Voice",
        "mediaProperties": {
            "callType": call_type,
            "dialedNumber": to_address,
            "DNIS": to_address,
            "callvariables": {"callVariable1": "gold"},
        },
        "participants": [_party(_CUSTOMER, "ACTIVE"), _party(_AGENT, "ACTIVE", *actions, agent=True)],
        "state": "ACTIVE",
        "toAddress": to_address,
        "uri": f"/finesse/api/Dialog/{_CALL}",
    }
    return {
        "source": "event",
        "call": {
            "id": _CALL,
            "event": "active",
            "CallType": call_type,
            "ResponseType": 0,
            "ResponseText": "Success",
            "ActionsAllowed": [
                "SetHOLD",
                "SetCONSULT",
                "SetTRANSFER_SST",
                "SetSEND_DTMF",
                "SetUPDATE_CALL_DATA",
                "SetDROP",
            ],
            "associatedCall": None,
            "secondaryId": None,
            "ended": False,
            "ResponseActual": {"dialog": dialog},
        },
    }


_BODIES: dict[type[BaseModel], Any] = {
    control.Subscribe: {"patterns": ["Cisco/InboundCall", "Bridge/Command"]},
    control.Subscribed: {
        "patterns": ["Cisco/InboundCall", "Bridge/Command"],
        "epoch": _EPOCH,
        "offset": 42,
        "snapshot": [],
    },
    control.Unsubscribe: {"patterns": ["Cisco/InboundCall"]},
    control.Unsubscribed: {"patterns": ["Cisco/InboundCall"]},
    control.Status: {"id": "consult-1"},
    control.StatusReply: {"known": True, "offset": 43},
    control.Opened: {
        "protocol": control.SUBPROTOCOL,
        "session": "fQ7cXnB2mYt8RkLw",
        "workspace": "demo",
        "identity": {"subject": None, "app": "my-gadget", "extension": _AGENT},
        "heartbeatSeconds": 25,
        "limits": {"messageBytes": 65536, "messagesPerSecond": 50, "subscriptions": 128},
        "server": {"version": "0.1.0", "adapter": "simulator"},
    },
    control.Open: {"token": _TOKEN},
    control.Refresh: {"token": _TOKEN},
    control.Refreshed: {"expiresInSeconds": 28800, "ended": []},
    control.Explain: {"action": "publish", "address": _CONSULT},
    control.Explained: {
        "allowed": False,
        "rule": "supervisor-no-commands",
        "tried": [
            "bridge-only",
            "notice-free-channel",
            "sign-in-unencrypted",
            "loopback",
            "command-own-workspace",
            "supervisor-no-commands",
        ],
    },
    control.Heartbeat: {"epoch": _EPOCH, "offset": 42},
    control.Accepted: {"offset": 43, "duplicate": False, "warnings": []},
    control.Rejected: {
        "code": "invalid_data",
        "message": "toAddress is required",
        "temporary": False,
        "address": _CONSULT,
        "errors": [
            {
                "pointer": "/data/toAddress",
                "code": "missing",
                "message": "toAddress is required",
                "hint": "the number or extension to call",
            }
        ],
    },
    control.Completed: {"address": _CONSULT, "call": _CALL, "consultCall": _CONSULT_CALL},
    control.Failed: {
        "address": _CONSULT,
        "call": _CALL,
        "errorType": "Invalid Destination",
        "message": "5091 could not be called: BAD_DESTINATION",
        "cause": "BAD_DESTINATION",
    },
    control.TimedOut: {"address": _CONSULT, "call": _CALL, "afterMs": 30000},
    cisco.SetConsult: _TO_COLLEAGUE,
    cisco.SetConference: _ON_CALL,
    cisco.SetTransfer: _ON_CALL,
    cisco.SetTransferSingleStep: _TO_COLLEAGUE,
    cisco.SetAnswer: _ON_CALL,
    cisco.SetHold: _ON_CALL,
    cisco.SetRetrieve: _ON_CALL,
    cisco.SetDrop: _ON_CALL,
    cisco.SetSendDtmf: {**_ON_CALL, "digits": "42#"},
    cisco.SetMakeCall: {"toAddress": _CUSTOMER},
    cisco.SetUpdateCallData: {"CallID": _CALL, "callVariables": {"callVariable1": "gold", "user.orderNumber": "4711"}},
    cisco.SetUserInfo: {"username": "jdoe", "password": "correct horse battery staple", "extension": "5064"},
    cisco.SetReadyState: {},
    cisco.SetNotReadyState: {"ReasonCodeId": "28"},
    cisco.GetAgentState: {},
    cisco.Logout: {"ReasonCodeId": "28"},
    cisco.CallStateChange: _call_event("PREROUTE_ACD_IN", _CUSTOMER, _AGENT),
    cisco.AgentState: {
        "loginId": "demo",
        "loginName": "demo",
        "extension": _AGENT,
        "firstName": "",
        "lastName": "",
        "teamName": "",
        "roles": ["Agent"],
        "state": "READY",
        "reasonCodeId": None,
        "stateChangeTime": _TIME,
    },
    cisco.ConnectionStatus: {"status": "connected", "since": _TIME},
    cisco.ApiError: {
        "packet": "apierror",
        "data": {
            "errorType": "Invalid Destination",
            "errorMessage": "5091 could not be called: BAD_DESTINATION",
            "msg": "5091 could not be called: BAD_DESTINATION",
        },
    },
    simulator.Offer: {"fromAddress": _CUSTOMER, "variables": {"callVariable1": "gold"}},
    simulator.PartyAnswer: {"address": _COLLEAGUE},
    simulator.PartyDrop: {"address": _COLLEAGUE},
}

FREE: dict[str, Any] = {
    "channel": "Notes",
    "topic": "Customer",
    "subtopic": "Opened",
    "data": {"customer": "4711"},
    "id": "note-1",
}
"""A message of a free channel, as a gadget sends it."""

DELIVERED: dict[str, Any] = FREE | {"source": "my-gadget", "time": _TIME, "offset": 45}
"""The same as its subscribers get it."""

_CAUSES = {
    control.OPENED: None,
    control.HEARTBEAT: None,
    control.SUBSCRIBED: "subscribe-1",
    control.UNSUBSCRIBED: "unsubscribe-1",
    control.STATUS: "status-1",
    control.REFRESHED: "refresh-1",
    control.EXPLAINED: "explain-1",
    cisco.AGENT_STATE: "readystate-1",
    cisco.CONNECTION_STATUS: None,
}
"""Which message was the reason for one that the bridge sends, where it was not the consult."""


def message(entry: Entry) -> dict[str, Any]:
    """Give a whole message with that address, as its sender sends it."""
    channel, topic, subtopic = entry.address
    address: dict[str, Any] = {"channel": channel, "topic": topic, "subtopic": subtopic}
    if entry.from_client:
        return address | {"data": _body(entry), "id": f"{subtopic.removeprefix('Set').lower()}-1"}
    cause = _CAUSES.get(entry.address, "consult-1")
    correlation = {"correlationId": cause} if cause is not None else {}
    if entry.kind is Kind.REPLY:
        return address | correlation | {"data": _body(entry)}
    stamps = {"id": "Zr5uQm1xJpYd3HvE", "time": _TIME, "offset": 44}
    return address | {"source": "workspace-bridge", "data": _body(entry)} | stamps | correlation


def _body(entry: Entry) -> Any:
    if entry.address == cisco.OUTBOUND_EVENT:
        return _call_event("OUT", _AGENT, _CUSTOMER)
    return _BODIES[entry.body]

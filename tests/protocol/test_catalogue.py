from __future__ import annotations

import re
from typing import Any

import pytest

from bridge.protocol import cisco, control
from bridge.protocol.address import Address
from bridge.protocol.catalogue import BY_ADDRESS, CHANNELS, ENTRIES, Kind, Retention, retention
from bridge.protocol.errors import Code
from tests.protocol.wire import CONSULT, checked, pointers, refused, text

ON_CALL = {"MediaAddress": "5069", "CallID": "1"}

CALL_COMMANDS: dict[str, dict[str, Any]] = {
    "SetCONSULT": CONSULT,
    "SetCONFERENCE": ON_CALL,
    "SetTRANSFER": ON_CALL,
    "SetTRANSFER_SST": CONSULT,
    "SetANSWER": ON_CALL,
    "SetHOLD": ON_CALL,
    "SetRETRIEVE": ON_CALL,
    "SetDROP": ON_CALL,
    "SetSEND_DTMF": {**ON_CALL, "digits": "1#*A"},
    "SetMakeCall": {"toAddress": "5070"},
    "SetUPDATE_CALL_DATA": {"CallID": "1", "callVariables": {"callVariable1": "x"}},
}

COMMANDS: dict[str, Any] = {
    **{
        f"Cisco/{topic}/{name}": data
        for topic in ("InboundCall", "OutboundCall")
        for name, data in CALL_COMMANDS.items()
    },
    "Cisco/Agent/SetUserInfo": {"username": "a", "password": "b", "extension": "5069"},
    "Cisco/Agent/SetReadyState": {},
    "Cisco/Agent/SetNotReadyState": {},
    "Cisco/Agent/GetAgentState": {},
    "Cisco/Connection/Logout": {},
    "Simulator/Call/Offer": {"fromAddress": "+15550100"},
    "Simulator/Party/Answer": {"address": "5070"},
    "Simulator/Party/Drop": {"address": "5070"},
}

EVENTS = [
    "Cisco/InboundCall/InboundCallStateChange",
    "Cisco/OutboundCall/OutBoundCallStateChange",
    "Cisco/Agent/SetAgentState",
    "Cisco/Connection/SetConnectionStatus",
    "Cisco/Error/SetAPIError",
    "Bridge/Command/Completed",
    "Bridge/Command/Failed",
    "Bridge/Command/TimedOut",
]

REPLIES = [
    "Bridge/Session/Opened",
    "Bridge/Session/Heartbeat",
    "Bridge/Subscription/Subscribed",
    "Bridge/Subscription/Unsubscribed",
    "Bridge/Message/Accepted",
    "Bridge/Message/Rejected",
]

NOT_SUPPORTED = [
    "InboundCall/SetBARGE CALL",
    "OutboundCall/SetREJECT",
    "OutboundCall/SetCLOSE",
    "OutboundCall/SetUPDATE_SCHEDULED_CALLBACK",
    "Call/CallsStateChange",
    "Call/GetAppState",
    "General/GetAppState",
    "Agent/WrapUpCall",
    "Agent/UpdateCallVariables",
    "Agent/GetWrapupReasonCode",
    "Agent/SetWrapupCode",
    "Agent/GetPhoneDirectory",
    "Agent/SetPhoneDirectory",
    "Agent/SetPhoneBook",
    "Agent/SetMRDList",
    "Agent/GetMedia",
    "Agent/SetSystemInfo",
    "Agent/SetMappedMRD",
    "Agent/Map",
    "Agent/SetLogOutReasonCodes",
    "Agent/SetNotReadyReasonCodes",
    "Agent/Login",
    "Connection/ReInit",
    "Connection/OpenConnection",
    "Team/SetTeamAgentNotReadyState",
    "Team/SetTeamAgentLogout",
    "Team/SetSilentMonitoring",
    "Agent/SetSilentMonitoring",
    "Team/SetDropParticipant",
]


def addresses(*kinds: Kind) -> set[str]:
    return {str(entry.address) for entry in ENTRIES if entry.kind in kinds}


def test_catalogue_has_the_documented_commands_and_no_other() -> None:
    assert addresses(Kind.COMMAND) == set(COMMANDS)


def test_catalogue_has_the_documented_events_and_no_other() -> None:
    assert addresses(Kind.EVENT) == set(EVENTS)


def test_catalogue_channels() -> None:
    assert frozenset({"Bridge", "Cisco", "Simulator"}) == CHANNELS


def test_status_is_found_as_the_question() -> None:
    assert BY_ADDRESS[control.STATUS].kind is Kind.CONTROL


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.address} {entry.kind.value}")
def test_every_command_and_control_message_names_its_replies(entry: Any) -> None:
    assert (control.REJECTED in entry.replies) is entry.from_client
    assert set(entry.replies) >= (control.OUTCOMES if entry.kind is Kind.COMMAND else set())


@pytest.mark.parametrize(("address", "data"), COMMANDS.items())
def test_command_that_is_right(address: str, data: Any) -> None:
    message, body = checked(text(address, data), strict=True)

    assert str(message.address) == address
    assert message.data == data
    assert body is not None
    assert isinstance(body, BY_ADDRESS[message.address].body)


@pytest.mark.parametrize(("address", "data"), [(a, d) for a, d in COMMANDS.items() if d])
def test_command_lacking_a_field_names_it(address: str, data: dict[str, Any]) -> None:
    for field in data:
        rejection = refused(text(address, {key: value for key, value in data.items() if key != field}))

        assert rejection.code is Code.INVALID_DATA
        (error,) = rejection.errors
        assert error.pointer in {f"/data/{field}", "/data"}


@pytest.mark.parametrize(("address", "data"), COMMANDS.items())
def test_command_with_an_unknown_field_is_refused(address: str, data: dict[str, Any]) -> None:
    rejection = refused(text(address, {**data, "zzz": 1}))

    assert rejection.code is Code.INVALID_DATA
    assert pointers(rejection) == ["/data/zzz"]
    assert rejection.errors[0].code == "unknown"


@pytest.mark.parametrize("address", [address for address, data in COMMANDS.items() if not data])
@pytest.mark.parametrize("written", ['"data":null', '"data":{}', '"id":"x"'])
def test_command_without_required_fields_needs_no_data(address: str, written: str) -> None:
    channel, topic, subtopic = address.split("/")

    message, _ = checked(f'{{"channel":"{channel}","topic":"{topic}","subtopic":"{subtopic}",{written}}}')

    assert message.data == {}


@pytest.mark.parametrize("data", [None, [], "text", 5, True, [CONSULT]])
def test_command_whose_data_is_no_object(data: Any) -> None:
    rejection = refused(text("Cisco/InboundCall/SetCONSULT", data))

    assert rejection.code is Code.INVALID_DATA
    assert [error[:3] for error in rejection.errors] == [("/data", "wrong_type", "data must be an object")]


def test_command_with_every_field_wrong_tells_all_of_them() -> None:
    rejection = refused(text("Cisco/InboundCall/SetCONSULT", {"MediaAddress": "", "CallID": "a b", "to": "5070"}))

    assert {(error.pointer, error.code) for error in rejection.errors} == {
        ("/data/MediaAddress", "wrong_format"),
        ("/data/CallID", "wrong_format"),
        ("/data/toAddress", "missing"),
        ("/data/to", "unknown"),
    }


def test_command_with_hundreds_of_fields_is_answered_briefly() -> None:
    rejection = refused(text("Cisco/InboundCall/SetCONSULT", {f"k{number}": 1 for number in range(5000)}))

    assert [error.to_json() for error in rejection.errors] == [
        {"pointer": "/data", "code": "too_many", "message": "more than 32 fields"}
    ]


def test_doubled_key_in_an_open_object_is_pointed_to_in_the_repaired_message() -> None:
    rejection = refused(
        '{"channel":"Cisco","topic":"InboundCall","subtopic":"SetUPDATE_CALL_DATA",'
        '"data":{"CallID":"1","CALLVARIABLES ":{"My Key ":"1","My Key ":"2"}}}'
    )

    assert rejection.code is Code.INVALID_DATA
    assert pointers(rejection) == ["/data/callVariables/My Key "]


@pytest.mark.parametrize("address", [*EVENTS, *REPLIES])
def test_what_only_the_bridge_sends_is_refused(address: str) -> None:
    rejection = refused(text(address, {"any": "thing"}))

    assert rejection.code is Code.RESERVED_CHANNEL
    assert rejection.message == f"{address} is sent by the bridge only"


def test_what_only_the_bridge_sends_is_refused_in_any_case() -> None:
    assert refused(text("Cisco/inboundcall/INBOUNDCALLSTATECHANGE")).code is Code.RESERVED_CHANNEL


@pytest.mark.parametrize("address", ["Bridge/Subscription/Subscribes", "Bridge/x/y", "Bridge/Session/Close"])
def test_bridge_message_that_is_no_control_message_is_reserved(address: str) -> None:
    rejection = refused(text(address))

    assert rejection.code is Code.RESERVED_CHANNEL
    assert rejection.message == f"{address} is no control message"


@pytest.mark.parametrize(
    ("address", "suggestion"),
    [
        ("Cisco/InboundCall/SetCONSUL", "Cisco/InboundCall/SetCONSULT"),
        ("Cisco/InboundCalls/SetHOLD", "Cisco/InboundCall/SetHOLD"),
        ("Cisco/Outbound/SetDROP", "Cisco/OutboundCall/SetDROP"),
        ("Cisco/Agent/SetReady", "Cisco/Agent/SetReadyState"),
        ("Simulator/Calls/Offer", "Simulator/Call/Offer"),
        ("cisco/InboundCall/SetCONSULT", "Cisco/InboundCall/SetCONSULT"),
        ("CIS-CO/InboundCall/SetCONSULT", "Cisco/InboundCall/SetCONSULT"),
        ("C i s_c o/inboundcall/setconsult", "Cisco/InboundCall/SetCONSULT"),
        ("bridge/Subscription/Subscribe", "Bridge/Subscription/Subscribe"),
        ("SIMULATOR/Party/Drop", "Simulator/Party/Drop"),
    ],
)
def test_address_that_nearly_is_one_gets_a_suggestion(address: str, suggestion: str) -> None:
    rejection = refused(text(address, {}))

    assert rejection.code is Code.UNKNOWN_ADDRESS
    assert rejection.details["suggestion"] == suggestion


def test_suggestion_is_always_something_that_a_client_may_send() -> None:
    for address in [*EVENTS, *REPLIES]:
        channel, topic, subtopic = address.split("/")
        rejection = refused(text(f"{channel.lower()}/{topic}/{subtopic}"))

        near = rejection.details.get("suggestion")
        assert near is None or BY_ADDRESS[Address.parse(near)].from_client


def test_address_that_is_near_nothing_gets_no_suggestion() -> None:
    assert refused(text("Cisco/" + "y" * 64 + "/" + "x" * 64)).details == {}


@pytest.mark.parametrize("family", NOT_SUPPORTED)
def test_other_messages_of_the_documented_family_are_not_supported(family: str) -> None:
    rejection = refused(text(f"Cisco/{family}", {"CallID": "1"}))

    assert rejection.code is Code.UNKNOWN_ADDRESS
    assert re.match("not supported: ", rejection.details["hint"])


@pytest.mark.parametrize(
    "address", ["Gadget/a/b", "Finesse/OutboundCall/MakeCall", "Ciscos/a/b", "Cis.co/a/b", "_/a/b"]
)
def test_channel_that_is_not_in_the_catalogue_is_free(address: str) -> None:
    message, body = checked(text(address, {"any": ["thing"]}))

    assert (str(message.address), message.data, body) == (address, {"any": ["thing"]}, None)


def test_free_channels_can_be_switched_off() -> None:
    rejection = refused(text("Gadget/a/b"), open_channels=False)

    assert rejection.code is Code.UNKNOWN_ADDRESS
    assert "suggestion" not in rejection.details
    assert checked(text("Cisco/Agent/SetReadyState"), open_channels=False)[1] is not None


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ('{"channel":"Bridge","topic":"x","subtopic":"y","data":NaN,"z":1}', Code.MALFORMED_JSON),
        ('{"channel":"Bridge","topic":"x","subtopic":"y","z":1}', Code.INVALID_ENVELOPE),
        ('{"channel":"Bridge","topic":"x","subtopic":"y","data":{"a":1,"a":1}}', Code.RESERVED_CHANNEL),
        ('{"channel":"Cisco","topic":"x","subtopic":"y","data":{"a":1,"a":1}}', Code.UNKNOWN_ADDRESS),
        ('{"channel":"Cisco","topic":"Agent","subtopic":"GetAgentState","data":{"a":1,"a":1}}', Code.INVALID_DATA),
    ],
)
def test_the_first_check_that_fails_answers(wrong: str, code: Code) -> None:
    assert refused(wrong).code is code


@pytest.mark.parametrize("address", [cisco.INBOUND_EVENT, cisco.OUTBOUND_EVENT])
@pytest.mark.parametrize("ended", [False, True])
def test_call_events_are_retained_per_call_until_it_ends(address: Address, *, ended: bool) -> None:
    assert retention(address, {"call": {"id": "16786021", "ended": ended}}) == Retention("call 16786021", not ended)


@pytest.mark.parametrize("address", [cisco.AGENT_STATE, cisco.CONNECTION_STATUS])
def test_state_of_agent_and_connection_is_retained(address: Address) -> None:
    assert retention(address, {}) == Retention(str(address), keep=True)


@pytest.mark.parametrize("address", [cisco.API_ERROR, control.COMPLETED, control.FAILED, control.TIMED_OUT])
def test_other_events_are_not_retained(address: Address) -> None:
    assert retention(address, {}) is None


def test_what_brings_a_password_or_a_token_is_secret() -> None:
    secret = [str(entry.address) for entry in ENTRIES if entry.secret]

    assert secret == ["Bridge/Session/Open", "Bridge/Session/Refresh", "Cisco/Agent/SetUserInfo"]

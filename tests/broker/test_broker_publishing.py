from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, Any

import pytest

from bridge.broker.broker import random_id
from bridge.broker.clock import SystemClock
from bridge.broker.gate import Command, NoCallControl
from bridge.broker.identity import Identity
from bridge.broker.observer import Silent
from bridge.protocol.address import Address
from bridge.protocol.cisco import AGENT_STATE, SetHold
from bridge.protocol.errors import Code, Rejection
from bridge.protocol.repair import Warn
from tests.broker.bus import CREDENTIALS, HOLD, ON_CALL, OWN_GADGETS, SIGN_IN, Bus, name, names, written

if TYPE_CHECKING:
    from bridge.protocol.catalogue import Entry
    from bridge.protocol.message import Message

GUEST = Identity(app="server")


class Diary(Silent):
    """Writes down what the broker tells."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []

    def session_opened(self, session: Any) -> None:
        self.lines.append(("opened", session.id))

    def session_closed(self, session: Any, code: int, reason: str, seconds: float) -> None:
        self.lines.append(("closed", code, reason, seconds, session.received, str(session.last_address)))

    def published(self, address: Address, entry: Entry | None, recipients: int) -> None:
        self.lines.append(("published", str(address), entry is not None, recipients))

    def rejected(self, workspace: str, identity: Identity, rejection: Rejection, message: Message | None) -> None:
        del message
        self.lines.append(("rejected", workspace, identity.app, rejection.code.value))


def test_publish_delivers_the_whole_message_to_who_subscribed() -> None:
    bus = Bus()
    reader, sender = bus.join(), bus.join(app="notes")
    reader.subscribe("Gadget")

    sender.say("Gadget/notes/Changed", {"n": 1}, id="n-1")

    assert reader.read() == [
        {
            "channel": "Gadget",
            "topic": "notes",
            "subtopic": "Changed",
            "source": "notes",
            "data": {"n": 1},
            "id": "n-1",
            "time": "2026-01-01T00:00:40.000Z",
            "offset": 1,
        }
    ]


def test_publish_fills_what_the_sender_left_out_and_overwrites_what_is_not_the_senders() -> None:
    bus = Bus()
    reader, sender = bus.join(), bus.join()
    reader.subscribe("*")

    bus.broker.receive(
        sender.session,
        '{"channel":"Gadget","topic":"a","subtopic":"b","source":"me","time":"x","offset":99,"correlationId":"y"}',
    )

    (message,) = reader.read()
    assert (message["source"], message["data"], message["offset"]) == ("me", None, 1)
    assert message["id"].startswith("new")
    assert message["time"].startswith("2026-")
    assert "correlationId" not in message


def test_publish_without_an_id_is_not_answered() -> None:
    widget = Bus().join()

    widget.say("Gadget/a/b")

    assert widget.read() == []


def test_publish_with_an_id_is_accepted_at_its_offset() -> None:
    widget = Bus().join()
    widget.say("Gadget/a/b")

    accepted = widget.ask("Gadget/a/b", id="m1")

    assert accepted == {
        "channel": "Bridge",
        "topic": "Message",
        "subtopic": "Accepted",
        "correlationId": "m1",
        "data": {"offset": 2, "duplicate": False, "warnings": []},
    }


def test_publish_tells_repairs_and_delivers_the_canonical_form() -> None:
    bus = Bus()
    widget, reader = bus.join(), bus.join()
    reader.subscribe("*")

    accepted = widget.ask("Cisco/inboundcall/SetHOLD", {"MediaAddress ": 5069, "CallID": "1"}, id="m1")

    assert [warning["pointer"] for warning in accepted["data"]["warnings"]] == [
        "/topic",
        "/data/MediaAddress ",
        "/data/MediaAddress",
    ]
    (command,) = reader.read()
    assert (name(command), command["data"]) == (HOLD, ON_CALL)


def test_publish_never_leaves_its_workspace() -> None:
    bus = Bus()
    other = bus.join("other")
    other.subscribe("*")

    bus.join("demo").say("Gadget/a/b")

    assert other.read() == []
    assert other.subscribe("*")["offset"] == 0


def test_echo_comes_after_the_reply_and_only_to_who_asked_for_it() -> None:
    bus = Bus()
    echoing, silent = bus.join(), bus.join()
    echoing.subscribe("Gadget", echo=True)
    silent.subscribe("Gadget")

    echoing.say("Gadget/a/b", id="e")
    silent.say("Gadget/a/b", id="s")

    assert names(echoing.read()) == ["Accepted", "b", "b"]
    assert names(silent.read()) == ["b", "Accepted"]


def test_echo_is_what_was_said_last() -> None:
    widget = Bus().join()
    for echo, expected in ((True, ["b"]), (None, ["b"]), (False, []), (None, [])):
        widget.subscribe("Gadget", **({} if echo is None else {"echo": echo}))

        widget.say("Gadget/a/b")

        assert names(widget.read()) == expected


def test_command_passes_the_gate_and_is_taken_on_after_it_was_delivered() -> None:
    bus = Bus()
    sender, reader = bus.join(), bus.join()
    reader.subscribe("Cisco")
    seen: list[list[str]] = []
    bus.gate.take = lambda command: seen.append([*names(sender.read()), *names(reader.read()), command.id])  # type: ignore[method-assign]

    sender.say(HOLD, ON_CALL, id="c1")

    assert seen == [["Accepted", "SetHOLD", "c1"]]


def test_command_reaches_call_control_checked() -> None:
    bus = Bus()

    bus.join(app="widget").say("Cisco/InboundCall/sethold", {"MediaAddress": 5069, "CallID": "1"}, id="c1")

    (command,) = bus.gate.commands
    assert (command.workspace, command.id, str(command.address)) == ("demo", "c1", HOLD)
    assert command.body == SetHold(MediaAddress="5069", CallID="1")
    assert command.identity.app == "widget"


def test_command_without_an_id_gets_the_one_under_which_it_is_delivered() -> None:
    bus = Bus()
    reader = bus.join()
    reader.subscribe("Cisco")

    bus.join().say(HOLD, ON_CALL)

    assert reader.read()[0]["id"] == bus.gate.commands[0].id


def test_command_that_the_gate_refuses_is_delivered_to_no_one() -> None:
    bus = Bus()
    sender, reader = bus.join(), bus.join()
    reader.subscribe("*")
    bus.gate.refusal = Rejection(Code.ILLEGAL_STATE, "not now", details={"state": "HELD", "allowed": ["SetRETRIEVE"]})

    rejected = sender.ask(HOLD, ON_CALL, id="c1")

    assert rejected == {
        "channel": "Bridge",
        "topic": "Message",
        "subtopic": "Rejected",
        "correlationId": "c1",
        "data": {
            "code": "illegal_state",
            "message": "not now",
            "temporary": False,
            "address": HOLD,
            "state": "HELD",
            "allowed": ["SetRETRIEVE"],
        },
    }
    assert reader.read() == []
    assert bus.gate.commands == []
    assert reader.subscribe("*")["offset"] == 0


def test_command_that_the_gate_warns_of_carries_the_warning_in_its_reply() -> None:
    bus = Bus()
    bus.gate.warning = Warn("/topic", "other_topic", "the call goes by OutboundCall")

    accepted = bus.join().ask(HOLD, ON_CALL, id="c1")

    assert accepted["data"]["warnings"] == [{"pointer": "/topic", "message": "the call goes by OutboundCall"}]


def test_sign_in_goes_to_call_control_and_nowhere_else() -> None:
    bus = Bus()
    sender, reader = bus.join(), bus.join()
    for widget in (sender, reader):
        widget.subscribe("*", echo=True)
    sender.say("Gadget/a/b")
    for widget in (sender, reader):
        widget.read()

    accepted = sender.ask(SIGN_IN, CREDENTIALS, id="c1")

    assert accepted["data"] == {"offset": 1, "duplicate": False, "warnings": []}
    assert bus.gate.commands[0].id == "c1"
    assert reader.read() == []
    assert "geheim" not in str(reader.subscribe("*", recover={"epoch": sender.session.workspace.epoch, "offset": 0}))


@pytest.mark.parametrize(
    ("text", "code", "correlation", "address"),
    [
        ("{", "malformed_json", None, None),
        ('{"id":"m1"}', "invalid_envelope", "m1", None),
        ('{"id":"m1\\n","channel":"a","topic":"b","subtopic":"c"}', "invalid_envelope", None, "a/b/c"),
        (written("Bridge/Message/Accepted", id="m1"), "reserved_channel", "m1", "Bridge/Message/Accepted"),
        (written("cisco/a/b", id="m1"), "unknown_address", "m1", "cisco/a/b"),
        (written(HOLD), "invalid_data", None, HOLD),
        (written("Bridge/Subscription/Subscribe", {}, id="s"), "invalid_data", "s", "Bridge/Subscription/Subscribe"),
    ],
)
def test_refusal_names_what_it_refuses_as_far_as_it_is_known(
    text: str, code: str, correlation: str | None, address: str | None
) -> None:
    bus = Bus()
    widget = bus.join()

    bus.broker.receive(widget.session, text)

    (rejected,) = widget.read()
    assert name(rejected) == "Bridge/Message/Rejected"
    assert rejected["data"]["code"] == code
    assert rejected.get("correlationId") == correlation
    assert rejected["data"].get("address") == address


def test_strict_refuses_what_is_otherwise_repaired() -> None:
    widget = Bus(strict=True).join()

    assert widget.ask(HOLD, {**ON_CALL, "CallID": 1}, id="c1")["data"]["code"] == "invalid_data"


def test_free_channels_can_be_switched_off() -> None:
    widget = Bus(open_channels=False).join()

    assert widget.ask("Gadget/a/b", id="m1")["data"]["code"] == "unknown_address"


def test_publish_where_the_policy_does_not_allow_it() -> None:
    widget = Bus().join(grant=OWN_GADGETS)

    rejected = widget.ask(HOLD, {"wrong": "data"}, id="c1")["data"]

    assert (rejected["code"], rejected["rule"]) == ("not_permitted", "default")
    assert widget.ask("Gadget/a/b", id="m1")["data"]["offset"] == 1


def test_address_is_checked_after_the_policy_and_reserved_before_it() -> None:
    widget = Bus().join(grant=OWN_GADGETS)

    assert widget.ask("Cisco/no/such")["data"]["code"] == "not_permitted"
    assert widget.ask("Cisco/Agent/SetAgentState")["data"]["code"] == "reserved_channel"


def test_publish_without_a_session() -> None:
    bus = Bus()
    reader = bus.join()
    reader.subscribe("Gadget")

    message_id, accepted = bus.broker.publish("demo", GUEST, written("Gadget/a/b", {"n": 1}))

    (message,) = reader.read()
    assert accepted == {"offset": 1, "duplicate": False, "warnings": []}
    assert (message["id"], message["source"], message["offset"]) == (message_id, "server", 1)


def test_publish_without_a_session_makes_the_workspace() -> None:
    bus = Bus()

    bus.broker.publish("new", GUEST, written("Gadget/a/b"))

    reply = bus.join("new").subscribe("*", recover={"epoch": _epoch(bus, "new"), "offset": 0})
    assert len(reply["messages"]) == 1


def _epoch(bus: Bus, workspace: str) -> str:
    room = bus.broker.workspaces.find(workspace)
    assert room is not None
    return room.epoch


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", Code.MALFORMED_JSON),
        (written(HOLD, {}, id="m1"), Code.INVALID_DATA),
        (written("Bridge/Subscription/Subscribe", {"patterns": ["a"]}, id="m1"), Code.RESERVED_CHANNEL),
    ],
)
def test_publish_without_a_session_that_is_refused(text: str, code: Code) -> None:
    diary = Diary()

    with pytest.raises(Rejection) as refused:
        Bus(observer=diary).broker.publish("demo", GUEST, text)

    assert refused.value.code is code
    assert diary.lines == [("rejected", "demo", "server", code.value)]


def test_publish_without_a_session_where_no_workspace_can_be_made() -> None:
    bus = Bus(max_workspaces=1)
    bus.join("demo")

    with pytest.raises(Rejection, match="MAX_WORKSPACES") as refused:
        bus.broker.publish("other", GUEST, written("Gadget/a/b"))

    assert refused.value.code is Code.UNAVAILABLE


def test_observer_hears_of_everything() -> None:
    diary = Diary()
    bus = Bus(observer=diary)
    reader, sender = bus.join(), bus.join()
    reader.subscribe("Gadget")

    sender.say("Gadget/a/b")
    sender.say("Cisco/no/such")
    bus.broker.emit("demo", AGENT_STATE, {"state": "READY"})
    bus.clock.now += 5
    bus.broker.close(sender.session, 1006, "lost")

    assert diary.lines == [
        ("opened", reader.session.id),
        ("opened", sender.session.id),
        ("published", "Gadget/a/b", False, 1),
        ("rejected", "demo", "widget", "unknown_address"),
        ("published", "Cisco/Agent/SetAgentState", True, 0),
        ("closed", 1006, "lost", 5.0, 2, "Cisco/no/such"),
    ]


def test_without_call_control_every_command_is_unavailable() -> None:
    gate = NoCallControl()
    command = Command("demo", "c1", Address.parse(HOLD), SetHold(MediaAddress="1", CallID="1"), GUEST, [])

    with pytest.raises(Rejection) as refused:
        gate.admit(command)

    assert refused.value.code is Code.UNAVAILABLE
    assert (gate.busy("demo"), gate.extension("demo")) == (False, None)


def test_random_id_is_of_letters_and_digits_and_not_met_twice() -> None:
    ids = {random_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert all(8 <= len(made) <= 32 and set(made) <= set(string.ascii_letters + string.digits) for made in ids)


def test_system_clock_tells_utc_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    told = []
    for nanoseconds in (1_767_225_600_004_999_999, 1_767_225_600_999_000_000, 1_767_225_601_000_000_000):
        monkeypatch.setattr("time.time_ns", lambda now=nanoseconds: now)
        told.append(clock.timestamp())

    assert told == ["2026-01-01T00:00:00.004Z", "2026-01-01T00:00:00.999Z", "2026-01-01T00:00:01.000Z"]
    assert clock.monotonic() <= clock.monotonic()


def test_payload_is_serialised_once_for_all_who_get_it() -> None:
    bus = Bus()
    readers = [bus.join() for _ in range(3)]
    for reader in readers:
        reader.subscribe("*")

    bus.join().say("Gadget/a/b", {"ä": 1})

    first = readers[0].recorder.sent[0]
    assert all(reader.recorder.sent == [first] for reader in readers)
    assert json.loads(first.payload)["data"] == {"ä": 1}

"""A session and its token: it ends with it, goes on with a newer one, and may ask what it may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.broker.identity import Role
from bridge.broker.tokens import RefusedToken
from bridge.protocol.errors import CloseCode, Rejection
from tests.broker.bus import COMPLETED, HOLD, ON_CALL, Bus, Widget, grant, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.broker.identity import Grant

REFRESH = "Bridge/Session/Refresh"
EXPLAIN = "Bridge/Policy/Explain"
STATUS = "Bridge/Command/Status"
WIDGET = frozenset({Role.WIDGET})


class Issuer:
    """Answers with what the test has laid down for a token, at once, or when it is told to."""

    def __init__(self) -> None:
        self.known: dict[str, Grant | RefusedToken] = {}
        self.slow = False
        self.waiting: list[Callable[[], None]] = []

    def check(self, token: str, answer: Callable[[Grant | RefusedToken], None]) -> None:
        verdict = self.known[token]
        if self.slow:
            self.waiting.append(lambda: answer(verdict))
        else:
            answer(verdict)


def desk(**rights: Any) -> tuple[Bus, Issuer, Widget]:
    issuer = Issuer()
    bus = Bus(tokens=issuer)
    return bus, issuer, bus.join(grant=grant(**rights))


def refresh(widget: Widget) -> dict[str, Any]:
    return widget.ask(REFRESH, {"token": "t"}, id="r1")


def test_opened_says_in_how_many_seconds_the_token_expires() -> None:
    bus, _, widget = desk(seconds=600, roles=WIDGET)
    bus.clock.now += 100

    again = Bus()
    recorder = widget.recorder
    assert "expiresInSeconds" not in again.join().ask(REFRESH, {"token": "any"})["data"]
    bus.broker.open("demo", widget.session.identity, recorder)
    assert recorder.read()[-1]["data"]["expiresInSeconds"] == 500


def test_a_session_ends_with_its_token_five_seconds_later() -> None:
    bus, _, widget = desk(seconds=60)

    bus.wait(64)
    assert widget.closed == []
    bus.wait(1)
    assert widget.closed == [(CloseCode.TOKEN_EXPIRED, "the token has expired; come back with a new one")]


def test_without_authentication_nothing_expires_and_a_refresh_is_a_formality() -> None:
    bus = Bus()
    widget = bus.join()

    assert refresh(widget)["data"] == {"ended": []}
    bus.wait(10_000_000)
    assert widget.closed == []


def test_a_session_that_has_left_expires_no_more() -> None:
    bus, _, widget = desk(seconds=60)

    widget.leave()
    bus.wait(100)

    assert widget.closed == []
    assert len(bus.broker._expiries) == 0


def test_a_refreshed_session_lives_as_long_as_the_newer_token() -> None:
    bus, issuer, widget = desk(seconds=60, roles=WIDGET)
    issuer.known["t"] = grant(seconds=120, roles=WIDGET)

    reply = refresh(widget)

    assert (reply["subtopic"], reply["correlationId"]) == ("Refreshed", "r1")
    assert reply["data"] == {"ended": [], "expiresInSeconds": 120}
    bus.wait(124)
    assert widget.closed == []
    bus.wait(1)
    assert [code for code, _ in widget.closed] == [CloseCode.TOKEN_EXPIRED]


def test_subscriptions_that_the_newer_token_does_not_allow_end_and_are_listed() -> None:
    bus, issuer, widget = desk(subscribe=["Notes", "Cisco"], publish=["Notes"])
    widget.subscribe("Notes", "Cisco/InboundCall", "Cisco/Agent")
    issuer.known["t"] = grant(subscribe=["Notes"])

    assert refresh(widget)["data"]["ended"] == ["Cisco/Agent", "Cisco/InboundCall"]

    other = bus.join()
    other.say("Notes/a/b")
    bus.call("1")
    assert [message["channel"] for message in widget.read()] == ["Notes"]
    assert widget.ask("Notes/a/b", id="n1")["data"]["rule"] == "default"


@pytest.mark.parametrize(
    ("newer", "kept"),
    [
        ({"workspace": "other"}, "workspace"),
        ({"app": "another"}, "app"),
        ({"extension": "5070"}, "extension"),
        ({"app": None}, "app"),
    ],
)
def test_a_refresh_changes_neither_workspace_nor_app_nor_extension(newer: dict[str, Any], kept: str) -> None:
    _, issuer, widget = desk(app="notes", extension="5069", roles=WIDGET)
    issuer.known["t"] = grant(**{"app": "notes", "extension": "5069", "roles": WIDGET, **newer})

    widget.say(REFRESH, {"token": "t"})

    assert widget.closed == [(CloseCode.FORBIDDEN, f"a refresh keeps the {kept}")]


def test_a_refresh_does_not_change_whose_session_it_is() -> None:
    from dataclasses import replace  # noqa: PLC0415 for this test alone

    _, issuer, widget = desk()
    issuer.known["t"] = replace(grant(), subject="mallory")

    widget.say(REFRESH, {"token": "t"})

    assert widget.closed == [(CloseCode.FORBIDDEN, "a refresh keeps the subject")]


@pytest.mark.parametrize("code", [CloseCode.UNAUTHENTICATED, CloseCode.TOKEN_EXPIRED])
def test_a_bad_token_ends_the_session(code: CloseCode) -> None:
    _, issuer, widget = desk()
    issuer.known["t"] = RefusedToken(code, "no good")

    widget.say(REFRESH, {"token": "t"})

    assert widget.closed == [(code, "no good")]


def test_where_no_key_can_be_had_the_present_token_goes_on() -> None:
    _, issuer, widget = desk(publish=["Notes"])
    issuer.known["t"] = RefusedToken(CloseCode.TRY_AGAIN_LATER, "the issuer is away")

    refused = refresh(widget)

    assert (refused["subtopic"], refused["correlationId"]) == ("Rejected", "r1")
    assert (refused["data"]["code"], refused["data"]["temporary"]) == ("unavailable", True)
    assert widget.closed == []
    assert widget.ask("Notes/a/b", id="n1")["subtopic"] == "Accepted"


def test_an_answer_that_comes_when_the_session_has_gone_is_for_nobody() -> None:
    bus, issuer, widget = desk(seconds=60)
    issuer.known["t"] = grant(seconds=600)
    issuer.slow = True
    widget.say(REFRESH, {"token": "t"})
    widget.leave()

    for answer in issuer.waiting:
        answer()

    assert widget.read() == []
    bus.wait(1000)
    assert widget.closed == []


def test_the_token_is_not_repeated_in_a_refusal() -> None:
    _, _, widget = desk()

    refused = widget.ask(REFRESH, {"token": {"secret": "geheim"}}, id="r1")

    assert refused["data"]["code"] == "invalid_data"
    assert "geheim" not in str(refused)


def test_open_comes_first_or_never() -> None:
    _, _, widget = desk()

    assert widget.ask("Bridge/Session/Open", {"token": "t"}, id="o")["data"]["code"] == "reserved_channel"


# Explain


def test_explain_tells_which_rule_decides_for_this_session() -> None:
    _, _, widget = desk(publish=["Notes"], subscribe=["Notes"])

    explained = widget.ask(EXPLAIN, {"action": "publish", "address": "Notes/a/b"}, id="e")
    assert (explained["subtopic"], explained["correlationId"]) == ("Explained", "e")
    assert (explained["data"]["allowed"], explained["data"]["rule"]) == (True, "granted")
    assert explained["data"]["tried"][0] == "bridge-only"
    assert explained["data"]["tried"][-1] == "granted"
    wide = widget.ask(EXPLAIN, {"action": "subscribe", "address": "*"})["data"]
    assert (wide["allowed"], wide["rule"]) == (False, "default")


def test_explain_reads_an_address_as_publish_does() -> None:
    _, _, widget = desk(publish=["Cisco/InboundCall/SetCONSULT"])

    for spelling in (
        "Cisco/InboundCall/SetCONSULT",
        "Cisco/inboundcall/SETCONSULT",
        "Cisco/InboundCall/SetCONSULT_CALL",
    ):
        assert widget.ask(EXPLAIN, {"action": "publish", "address": spelling})["data"]["allowed"] is True


@pytest.mark.parametrize(("action", "address"), [("publish", "Notes"), ("publish", "a/b/*"), ("subscribe", "a/b/c/d")])
def test_explain_of_what_is_none_points_at_it(action: str, address: str) -> None:
    _, _, widget = desk()

    refused = widget.ask(EXPLAIN, {"action": action, "address": address}, id="e")["data"]

    assert (refused["code"], refused["errors"][0]["pointer"]) == ("invalid_data", "/data/address")


# What others have done


def test_the_status_of_a_command_is_for_those_who_might_have_sent_it() -> None:
    bus, _, stranger = desk(publish=["Notes"], subscribe=["Notes"])
    widget = bus.join(grant=grant(roles=WIDGET))
    widget.say(HOLD, ON_CALL, id="hold-1")
    bus.complete("hold-1")

    assert stranger.ask(STATUS, {"id": "hold-1"})["data"] == {"known": False}
    assert widget.ask(STATUS, {"id": "hold-1"})["data"]["outcome"]["subtopic"] == COMPLETED.subtopic


def test_source_is_what_the_token_says() -> None:
    bus, _, gadget = desk(app="notes", publish=["Notes"])
    reader = bus.join()
    reader.subscribe("Notes")

    gadget.say("Notes/a/b", source="softphone")

    assert [message["source"] for message in reader.read()] == ["widget"]  # the name that its session was opened with


def test_call_control_learns_which_rule_let_a_command_pass() -> None:
    bus, _, widget = desk(publish=["Cisco/InboundCall"])

    widget.say(HOLD, ON_CALL, id="c1", source="softphone")

    (command,) = bus.gate.commands
    assert (command.rule, command.source) == ("granted", "softphone")


# Site-wide notices


def test_a_notice_reaches_every_workspace_once() -> None:
    bus = Bus()
    widgets = [bus.join(f"room{number}") for number in range(250)]
    for widget in widgets:
        widget.subscribe("Notice")
    server = bus.join(grant=grant(roles=frozenset({Role.SERVER}))).session.identity
    text = written("Notice/Site/Closing", {"at": "18:00"}, id="n1")

    for _ in range(2):
        notice = bus.broker.announce(server, text)
        steps = 1
        while notice.go_on():
            steps += 1
        assert (notice.id, notice.workspaces, steps) == ("n1", 251, 3)

    for widget in widgets:
        assert [message["id"] for message in widget.read()] == ["n1"]


def test_a_notice_does_not_disturb_who_used_its_id_for_something_else() -> None:
    bus = Bus()
    one, other = bus.join("one"), bus.join("other")
    one.say("Notes/a/b", id="n1")
    other.subscribe("Notice")

    notice = bus.broker.announce(one.session.identity, written("Notice/a/b", id="n1"))
    assert notice.go_on() is False

    assert notice.workspaces == 1
    assert [message["id"] for message in other.read()] == ["n1"]


@pytest.mark.parametrize("address", [HOLD, "Cisco/no/such", "Bridge/Session/Refresh"])
def test_a_notice_is_no_command_and_no_control_message(address: str) -> None:
    bus = Bus()
    widget = bus.join()

    with pytest.raises(Rejection) as refused:
        bus.broker.announce(widget.session.identity, written(address, ON_CALL))

    assert refused.value.code in {"not_permitted", "reserved_channel", "invalid_data"}
    assert bus.gate.commands == []


def test_notices_share_a_rate_and_stop_when_the_bridge_does() -> None:
    bus = Bus(messages_per_second=1, messages_burst=1)
    widget = bus.join()
    bus.broker.announce(widget.session.identity, written("Notice/a/b"))
    with pytest.raises(Rejection, match="rate_limited"):
        bus.broker.announce(widget.session.identity, written("Notice/a/b"))
    bus.clock.now += 1
    bus.broker.draining = True
    with pytest.raises(Rejection, match="unavailable"):
        bus.broker.announce(widget.session.identity, written("Notice/a/b"))


@pytest.mark.parametrize("place", ["theirs", "nobody-is-there"])
def test_a_token_for_another_workspace_does_not_use_up_the_rate_of_those_who_publish_there(place: str) -> None:
    bus = Bus(messages_per_second=1, messages_burst=1)
    bus.join("theirs")
    stranger = bus.join("own", grant=grant("own", roles=WIDGET)).session.identity
    for code in ("not_permitted", "rate_limited", "rate_limited"):
        with pytest.raises(Rejection, match=code):
            bus.broker.publish(place, stranger, written("Gadget/a/b"))

    theirs = bus.join("own", grant=grant(place, roles=WIDGET)).session.identity
    bus.broker.publish(place, theirs, written("Gadget/a/b"))
    bus.broker.publish("own", stranger, written("Gadget/a/b"))


def test_who_may_send_no_notices_does_not_use_up_their_rate() -> None:
    bus = Bus(messages_per_second=1, messages_burst=1)
    widget = bus.join(grant=grant(roles=WIDGET)).session.identity
    for code in ("not_permitted", "rate_limited"):
        with pytest.raises(Rejection, match=code):
            bus.broker.announce(widget, written("Notice/a/b"))

    server = bus.join(grant=grant(roles=frozenset({Role.SERVER}))).session.identity
    bus.broker.announce(server, written("Notice/a/b"))

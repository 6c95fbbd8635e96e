from __future__ import annotations

import pytest

from bridge.broker.broker import RefusedError
from bridge.broker.identity import Identity
from bridge.protocol.errors import CloseCode, Code, Rejection
from tests.broker.bus import HOLD, ON_CALL, Bus, names, written


def test_draining_refuses_new_messages_and_lets_them_be_tried_elsewhere() -> None:
    bus = Bus()
    widget = bus.join()
    bus.broker.draining = True

    for address, data in ((HOLD, ON_CALL), ("Gadget/a/b", None)):
        rejected = widget.ask(address, data, id="m1")["data"]
        assert (rejected["code"], rejected["temporary"]) == ("unavailable", True)
    assert bus.gate.commands == []


def test_draining_refuses_messages_without_a_session() -> None:
    bus = Bus()
    bus.broker.draining = True

    with pytest.raises(Rejection) as refused:
        bus.broker.publish("demo", Identity(app="server"), written("Gadget/a/b"))

    assert refused.value.code is Code.UNAVAILABLE
    assert len(bus.broker.workspaces) == 0


def test_draining_refuses_new_sessions() -> None:
    bus = Bus()
    bus.broker.draining = True

    with pytest.raises(RefusedError, match="stopping") as refused:
        bus.join()

    assert refused.value.code is CloseCode.RESTART


def test_draining_still_answers_what_was_accepted_before() -> None:
    bus = Bus()
    widget = bus.join()
    widget.say(HOLD, ON_CALL, id="c1")
    bus.broker.draining = True

    assert widget.ask(HOLD, ON_CALL, id="c1")["data"]["duplicate"] is True
    assert widget.ask("Bridge/Command/Status", {"id": "c1"})["data"]["known"] is True
    widget.subscribe("*")
    bus.call("1", "held")
    bus.complete("c1")

    assert names(widget.read()) == ["InboundCallStateChange", "Completed"]


def test_draining_still_tells_what_is_wrong_with_a_message() -> None:
    bus = Bus()
    widget = bus.join()
    bus.broker.draining = True

    assert widget.ask("Cisco/no/such", id="m1")["data"]["code"] == "unknown_address"

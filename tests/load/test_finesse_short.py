"""The load on the Finesse adapter in a form of seconds; and that its checks do see what they are there for."""

from __future__ import annotations

import json
import os
import random
import socket
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.finesse import Plan, check_delivery, check_lines, finesse, sockets_to
from benchmarks.finesse_desk import FinesseDesk
from benchmarks.finesse_figures import Cost
from benchmarks.finesse_times import Stretch, Times, read
from benchmarks.look_alike import Account, LookAlike
from benchmarks.soak_figures import Figures
from benchmarks.soak_ledger import BrokenPromiseError

if TYPE_CHECKING:
    from pathlib import Path

SHORT = Plan(agents=20, rate=6, seconds=3, pause=0.1, seed=1)
CONSULTS = 18
IN_THE_MIDDLE = 2


async def test_finesse_for_seconds_every_promise_is_kept() -> None:
    result = await finesse(SHORT)

    assert len(result.signed_in) == SHORT.agents
    assert result.consults == CONSULTS
    # Every sixth consult is to a busy number; signing in and out, and answering, consulting, going back and dropping
    # of those who were in the middle when the pictures were compared.
    assert result.outcomes["Failed"] == CONSULTS // 6
    assert result.outcomes["TimedOut"] == 0
    assert result.outcomes["Completed"] == 2 * SHORT.agents + 5 * IN_THE_MIDDLE + 3 * (4 + 3 + 5 + 4 + 3 + 4)
    assert result.times.unmatched == 0
    assert len(result.times.delivered) > 10 * CONSULTS
    assert result.waited


def desk(extension: str = "1001001") -> FinesseDesk:
    account = Account(username="1001001", password="secret", extension=extension, token="token")
    return FinesseDesk(0, account, LookAlike(1), Figures(), random.Random(1), 0)


def dialog(state: str = "ACTIVE", *parties: tuple[str, str]) -> dict[str, Any]:
    """Give a call as an event tells it."""
    return {
        "id": "7",
        "state": state,
        "fromAddress": "+15550100",
        "toAddress": "1001001",
        "secondaryId": None,
        "participants": [{"mediaAddress": address, "state": shown} for address, shown in parties],
    }


def truth(state: str, *dialogs: dict[str, Any]) -> dict[str, Any]:
    """Give the switch's picture, which spells parties otherwise."""
    told = [
        each | {"participants": [{"address": p["mediaAddress"], "state": p["state"]} for p in each["participants"]]}
        for each in dialogs
    ]
    return {"1001001": {"state": state, "dialogs": told}}


def test_picture_that_is_true_is_seen_to_be() -> None:
    ours = desk()
    ours.agent = "TALKING"
    ours.calls = {"7": {"ResponseActual": {"dialog": dialog("ACTIVE", ("1001001", "ACTIVE"))}}}

    assert ours.differences(truth("TALKING", dialog("ACTIVE", ("1001001", "ACTIVE")))) == []


@pytest.mark.parametrize(
    "real",
    [
        truth("NOT_READY", dialog("ACTIVE", ("1001001", "ACTIVE"))),
        truth("TALKING", dialog("ACTIVE", ("1001001", "HELD"))),
        truth("TALKING", dialog("ALERTING", ("1001001", "ACTIVE"))),
        truth("TALKING", dialog("ACTIVE", ("1001001", "ACTIVE"), ("5070", "ACTIVE"))),
        truth("TALKING", dialog("ACTIVE", ("1001001", "ACTIVE")), dialog("ACTIVE") | {"id": "8"}),
        truth("TALKING"),
    ],
)
def test_picture_that_is_not_true_is_seen(real: dict[str, Any]) -> None:
    ours = desk()
    ours.agent = "TALKING"
    ours.calls = {"7": {"ResponseActual": {"dialog": dialog("ACTIVE", ("1001001", "ACTIVE"))}}}

    assert len(ours.differences(real)) == 1


@pytest.mark.parametrize(
    "log",
    [
        '{"event":"finesse_connected"}',
        '{"event":"finesse_connected"}{"event":"finesse_connected"}{"event":"finesse_connected"}',
        '{"event":"finesse_connected"}{"event":"finesse_reconnecting"}{"event":"finesse_connected"}',
    ],
)
def test_agent_who_connects_not_at_all_or_again_is_seen(log: str) -> None:
    check_lines('{"event":"finesse_connected"}{"event":"finesse_connected"}', 2)

    with pytest.raises(BrokenPromiseError, match="2 agents"):
        check_lines(log, 2)


def test_late_delivery_is_seen() -> None:
    check_delivery(Times(delivered=[0.001] * 99 + [0.009]))

    with pytest.raises(BrokenPromiseError, match="1 of 100 events"):
        check_delivery(Times(delivered=[0.001] * 98 + [0.011] * 2))


def test_only_the_sockets_to_that_port_are_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
            assert sockets_to(os.getpid(), port) == 2
        assert sockets_to(os.getpid(), port) == 0


def test_those_who_share_cores_are_named_when_they_are_the_limit() -> None:
    cost = Cost(seconds=10, bridge=5, look_alike=4, prosody=4, load=1.5)

    assert "LIMIT" in cost.shares(other_cores=1)
    assert "LIMIT" not in cost.shares(other_cores=2)


def test_core_that_others_used_is_told() -> None:
    assert Cost(seconds=60, delayed=0.7).disturbed
    assert Cost(seconds=60, prosody_delayed=30).disturbed
    assert not Cost(seconds=60, delayed=0.3, prosody_delayed=10).disturbed


def times_of(tmp_path: Path, *lines: list[Any], ours: FinesseDesk) -> Times:
    """Put times together with what one desk saw."""
    path = tmp_path / "times"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return read(path, [ours], Stretch(1.0, 4.0))


def test_times_are_put_together_in_their_order(tmp_path: Path) -> None:
    ours = desk()
    ours.events = [0.5, 2.6, 2.7, 3.6, 5.0]
    ours.commands = [
        ("Cisco/Agent/SetUserInfo", 0.1, 0.5, "Completed"),
        ("Cisco/InboundCall/SetANSWER", 2.0, 2.8, "Completed"),
        ("Cisco/Connection/Logout", 4.1, 5.1, "Completed"),
    ]

    times = times_of(
        tmp_path,
        ["submitted", 0.1, "1001001", "r1"],
        ["taken", 0.2, "1001001", "r1"],
        ["changed", 0.4, "1001001", 1, ["r1"]],
        ["notified", 0.4, "1001001", 0.3],
        ["submitted", 2.0, "1001001", "r2"],
        ["taken", 2.25, "1001001", "r2"],
        ["changed", 2.5, "1001001", 2, ["r2"]],
        ["notified", 2.5, "1001001", 2.375],
        ["changed", 3.5, "1001001", 1, []],  # of a reading: no notification
        ["notified", 3.7, "1001001", 3.6],
        ["submitted", 4.1, "1001001", "r3"],
        ["taken", 4.2, "1001001", "r3"],
        ["changed", 4.5, "1001001", 1, ["r3"]],
        ["notified", 4.5, "1001001", 4.4],
        ours=ours,
    )

    assert times.bridge == [0.125, 0.125]
    assert times.delivered == pytest.approx([0.225, 0.325])
    assert times.first_event == pytest.approx([0.35])
    assert times.outcome == pytest.approx([0.55])
    assert times.unmatched == 0


def test_times_that_do_not_go_together_are_left_out(tmp_path: Path) -> None:
    ours = desk()
    ours.events = [2.6]

    times = times_of(tmp_path, ["changed", 2.5, "1001001", 2, []], ["notified", 2.5, "1001001", 2.4], ours=ours)

    assert times.unmatched == 1
    assert times.delivered == []

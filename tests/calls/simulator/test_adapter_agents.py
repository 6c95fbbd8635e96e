"""Signing in and out, and the agent's state."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bridge.calls.adapter import (
    AgentChanged,
    ChangeStatus,
    ConnectionChanged,
    OfferCall,
    ReadAgent,
    SignIn,
)
from bridge.calls.model import AgentStatus, Connection
from tests.calls.simulator.adapter_desk import Desk, failure
from tests.calls.simulator.switch_story import CUSTOMER


def test_sign_in_connects(desk: Desk) -> None:
    desk.attach("alice")

    batch, taken = desk.does(SignIn("r1", "alice", "ann", "7001", password=SecretStr("x")))

    assert isinstance(batch, list)
    connection, agent = batch
    assert connection == ConnectionChanged("alice", Connection.CONNECTED, "r1")
    assert (agent.agent.login_id, agent.agent.extension, agent.cause) == ("ann", "7001", "r1")
    assert taken == ("taken", "r1")
    assert desk.adapter.extension("alice") == "7001"


@pytest.mark.parametrize("extension", ["5069", "5090", "5091", "", "70a", "1" * 21, "٣"])
def test_sign_in_at_what_is_no_free_extension(desk: Desk, extension: str) -> None:
    desk.attach("alice")

    assert failure(desk.does(SignIn("r1", "alice", "ann", extension))).error_type == "Invalid Device"
    assert desk.adapter.extension("alice") is None


def test_sign_in_again_keeps_the_state(desk: Desk) -> None:
    desk.does(ChangeStatus("r1", "demo", AgentStatus.READY))

    batch, _ = desk.does(SignIn("r2", "demo", "demo", "5069"))

    assert isinstance(batch, list)
    assert batch[1].agent.status is AgentStatus.READY


def test_sign_in_at_another_extension_moves_the_workspace(desk: Desk) -> None:
    desk.does(SignIn("r1", "demo", "ann", "7001"))

    assert desk.adapter.extension("demo") == "7001"
    assert not desk.adapter.elsewhere("alice", "demo", "5069")


def test_sign_in_at_another_extension_with_calls(desk: Desk) -> None:
    desk.talk()

    assert failure(desk.does(SignIn("r1", "demo", "ann", "7001"))).error_type == "Invalid State"
    assert desk.adapter.extension("demo") == "5069"


def test_sign_in_at_a_reserved_extension_keeps_the_former(desk: Desk) -> None:
    assert failure(desk.does(SignIn("r1", "demo", "demo", "5090"))).error_type == "Invalid Device"
    desk.offer()
    assert desk.adapter.extension("demo") == "5069"


def test_change_status_with_a_reason(desk: Desk) -> None:
    batch, taken = desk.does(ChangeStatus("r1", "demo", AgentStatus.NOT_READY, "12"))

    assert isinstance(batch, list)
    assert (batch[0].agent.status, batch[0].agent.reason_code, batch[0].cause) == (AgentStatus.NOT_READY, "12", "r1")
    assert taken == ("taken", "r1")


def test_change_status_to_what_no_agent_sets(desk: Desk) -> None:
    assert failure(desk.does(ChangeStatus("r1", "demo", AgentStatus.TALKING))).error_type == "Invalid Input"


def test_logout_signs_out(desk: Desk) -> None:
    batch, _ = desk.does(ChangeStatus("r1", "demo", AgentStatus.LOGOUT))

    assert isinstance(batch, list)
    assert batch[0].agent.status is AgentStatus.LOGOUT
    assert batch[1] == ConnectionChanged("demo", Connection.SIGNED_OUT, "r1")
    assert desk.adapter.extension("demo") is None
    assert failure(desk.does(OfferCall("r2", "demo", CUSTOMER))).error_type == "Authorization Failure"
    assert failure(desk.does(ReadAgent("r3", "demo"))).error_type == "Authorization Failure"


def test_logout_with_calls(desk: Desk) -> None:
    desk.talk()

    assert failure(desk.does(ChangeStatus("r1", "demo", AgentStatus.LOGOUT))).error_type == "Invalid State"
    assert desk.adapter.extension("demo") == "5069"


def test_read_agent_tells_the_agent_anew(desk: Desk) -> None:
    batch, taken = desk.does(ReadAgent("r1", "demo"))

    assert isinstance(batch, list)
    assert isinstance(batch[0], AgentChanged)
    assert batch[0].cause == "r1"
    assert taken == ("taken", "r1")

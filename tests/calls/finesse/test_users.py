"""Every shape of a user, read to an agent; and what a node tells of itself."""

from __future__ import annotations

import pytest

from bridge.calls.finesse.system import SystemInfo, read_system_info
from bridge.calls.finesse.users import read_user
from bridge.calls.finesse.xml import XmlError, parse
from bridge.calls.model import Agent, AgentStatus
from tests.calls.finesse.shapes import fixture


def test_agent_who_is_ready() -> None:
    assert read_user(fixture("user-ready")) == Agent(
        login_id="1001001",
        login_name="mlind",
        extension="1001001",
        status=AgentStatus.READY,
        reason_code=None,
        first_name="Mara",
        last_name="Lind",
        team_name="Spare parts",
        roles=("Agent",),
        changed="2031-03-01T08:29:00.000Z",
    )


def test_agent_who_is_not_ready_has_the_reason_that_was_set() -> None:
    agent = read_user(fixture("user-not-ready"))

    assert (agent.status, agent.reason_code, agent.changed) == (AgentStatus.NOT_READY, "9", "2031-03-01T12:00:00.000Z")


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("<reasonCodeId>7</reasonCodeId>", "7"),
        ("<reasonCodeId/>", None),
        ("<reasonCodeId>-1</reasonCodeId>", None),
        ("<reasonCode/>", None),
        ("<reasonCode><code>4</code></reasonCode>", "4"),
        ("<reasonCode><code>4</code><id>9</id></reasonCode>", "9"),
        ("<reasonCode><code>4</code><id>-1</id></reasonCode><reasonCodeId/>", "4"),
        ("<reasonCode><code>4</code></reasonCode><reasonCodeId>7</reasonCodeId>", "7"),
    ],
)
def test_reason_is_found_in_either_place(told: str, reason: str | None) -> None:
    user = parse(f"<User><loginId>1</loginId><state>NOT_READY</state>{told}</User>")

    assert read_user(user).reason_code == reason


def test_agent_who_is_signed_out() -> None:
    agent = read_user(fixture("user-signed-out"))

    assert (agent.status, agent.extension, agent.reason_code) == (AgentStatus.LOGOUT, "", None)
    assert (agent.login_name, agent.roles) == ("1001001", ("Agent",))


def test_supervisor() -> None:
    agent = read_user(fixture("user-supervisor"))

    assert (agent.roles, agent.team_name) == (("Agent", "Supervisor"), "Leads")


@pytest.mark.parametrize("status", AgentStatus)
def test_every_state_is_read(status: AgentStatus) -> None:
    assert read_user(parse(f"<User><loginId>1</loginId><state> {status.value} </state></User>")).status is status


@pytest.mark.parametrize("state", ["<state>LOGIN</state>", "<state/>", "", "<state>ON_FIRE</state>"])
def test_state_that_is_none_of_ours_is_unknown(state: str) -> None:
    assert read_user(parse(f"<User><loginId>1</loginId>{state}</User>")).status is AgentStatus.UNKNOWN


@pytest.mark.parametrize("document", ["<User/>", "<User><loginId/></User>", "<Dialog><loginId>1</loginId></Dialog>"])
def test_what_names_no_agent_is_not_read(document: str) -> None:
    with pytest.raises(XmlError):
        read_user(parse(document))


def test_node_in_service() -> None:
    assert read_system_info(fixture("system-in-service")) == SystemInfo(
        in_service=True,
        status="IN_SERVICE",
        xmpp_domain="finesse1.example.com",
        xmpp_pubsub_domain="pubsub.finesse1.example.com",
    )


def test_node_out_of_service() -> None:
    assert read_system_info(fixture("system-out-of-service")) == SystemInfo(
        in_service=False, status="OUT_OF_SERVICE", xmpp_domain="", xmpp_pubsub_domain=""
    )


@pytest.mark.parametrize("document", ["<SystemInfo/>", "<SystemInfo><status/></SystemInfo>", "<html/>"])
def test_what_tells_no_status_is_not_read(document: str) -> None:
    with pytest.raises(XmlError):
        read_system_info(parse(document))

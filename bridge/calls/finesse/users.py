"""From Finesse's ``<User>`` to an agent (Finesse REST developer guide, "User")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.calls.finesse.xml import XmlError
from bridge.calls.model import Agent, AgentStatus

if TYPE_CHECKING:
    from bridge.calls.finesse.xml import Element

_NO_REASON = frozenset({"", "-1"})


def read_user(user: Element) -> Agent:
    """Read one agent. A state that we do not know, such as the passing ``LOGIN``, is ``UNKNOWN``.

    Raises:
        XmlError: It is no ``<User>``, or has no ``loginId``.
    """
    if user.name.lower() != "user":
        raise XmlError("not a <User>")
    login_id = user.value("loginId")
    if not login_id:
        raise XmlError("a user without a loginId")
    state = user.value("state").upper()
    roles = tuple(role.text.strip() for roles in user.any_case("roles") for role in roles.any_case("role"))
    return Agent(
        login_id=login_id,
        login_name=user.value("loginName") or login_id,
        extension=user.value("extension"),
        status=AgentStatus(state) if state in AgentStatus.__members__ else AgentStatus.UNKNOWN,
        reason_code=_reason(user),
        first_name=user.value("firstName"),
        last_name=user.value("lastName"),
        team_name=user.value("teamName"),
        roles=tuple(role for role in roles if role) or ("Agent",),
        changed=user.value("stateChangeTime"),
    )


def _reason(user: Element) -> str | None:
    """Find why the agent is not ready: the id it was set by, else what a nested ``reasonCode`` tells."""
    told = [user.value("reasonCodeId")]
    for reason in user.any_case("reasonCode"):
        told += [reason.value("id"), reason.value("code")]
    return next((reason for reason in told if reason not in _NO_REASON), None)

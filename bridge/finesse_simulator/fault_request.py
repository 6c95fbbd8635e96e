"""What can be asked to go wrong, as JSON: ``POST {control}/faults``.

A key that is left out changes nothing. What stands, stands until it is set otherwise or ``reset``; what happens once
happens when it is asked. Nodes are numbered from 0, agents named by username.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bridge.finesse_simulator.faults import Body, Effect, RequestIds, Rule
from bridge.finesse_simulator.refusals import ApiError

Seconds = Annotated[float, Field(ge=0, le=600)]
Nodes = list[Annotated[int, Field(ge=0, le=1)]]
Users = list[str]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)


class RuleRequest(_Strict):
    """What becomes of requests like this."""

    effect: Effect
    """``refuse``: refused at once with ``status``. ``refuse_late``: 202, nothing is done, the error comes over XMPP.
    ``ignore``: 202 and nothing. ``delay``: done ``seconds`` later. ``cut_answer``: done, connection cut before the
    answer. ``cut_request``: connection cut, nothing done. ``delay_answer``: done, answered ``seconds`` later."""
    action: str | None = None
    """``CONSULT_CALL``, … or ``LOGIN``, ``READY``, ``NOT_READY``, ``LOGOUT``; all without it."""
    user: str | None = None
    """Whose requests; everybody's without it."""
    times: Annotated[int, Field(ge=1)] | None = 1
    """How often; null is for ever."""
    seconds: Seconds = 0.0
    status: Annotated[int, Field(ge=400, le=599)] = 500
    error_type: str | None = None
    error_message: str | None = None
    error_data: str = ""
    peripheral_code: str = ""
    peripheral_message: str = ""

    def rule(self) -> Rule:
        """Give the rule, its error completed with what Finesse says most often."""
        late = self.effect is Effect.REFUSE_LATE
        error = ApiError(
            self.error_type or ("Generic Error" if late else "Internal Server Error"),
            self.error_message or ("CF_GENERIC_OPERATION" if late else "RUNTIME_EXCEPTION"),
            self.error_data or ("1" if late else ""),
            self.peripheral_code,
            self.peripheral_message,
        )
        return Rule(self.effect, self.action, self.user, self.times, self.seconds, self.status, error)


class Cut(_Strict):
    """Whose XMPP connections to drop: of one node or all, of one agent or all."""

    node: Annotated[int, Field(ge=0, le=1)] | None = None
    user: str | None = None


class FaultRequest(_Strict):
    """The body of ``POST /faults``."""

    reset: bool = False
    """First, everything that stands is ended, locks are opened and what was killed is started."""

    # What stands

    request_ids: RequestIds | None = None
    """Where a request's id comes back: in ``all`` notifications that it caused, in those that it caused at once
    (``first``), or in none (``lost``)."""
    duplicates: bool | None = None
    """Every notification comes twice."""
    delay_seconds: Seconds | None = None
    """Every notification comes so much later."""
    reorder_seconds: Seconds | None = None
    """Notifications are collected so long, then those of the dialog that changed last come first; 0 ends it."""
    escapes: Annotated[int, Field(ge=1, le=2)] | None = None
    """How often the payload of a notification is escaped."""
    consult_call_type: str | None = None
    """``callType`` of consult calls, such as ``OUT``; "" gives them their own again."""
    error_body: Body | None = None
    """What a response that refuses has for a body: ``xml``, ``html`` (a page, as a proxy's) or ``empty``."""
    rules: list[RuleRequest] | None = None
    """What becomes of single requests, in the place of the rules before."""
    out_of_service: Nodes | None = None
    """Nodes that are OUT_OF_SERVICE: told over XMPP and in SystemInfo, all else is answered with 503, no events come.
    In service again, they tell the state of all agents and calls."""
    unavailable: Nodes | None = None
    """Nodes of which REST answers 503 to everything."""
    finesse_unavailable: Nodes | None = None
    """Nodes on which the XMPP user ``finesse`` is UNAVAILABLE."""
    silent: Nodes | None = None
    """Nodes whose XMPP connections stay open and carry nothing any more."""
    refusing: Nodes | None = None
    """Nodes whose XMPP ports are closed."""
    refused_users: Users | None = None
    """Agents whose credentials REST answers with 401."""

    # What happens once

    cut: list[Cut] = []
    """Drop XMPP connections without a word: ``[{}]`` all, ``[{"user": "1001001"}]`` one agent's."""
    conflict: Users = []
    """Sign on to XMPP elsewhere with the agent's resource: its session ends with ``conflict``."""
    lock: Users = []
    """Lock accounts, as five wrong passwords do."""
    expire_tokens: Users = []
    """Let access tokens expire; the answer holds the new ones."""
    force_logout: Users = []
    """Sign agents out with reason 255, as after their presence was gone for too long."""
    kill_rest: Nodes = []
    """Kill web applications: connections are cut, ``finesse`` is UNAVAILABLE, no events."""
    start_rest: Nodes = []
    kill_xmpp: Nodes = []
    """Kill Prosody (SIGKILL)."""
    start_xmpp: Nodes = []


def explain() -> list[str]:
    """Say in lines what can be asked."""
    lines: list[str] = []
    for model in (FaultRequest, RuleRequest, Cut):
        lines.append(f"{'POST /faults' if model is FaultRequest else model.__name__}: {model.__doc__}")
        for name, field in model.model_fields.items():
            told = " ".join((field.description or "").split())
            lines.append(f"  {name}{': ' + told if told else ''}")
    return lines

"""The two products that Finesse is the face of, and where they differ.

Contact Center Enterprise (CCE) and Contact Center Express (CCX) speak the same REST and XMPP; what is behind differs
(Finesse developer guide, the notes "Unified CCE" and "Unified CCX" of each API).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bridge.calls.simulator.dialog import CallType
from bridge.finesse_simulator.refusals import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Platform(StrEnum):
    """What is behind Finesse."""

    CCE = "cce"
    CCX = "ccx"


@dataclass(frozen=True, slots=True)
class Profile:
    """How one of the products behaves."""

    platform: Platform
    deployment: str
    """As SystemInfo names it."""

    call_types: Mapping[str, str]
    """The switch's ``callType`` to this product's, where they differ."""

    shows_hold: bool
    """Whether an agent whose calls are all held is ``HOLD``; else ``TALKING`` stays."""

    follows_all_calls: bool
    """Whether every call makes an agent ``TALKING``, or only those that were routed to the agent."""

    calls_when_ready: bool
    """Whether a ``READY`` agent may call; it becomes ``NOT_READY`` with reason 50006."""

    signs_out_when_ready: bool
    """Whether ``LOGOUT`` is allowed from other states than ``NOT_READY``."""

    dtmf: str
    """The digits that ``SEND_DTMF`` may send."""

    variables_with_call: bool
    """Whether ``MAKE_CALL`` may carry ``mediaProperties``."""

    records: bool
    """Whether there is ``START_RECORDING``."""

    drops_participants: bool
    """Whether there is ``PARTICIPANT_DROP``."""

    not_controller: ApiError
    """The answer to whoever did not begin a conference and would add to it."""

    refused_login: ApiError
    """The answer to a sign-in at an extension that is none."""


CCE: Final = Profile(
    platform=Platform.CCE,
    deployment="UCCE",
    call_types={},
    shows_hold=True,
    follows_all_calls=True,
    calls_when_ready=True,
    signs_out_when_ready=False,
    dtmf="0123456789*#ABCD",
    variables_with_call=True,
    records=False,
    drops_participants=True,
    not_controller=ApiError("Generic Error", "PERERR_JTCLIENT_NOT_CONFERENCE_CONTROLLER", "20999"),
    refused_login=ApiError(
        "Invalid Device", "CF_INVALID_LOGON_DEVICE_SPECIFIED", "260", "10125", "PERERR_TELDRIVE_BADINSTRUMENT"
    ),
)

CCX: Final = Profile(
    platform=Platform.CCX,
    deployment="UCCX",
    call_types={CallType.PREROUTE_ACD_IN: "ACD_IN", CallType.AGENT_INSIDE: "OUT"},
    shows_hold=False,
    follows_all_calls=False,
    calls_when_ready=False,
    signs_out_when_ready=True,
    dtmf="0123456789*#",
    variables_with_call=False,
    records=True,
    drops_participants=False,
    not_controller=ApiError("Invalid State", "CF_INVALID_OBJECT_STATE", "22"),
    refused_login=ApiError("Invalid Device", "CF_INVALID_LOGON_DEVICE_SPECIFIED", "260"),
)

PROFILES: Final[Mapping[Platform, Profile]] = {Platform.CCE: CCE, Platform.CCX: CCX}

"""What is to go wrong, as it stands now. Nothing here does anything: those who act look here first."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.finesse_simulator.refusals import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator


class RequestIds(StrEnum):
    """In which notifications a request's id comes back; in Finesse that is best effort."""

    ALL = "all"
    """In all that it caused, every step of dialling included."""
    FIRST = "first"
    """In what its action changed at once."""
    LOST = "lost"
    """In none."""


class Effect(StrEnum):
    """What becomes of a request."""

    REFUSE = "refuse"
    """It is refused at once, with the rule's status and error."""
    REFUSE_LATE = "refuse_late"
    """It is answered with 202, nothing is done, and the rule's error comes over XMPP."""
    IGNORE = "ignore"
    """It is answered with 202 and nothing is done."""
    DELAY = "delay"
    """It is done the rule's seconds later than it would be."""
    CUT_ANSWER = "cut_answer"
    """It is done, but the connection is cut before the answer."""
    CUT_REQUEST = "cut_request"
    """The connection is cut and nothing is done."""
    DELAY_ANSWER = "delay_answer"
    """It is done, and answered the rule's seconds later."""


@dataclass(slots=True)
class Rule:
    """What becomes of requests like this. ``times`` counts down, ``None`` is for ever; ``None`` elsewhere fits all."""

    effect: Effect
    action: str | None = None
    user: str | None = None
    times: int | None = 1
    seconds: float = 0.0
    status: int = 500
    error: ApiError = field(default_factory=lambda: ApiError("Internal Server Error", "RUNTIME_EXCEPTION"))

    def fits(self, action: str, user: str) -> bool:
        """Say whether this is a request that the rule is about."""
        return self.times != 0 and self.action in {None, action} and self.user in {None, user}


class Body(StrEnum):
    """What stands in the body of a response that refuses."""

    XML = "xml"
    HTML = "html"
    EMPTY = "empty"


@dataclass(slots=True)
class Faults:
    """Everything that goes wrong until it is reset."""

    request_ids: RequestIds = RequestIds.ALL
    duplicates: bool = False
    """Every notification comes twice."""
    delay_seconds: float = 0.0
    """Every notification comes so much later, in order."""
    reorder_seconds: float = 0.0
    """Notifications are collected so long; then those of the dialog that changed last come first."""
    escapes: int = 1
    """How often the payload of a notification is escaped."""
    consult_call_type: str | None = None
    """``callType`` of a consult call, such as ``OUT``, in the place of ``CONSULT``."""
    error_body: Body = Body.XML
    rules: list[Rule] = field(default_factory=list)
    out_of_service: set[int] = field(default_factory=set)
    """Nodes that are not in service: REST answers 503 and no events come; SystemInfo says so."""
    unavailable: set[int] = field(default_factory=set)
    """Nodes of which REST answers 503 to everything, SystemInfo too."""

    finesse_unavailable: set[int] = field(default_factory=set)
    """Nodes on which the XMPP user ``finesse`` is not there."""

    def take(self, action: str, user: str) -> Iterator[Rule]:
        """Give the rules for a request, at most one of each effect; it counts as having happened."""
        seen = set()
        for rule in self.rules:
            if rule.effect not in seen and rule.fits(action, user):
                seen.add(rule.effect)
                if rule.times is not None:
                    rule.times -= 1
                yield rule
        self.rules = [rule for rule in self.rules if rule.times != 0]

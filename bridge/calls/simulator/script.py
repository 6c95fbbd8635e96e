"""What goes wrong on purpose: scripted behaviour of the simulator, for tests and for developers of gadgets.

A real switch loses requests, says yes and then no, repeats itself and takes its time. A script says so for a request::

    def busy_monday(request: Request) -> Script:
        if isinstance(request, CallRequest) and request.action is Action.HOLD:
            return Script(refuse_late=Failure("Generic Error", "CF_RESOURCE_BUSY"))
        return FAULTLESS

    SimulatorAdapter(call_later=loop.call_later, now=now, script=busy_monday)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bridge.calls.adapter import Failure, Request


@dataclass(frozen=True, slots=True)
class Script:
    """What becomes of one request. At most one of ``lose``, ``ignore``, ``fail`` and ``refuse_late`` may be set.

    Raises:
        ValueError: More than one of them is set, or ``delay`` is negative.
    """

    lose: bool = False
    """It is never answered and nothing happens."""

    ignore: bool = False
    """It is taken and nothing happens."""

    fail: Failure | None = None
    """It is refused with this, whether it is legal or not."""

    refuse_late: Failure | None = None
    """It is taken, nothing happens, and one reaction time later it is refused with this."""

    mute: bool = False
    """It is acted on, and the answer to it is lost."""

    duplicate: bool = False
    """Every change that it causes is told twice."""

    stall: bool = False
    """The call that it dials stays INITIATED until it is dropped."""

    delay: float = 0.0
    """Seconds to wait before anything of this, beyond the reaction time."""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.lose, self.ignore, self.fail, self.refuse_late))) > 1:
            raise ValueError("lose, ignore, fail and refuse_late exclude one another")
        if self.delay < 0:
            raise ValueError("delay cannot be negative")


FAULTLESS: Final = Script()


def faultless(_request: Request) -> Script:
    """Let nothing go wrong."""
    return FAULTLESS

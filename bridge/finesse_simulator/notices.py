"""What the look-alike has to tell, before it becomes XML on a wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.calls.finesse.xml import Markup


@dataclass(frozen=True, slots=True)
class Notice:
    """One user is told one thing: ``data`` about ``source``, at the notification node ``node``.

    ``request_id`` is of the request that caused it, ``at_once`` tells whether by what it did at once. Notices about one
    ``subject`` never overtake one another, whatever else goes wrong.
    """

    user: str
    node: str
    event: str
    source: str
    data: Markup
    subject: str
    request_id: str = ""
    at_once: bool = True


class Publish(Protocol):
    """Whoever carries notices to the agents."""

    def __call__(self, notices: Sequence[Notice], /) -> None:
        """Carry what one happening has to tell, in order."""

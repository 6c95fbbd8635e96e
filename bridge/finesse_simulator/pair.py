"""The nodes together, one or two, and what each of them tells the agents who are connected there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.finesse_simulator import documents
from bridge.finesse_simulator.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.calls.finesse.xml import Markup
    from bridge.finesse_simulator.faults import Faults
    from bridge.finesse_simulator.node import Node
    from bridge.finesse_simulator.profile import Profile


class Pair:
    """All nodes; ``domains`` are their XMPP domains, the primary first. ``nodes`` are put in when they are made."""

    def __init__(self, *, domains: list[str], faults: Faults, profile: Profile, now: Callable[[], str]) -> None:
        self.nodes: list[Node] = []
        self.domains = domains
        self._faults = faults
        self._profile = profile
        self._now = now

    def deliver(self, user: str, path: str, payload: str) -> None:
        """Send one notification through every node."""
        for number in range(len(self.nodes)):
            self._deliver_at(number, user, path, payload)

    def tell(self, number: int, notices: Iterable[Notice]) -> None:
        """Send notices through one node, as they are."""
        for notice in notices:
            payload = str(documents.update(notice.event, notice.source, notice.data, ""))
            self._deliver_at(number, notice.user, notice.node, payload)

    def tell_service(self, number: int, *, in_service: bool) -> None:
        """Tell who is connected at a node whether it is in service."""
        data = self.system_info(number, "systemInfo", in_service=in_service)
        uri = documents.SYSTEM_URI
        present = list(self.nodes[number].notifications.present)
        self.tell(number, (Notice(user, uri, "PUT", uri, data, "system") for user in present))

    def system_info(self, number: int, name: str = "SystemInfo", *, in_service: bool | None = None) -> Markup:
        """Write what a node tells about itself."""
        return documents.system_info(
            in_service=number not in self._faults.out_of_service if in_service is None else in_service,
            domain=self.domains[number],
            hosts=self.domains,
            now=self._now(),
            profile=self._profile,
            name=name,
        )

    def available(self, number: int) -> bool:
        """Say whether the user ``finesse`` should be there on a node."""
        return self.nodes[number].alive and number not in self._faults.finesse_unavailable

    def _deliver_at(self, number: int, user: str, path: str, payload: str) -> None:
        node = self.nodes[number]
        if node.alive and number not in self._faults.out_of_service:
            node.notifications.deliver(user, path, payload)

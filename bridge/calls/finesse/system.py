"""From Finesse's ``<SystemInfo>`` to whether a node serves, and where (Finesse REST developer guide, "SystemInfo")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.calls.finesse.xml import XmlError

if TYPE_CHECKING:
    from bridge.calls.finesse.xml import Element

IN_SERVICE = "IN_SERVICE"


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """What a Finesse node tells of itself; ``status`` is ``IN_SERVICE``, ``OUT_OF_SERVICE`` or something between."""

    in_service: bool
    status: str
    xmpp_domain: str
    xmpp_pubsub_domain: str


def read_system_info(system_info: Element) -> SystemInfo:
    """Read what a node tells of itself. A domain that is not told is empty.

    Raises:
        XmlError: It is no ``<SystemInfo>``, or has no status.
    """
    if system_info.name.lower() != "systeminfo":
        raise XmlError("not a <SystemInfo>")
    status = system_info.value("status").upper()
    if not status:
        raise XmlError("system information without a status")
    return SystemInfo(
        in_service=status == IN_SERVICE,
        status=status,
        xmpp_domain=system_info.value("xmppDomain"),
        xmpp_pubsub_domain=system_info.value("xmppPubSubDomain"),
    )

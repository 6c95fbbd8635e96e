"""Which ``Host`` a request may carry (wire protocol §3): one name, and without authentication a loopback one.

A page on a foreign site can let its own name resolve to 127.0.0.1 and then counts as the same origin (DNS rebinding).
Its requests still carry that foreign name.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GADGETS = "/gadgets/"
"""Sample gadgets of the demo page: each may have an origin of its own, under ``.localhost``."""

_loopback = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_gadget = re.compile(r"([a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?\.)+localhost(:[0-9]{1,5})?", re.IGNORECASE)
_name = re.compile(r"([a-z0-9._\-]{1,255}|\[(?P<ipv6>[0-9a-f:.]{2,45})\])(:[0-9]{1,5})?", re.IGNORECASE)

REFUSAL = "without authentication the bridge answers to localhost, 127.0.0.1 and [::1] only"


def allowed(host: str, path: str) -> bool:
    """Say whether a request with this ``Host`` header may ask for this path."""
    if _loopback.fullmatch(host):
        return True
    return path.startswith(GADGETS) and _gadget.fullmatch(host) is not None


def refusal(hosts: Sequence[str], path: str, *, authentication: bool) -> tuple[HTTPStatus, str] | None:
    """Give the answer to a request with these ``Host`` headers; ``None`` if it may be served (RFC 9112 section 3.2)."""
    if len(hosts) != 1:
        return HTTPStatus.BAD_REQUEST, "send one Host header"
    if not authentication:
        return None if allowed(hosts[0], path) else (HTTPStatus.FORBIDDEN, REFUSAL)
    return None if _names_a_host(hosts[0]) else (HTTPStatus.BAD_REQUEST, "the Host header names no host")


def _names_a_host(host: str) -> bool:
    """Say whether it can stand in a URL: what else parses URLs would raise, or read it as something else."""
    found = _name.fullmatch(host)
    if found is None or found["ipv6"] is None:
        return found is not None
    try:
        IPv6Address(found["ipv6"])
    except ValueError:
        return False
    return True

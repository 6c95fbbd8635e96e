"""Which ``Host`` a request may carry while there is no authentication (wire protocol §3).

A page on a foreign site can let its own name resolve to 127.0.0.1 and then counts as the same origin (DNS rebinding).
Its requests still carry that foreign name.
"""

from __future__ import annotations

import re

GADGETS = "/gadgets/"
"""Sample gadgets of the demo page: each may have an origin of its own, under ``.localhost``."""

_loopback = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_gadget = re.compile(r"([a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?\.)+localhost(:[0-9]{1,5})?", re.IGNORECASE)

REFUSAL = "without authentication the bridge answers to localhost, 127.0.0.1 and [::1] only"


def allowed(host: str, path: str) -> bool:
    """Say whether a request with this ``Host`` header may ask for this path."""
    if _loopback.fullmatch(host):
        return True
    return path.startswith(GADGETS) and _gadget.fullmatch(host) is not None

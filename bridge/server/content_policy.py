"""What a browser may load, reach and frame for the bridge's own pages (Content Security Policy Level 3).

Scripts and styles come from files of the bridge, never from within a page, and nothing comes from a third party. A page
speaks to the host that it came from and to no other; only the sample gadgets of the demo page, which exist on loopback
addresses alone, are shown in frames.
"""

from __future__ import annotations

import re

_STRICT = (
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
)

_NOBODY_ELSE = "connect-src 'self'"
_NO_FRAMES = "frame-src 'none'"

_loopback = re.compile(r"(localhost|127\.0\.0\.1)(?P<port>:[0-9]{1,5})?", re.IGNORECASE)
_name = re.compile(r"[a-z0-9.\-]{1,255}(:[0-9]{1,5})?", re.IGNORECASE)

FOR_ANYBODY = "; ".join((*_STRICT, _NOBODY_ELSE, _NO_FRAMES))
"""For answers to requests whose ``Host`` is not known to be good."""


def of_page(scheme: str, host: str) -> str:
    """Give the policy of a page that was asked for at this host.

    Args:
        scheme: ``http`` or ``https``, as the bridge was reached.
        host: The request's ``Host`` header.
    """
    return "; ".join((*_STRICT, _connect(scheme, host), _frames(scheme, host)))


def of_gadget(scheme: str, host: str, scripts: str) -> str:
    """Give the policy of a sample gadget: it reaches nobody but the page that frames it, which is the demo page.

    Args:
        scheme: As in ``of_page``.
        host: The request's ``Host`` header: a name under ``.localhost``, or the bridge's own.
        scripts: What may run in it, as sources.
    """
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {_demo_page(scheme, host)}"
    )


def _demo_page(scheme: str, host: str) -> str:
    name, colon, port = host.partition(":")
    if not name.lower().endswith(".localhost"):
        return "'self'"
    return " ".join(f"{scheme}://{place}{colon}{port}" for place in ("localhost", "127.0.0.1"))


def _connect(scheme: str, host: str) -> str:
    """``'self'`` means WebSocket too in present browsers; older ones need the host. IPv6 has no form in a policy."""
    if _name.fullmatch(host) is None:
        return _NOBODY_ELSE
    return f"{_NOBODY_ELSE} {'wss' if scheme == 'https' else 'ws'}://{host}"


def _frames(scheme: str, host: str) -> str:
    found = _loopback.fullmatch(host)
    return _NO_FRAMES if found is None else f"frame-src {scheme}://*.localhost{found['port'] or ''}"

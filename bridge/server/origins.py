"""Which pages may use the bridge (wire protocol §10, ``ALLOWED_ORIGINS``; RFC 6454)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

REFUSAL = "pages of this origin may not use the bridge; see ALLOWED_ORIGINS"

_default_ports = {"http": ":80", "https": ":443"}
_label = r"[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?"


class Origins:
    """The allowed origins: the bridge's own, and the listed ones."""

    def __init__(self, listed: Iterable[str]) -> None:
        self._exact: set[str] = set()
        self._patterns: list[re.Pattern[str]] = []
        for origin in map(_normal, listed):
            if "*" in origin:
                self._patterns.append(re.compile(re.escape(origin).replace(r"\*", _label)))
            else:
                self._exact.add(origin)

    def allow(self, origin: str | None, scheme: str, host: str) -> bool:
        """Say whether a request may be served.

        Args:
            origin: Its ``Origin`` header. Clients that are no browsers send none.
            scheme: ``http`` or ``https``, as the bridge was reached.
            host: Its ``Host`` header.
        """
        if origin is None:
            return True
        return self.lists(origin) or _normal(origin) == _normal(f"{scheme}://{host}")

    def lists(self, origin: str) -> bool:
        """Say whether an origin is a listed one."""
        sent = _normal(origin)
        return sent in self._exact or any(pattern.fullmatch(sent) for pattern in self._patterns)


def _normal(origin: str) -> str:
    """Lower the case and leave out the port that the scheme implies, as browsers do."""
    lowered = origin.lower()
    scheme = lowered.partition("://")[0]
    return lowered.removesuffix(_default_ports.get(scheme, "\0"))

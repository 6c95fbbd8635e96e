"""Where the notification service is, and how long to wait for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

_DEFAULT_PORTS: Final = {"wss": 443, "xmpps": 5223}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``wss://host:8445/ws/`` (RFC 7395) or ``xmpps://host:5223`` (TLS from the first byte).

    Nothing without TLS: SASL PLAIN shows the password to whoever reads along (RFC 6120 section 13.8.1).

    Raises:
        ValueError: The address is none of these.
    """

    url: str
    scheme: Literal["wss", "xmpps"] = field(init=False)
    host: str = field(init=False)
    port: int = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in _DEFAULT_PORTS:
            raise ValueError("the notification service's address begins with wss:// or xmpps://")
        if not parts.hostname or parts.username is not None or parts.password is not None:
            raise ValueError("the notification service's address names a host and no user")
        if parts.fragment or (parts.scheme == "xmpps" and (parts.path not in {"", "/"} or parts.query)):
            raise ValueError("the notification service's address has a part that means nothing here")
        try:
            parts.hostname.encode("idna")
        except UnicodeError:
            raise ValueError("the notification service's host name cannot be one") from None
        object.__setattr__(self, "scheme", parts.scheme)
        object.__setattr__(self, "host", parts.hostname)
        object.__setattr__(self, "port", parts.port or _DEFAULT_PORTS[parts.scheme])


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds.

    ``connect``: from the first packet to the first presence. ``ping``: between two pings. ``pong``: for the answer to
    one, and for the server to take what was written. ``close``: for the goodbyes.
    """

    connect: float = 5.0
    ping: float = 10.0
    pong: float = 10.0
    close: float = 1.0


DEFAULT_TIMING: Final = Timing()

"""Where a client really is, when a reverse proxy stands in between (``TRUSTED_PROXIES``).

What a request says of that itself is believed only from a trusted proxy, and only as far back as the chain of trusted
proxies goes: anyone can send these headers. ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are read; ``Forwarded``
(RFC 7239) is not, as proxies that write it are rare and reading both would let one contradict the other.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_HOPS = 32
"""More addresses in a chain than any network has proxies are not looked at."""


class Client(NamedTuple):
    """Where a client is and how its bytes come.

    Attributes:
        address: Its network address; ``None`` where there is none, as with a Unix socket.
        scheme: ``http`` or ``https``, as the client wrote it.
        secure: Whether nobody on the way can read what it sends.
    """

    address: str | None
    scheme: str
    secure: bool


class Proxies:
    """The trusted proxies. Networks are read once per process."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(network) for network in trusted)

    def client(
        self, peer: str | None, *, encrypted: bool, forwarded_for: Sequence[str], forwarded_proto: Sequence[str]
    ) -> Client:
        """Say where a request comes from.

        Args:
            peer: The address at the other end of the socket.
            encrypted: Whether that socket speaks TLS.
            forwarded_for: All ``X-Forwarded-For`` headers, in their order.
            forwarded_proto: All ``X-Forwarded-Proto`` headers, in their order.
        """
        address = None if peer is None else _parsed(peer)
        if address is None or not self._trusts(address):
            scheme = "https" if encrypted else "http"
            return Client(peer, scheme, encrypted or (address is not None and address.is_loopback))
        # The last value is the one that the trusted proxy wrote; whatever stands before may be the client's own.
        said = ",".join(forwarded_proto).rpartition(",")[2].strip().lower()
        scheme = said if said in {"http", "https"} else "https" if encrypted else "http"
        return Client(str(self._furthest(address, forwarded_for)), scheme, said != "http")

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)

    def _furthest(self, peer: _Address, forwarded_for: Sequence[str]) -> _Address:
        """Walk the chain back from the peer to the first that is no trusted proxy, or to where it cannot be read."""
        last = peer
        for hop in reversed(",".join(forwarded_for).rsplit(",", MAX_HOPS)):
            address = _parsed(_without_port(hop.strip()))
            if address is None:
                return last
            last = address
            if not self._trusts(address):
                return last
        return last


@lru_cache(maxsize=4096)
def _parsed(text: str) -> _Address | None:
    """Read an address; one of IPv4 in the clothes of IPv6 counts as what it is."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _ = hop.partition(":")
    return host if colon and ":" not in hop[len(host) + 1 :] else hop

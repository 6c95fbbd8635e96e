"""Who a client really is, where a reverse proxy stands in front (``TRUSTED_PROXIES``).

Anybody can write ``X-Forwarded-For`` and ``X-Forwarded-Proto``, so they are believed from a trusted proxy alone, and of
its chain of addresses only the part that trusted proxies have written: the right end. ``Forwarded`` (RFC 7239) is not
read: a proxy that does not know it would pass on what the client wrote.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_bracketed = re.compile(r"\[([0-9a-fA-F:.]+)\](:[0-9]{1,5})?")
_with_port = re.compile(r"([0-9.]+):[0-9]{1,5}")

_encrypted = frozenset({"https", "wss"})


class Client(NamedTuple):
    """Whose request it is.

    Attributes:
        address: Its network address; ``None`` where the connection has none.
        scheme: ``http`` or ``https``, as the client's request was made.
        secure: Whether nobody on the way can read it: it is encrypted, or does not leave this machine, or comes from a
            trusted proxy that does not say otherwise.
    """

    address: str | None
    scheme: str
    secure: bool


class Proxies:
    """The proxies that are believed."""

    def __init__(self, trusted: Iterable[str]) -> None:
        """Read addresses and networks.

        Raises:
            ValueError: One is neither.
        """
        self._networks = tuple(map(ipaddress.ip_network, trusted))

    def client(self, peer: str | None, headers: Callable[[str], Sequence[str]], *, tls: bool) -> Client:
        """Say whose request it is.

        Args:
            peer: Address of the other end of the connection.
            headers: Gives every value of a header by its lower-case name, in order.
            tls: Whether the connection is encrypted.
        """
        address = _parsed(peer.partition("%")[0]) if peer else None  # without the name of our interface
        scheme = "https" if tls else "http"
        if address is None or not self._trust(address):
            return Client(peer, scheme, tls or (address is not None and address.is_loopback))
        said = _listed(headers("x-forwarded-proto"))
        if said:
            scheme = "https" if _encrypted.issuperset(word.lower() for word in said) else "http"
        chain = _listed(headers("x-forwarded-for"))
        return Client(str(self._farthest(address, chain)), scheme, not said or scheme == "https")

    def _farthest(self, nearest: _Address, chain: Sequence[str]) -> _Address:
        """Follow the chain back to the first that is no proxy of ours, or as far as it can be read."""
        found = nearest
        for hop in reversed(chain):
            address = _parsed(hop)
            if address is None:
                break
            found = address
            if not self._trust(address):
                break
        return found

    def _trust(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def _listed(values: Sequence[str]) -> list[str]:
    """Give the elements of a header that is a list: several headers mean the same as one (RFC 9110 section 5.3)."""
    return [element.strip() for value in values for element in value.split(",")]


def _parsed(text: str) -> _Address | None:
    """Read an address as it stands in the chain: bare, in brackets, with a port; ``None`` if it is none."""
    if found := _bracketed.fullmatch(text) or _with_port.fullmatch(text):
        text = found[1]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.scope_id is not None:  # can be any text, and only the proxy knows what it means
        return None
    return address.ipv4_mapped or address

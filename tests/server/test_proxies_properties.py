"""Whom the bridge believes about a client's address and scheme: only trusted proxies, and only what they wrote."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.server.proxies import Client, Proxies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TRUSTED = ("10.0.0.0/8", "127.0.0.1", "fd00::/8")
PROXY = "10.1.2.3"
CLIENT = "192.0.2.7"


def headers(*forwarded_for: str, proto: Sequence[str] = ()) -> Callable[[str], Sequence[str]]:
    sent = {"x-forwarded-for": list(forwarded_for), "x-forwarded-proto": list(proto)}
    return lambda name: sent[name]


def address(*forwarded_for: str, peer: str = PROXY) -> str | None:
    return Proxies(TRUSTED).client(peer, headers(*forwarded_for), tls=False).address


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ([], PROXY),
        ([""], PROXY),
        ([CLIENT], CLIENT),
        (["203.0.113.9, 192.0.2.7"], CLIENT),
        (["203.0.113.9", CLIENT], CLIENT),
        ([f"203.0.113.9,{CLIENT} , 10.9.9.9"], CLIENT),
        ([f"{CLIENT}, 10.9.9.9", "fd00::1"], CLIENT),
        (["10.9.9.9, 10.8.8.8"], "10.9.9.9"),
        (["192.0.2.7:4711"], CLIENT),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["2001:DB8:0::7"], "2001:db8::7"),
        (["::ffff:192.0.2.7"], CLIENT),
        ([f"{CLIENT}, ::ffff:10.9.9.9"], CLIENT),
    ],
)
def test_client_is_the_rightmost_address_that_is_no_trusted_proxy(chain: list[str], found: str) -> None:
    assert address(*chain) == found


@pytest.mark.parametrize(
    "garbage",
    ["unknown", "", "_hidden", "192.0.2.7:", "192.0.2.7:port", "[::1", "::1]", "192.0.2.999", "192.000.002.007",
     "fe80::1%<script>", "192.0.2.7 10.9.9.9", "localhost", "\x00", "١٩٢.0.2.7"],
)  # fmt: skip
def test_chain_that_cannot_be_read_ends_at_the_last_good_hop(garbage: str) -> None:
    assert address(garbage) == PROXY
    assert address(f"{CLIENT}, {garbage}, 10.9.9.9") == "10.9.9.9"


@pytest.mark.parametrize(
    ("peer", "tls", "said", "scheme", "secure"),
    [
        (CLIENT, False, [], "http", False),
        (CLIENT, True, [], "https", True),
        ("127.8.8.8", False, [], "http", True),  # loopback that is no proxy of ours
        ("::1", False, [], "http", True),
        ("::1", True, [], "https", True),
        (PROXY, False, [], "http", True),  # a proxy that says nothing
        (PROXY, True, [], "https", True),
        (PROXY, False, ["https"], "https", True),
        (PROXY, False, ["WSS"], "https", True),
        (PROXY, False, ["http"], "http", False),
        (PROXY, True, ["http"], "http", False),  # the client's own way to the proxy counts
        (PROXY, False, ["https, https"], "https", True),
        (PROXY, False, ["https", "http"], "http", False),
        (PROXY, False, ["http, https"], "http", False),
        (PROXY, False, ["ftp"], "http", False),
        (PROXY, False, [""], "http", False),
        ("127.0.0.1", False, ["http"], "http", False),  # a trusted proxy on this machine
        ("127.0.0.1", False, [], "http", True),
        (None, False, ["https"], "http", False),
        (None, True, ["http"], "https", True),
        ("fd00::1%eth0", False, ["https"], "https", True),
    ],
)
def test_scheme_and_whether_it_is_secure(
    peer: str | None, said: list[str], scheme: str, *, tls: bool, secure: bool
) -> None:
    got = Proxies(TRUSTED).client(peer, headers(proto=said), tls=tls)
    assert (got.scheme, got.secure) == (scheme, secure)


def test_without_trusted_proxies_loopback_is_believed_nothing() -> None:
    got = Proxies(()).client("127.0.0.1", headers(CLIENT, proto=["https"]), tls=False)
    assert got == Client("127.0.0.1", "http", secure=True)


addresses = st.ip_addresses().map(str)
outsiders = st.ip_addresses().filter(lambda it: not any(it in ipaddress.ip_network(net) for net in TRUSTED)).map(str)
proxies = st.sampled_from(["10.0.0.1", "10.255.255.255", "127.0.0.1", "fd00::1"])
anything = st.lists(st.one_of(st.text(), addresses, st.lists(addresses).map(", ".join)), max_size=4)
protos = st.lists(st.one_of(st.text(max_size=5), st.sampled_from(["http", "https", "wss"])), max_size=3)


@given(peer=outsiders, chain=anything, said=protos, tls=st.booleans())
def test_client_behind_no_trusted_proxy_never_changes_anything(
    peer: str, chain: list[str], said: list[str], *, tls: bool
) -> None:
    believing = Proxies(TRUSTED)
    assert believing.client(peer, headers(*chain, proto=said), tls=tls) == believing.client(peer, headers(), tls=tls)


@given(peer=proxies, sent=anything, client=outsiders, between=st.lists(proxies, max_size=3))
def test_what_the_client_wrote_before_trusted_proxies_added_to_it_never_counts(
    peer: str, sent: list[str], client: str, between: list[str]
) -> None:
    found = ipaddress.ip_address(client)
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None and any(mapped in ipaddress.ip_network(net) for net in TRUSTED):
        return  # another spelling of a trusted address
    got = Proxies(TRUSTED).client(peer, headers(*sent, ", ".join([client, *between])), tls=False)
    assert got.address == str(mapped or found)


@given(peer=st.one_of(st.none(), st.text(), addresses), chain=anything, said=protos, tls=st.booleans())
def test_whatever_is_sent_gives_an_address_or_the_peer(
    peer: str | None, chain: list[str], said: list[str], *, tls: bool
) -> None:
    got = Proxies(TRUSTED).client(peer, headers(*chain, proto=said), tls=tls)
    assert got.scheme in {"http", "https"}
    if got.address != peer:
        assert got.address is not None
        ipaddress.ip_address(got.address)

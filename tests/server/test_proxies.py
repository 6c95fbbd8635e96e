"""Who a client is behind reverse proxies, and that nobody else can say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.server.proxies import Client, Proxies

BEHIND = Proxies(["10.0.0.0/8", "fd00::/8"])


def seen(peer: str | None, *chain: str, proto: tuple[str, ...] = (), encrypted: bool = False) -> Client:
    return BEHIND.client(peer, encrypted=encrypted, forwarded_for=chain, forwarded_proto=proto)


def test_a_client_without_proxy_is_where_its_socket_is() -> None:
    assert seen("192.0.2.1") == Client("192.0.2.1", "http", secure=False)
    assert seen("192.0.2.1", encrypted=True) == Client("192.0.2.1", "https", secure=True)
    assert seen("127.0.0.1") == Client("127.0.0.1", "http", secure=True)
    assert seen("::1").secure is True
    assert seen(None) == Client(None, "http", secure=False)


def test_a_trusted_proxy_tells_where_the_client_is_and_how_it_came() -> None:
    assert seen("10.0.0.1", "192.0.2.1", proto=("https",)) == Client("192.0.2.1", "https", secure=True)
    assert seen("10.0.0.1", "192.0.2.1", proto=("http",)) == Client("192.0.2.1", "http", secure=False)
    assert seen("fd00::1", "2001:db8::1", proto=("HTTPS",)) == Client("2001:db8::1", "https", secure=True)
    assert seen("::ffff:10.0.0.1", "192.0.2.1").address == "192.0.2.1"


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        (("203.0.113.9, 192.0.2.1",), "192.0.2.1"),  # what stands before is the client's own word
        (("203.0.113.9", "192.0.2.1"), "192.0.2.1"),
        (("192.0.2.1, 10.0.0.2, 10.0.0.3",), "192.0.2.1"),
        (("192.0.2.1:4711",), "192.0.2.1"),
        (("[2001:db8::1]:4711",), "2001:db8::1"),
        (("[2001:db8::1]",), "2001:db8::1"),
        (("192.0.2.1, nonsense, 10.0.0.2",), "10.0.0.2"),
        (("",), "10.0.0.1"),
        ((), "10.0.0.1"),
        ((",".join(["192.0.2.1"] * 500),), "192.0.2.1"),
        ((",".join(["192.0.2.1"] + ["10.0.0.2"] * 500),), "10.0.0.2"),
    ],
)
def test_the_chain_is_followed_as_far_as_it_is_trusted(chain: tuple[str, ...], address: str) -> None:
    assert seen("10.0.0.1", *chain).address == address


def test_the_last_word_on_the_scheme_is_the_proxys() -> None:
    assert seen("10.0.0.1", proto=("https, http",)).scheme == "http"
    assert seen("10.0.0.1", proto=("https", "http")).secure is False
    assert seen("10.0.0.1", proto=("gopher",)) == Client("10.0.0.1", "http", secure=True)


texts = st.lists(st.text(alphabet="0123456789abcdef.:,[]% https", max_size=60), max_size=4)


@given(texts, texts)
def test_no_header_moves_a_client_that_comes_by_itself(chain: list[str], proto: list[str]) -> None:
    said = BEHIND.client("192.0.2.1", encrypted=False, forwarded_for=chain, forwarded_proto=proto)

    assert said == Client("192.0.2.1", "http", secure=False)


@given(texts, texts)
def test_whatever_a_client_sends_through_a_proxy_its_address_is_the_one_that_the_proxy_saw(
    chain: list[str], proto: list[str]
) -> None:
    said = seen("10.0.0.1", *chain, "192.0.2.1", proto=(*proto, "http"))

    assert said == Client("192.0.2.1", "http", secure=False)

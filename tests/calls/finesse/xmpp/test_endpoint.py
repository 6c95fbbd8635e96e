"""Addresses of a notification service."""

from __future__ import annotations

import pytest

from bridge.calls.finesse.xmpp import Endpoint


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("wss://finesse1.example:8445/ws/", "finesse1.example", 8445),
        ("WSS://finesse1.example/ws/", "finesse1.example", 443),
        ("xmpps://finesse1.example:5223", "finesse1.example", 5223),
        ("xmpps://finesse1.example/", "finesse1.example", 5223),
        ("xmpps://[::1]:7", "::1", 7),
    ],
)
def test_an_address_names_a_host_and_a_port(url: str, host: str, port: int) -> None:
    endpoint = Endpoint(url)
    assert (endpoint.host, endpoint.port) == (host, port)
    assert endpoint.scheme == url.lower().split(":", maxsplit=1)[0]


@pytest.mark.parametrize("url", ["ws://h/ws/", "xmpp://h:5222", "https://h", "h:5223", ""])
def test_nothing_goes_without_tls(url: str) -> None:
    with pytest.raises(ValueError, match="wss:// or xmpps://"):
        Endpoint(url)


@pytest.mark.parametrize(
    "url",
    [
        "wss:///ws/",
        "wss://user:secret@h/",
        "xmpps://h/path",
        "xmpps://h?a=b",
        "wss://h/#x",
        "wss://h:99999/",
        "wss://h:x/",
    ],
)
def test_an_address_that_cannot_be_one_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        Endpoint(url)
    assert "secret" not in str(refused.value)


def test_a_host_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="host name"):
        Endpoint(f"wss://{'a' * 64}.example/")

"""Which Host may be asked while there is no authentication."""

from __future__ import annotations

import pytest

from bridge.server import hosts


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost:8765", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:65535"],
)
@pytest.mark.parametrize("path", ["/", "/ws", "/gadgets/clock/"])
def test_loopback_is_allowed_everywhere(host: str, path: str) -> None:
    assert hosts.allowed(host, path)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "localhost.", "127.0.0.2", "::1", "[::2]",
        "0.0.0.0", "localhost:", "localhost:x", "localhost:8765:1", "localhost@evil.example", " localhost", "", "127.1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/ws", "/gadgets/clock/"])
def test_any_other_name_is_refused(host: str, path: str) -> None:
    assert not hosts.allowed(host, path)


@pytest.mark.parametrize("host", ["clock.localhost", "clock.localhost:8765", "a.b.localhost", "Clock-2.localhost"])
def test_names_under_localhost_are_for_gadgets_only(host: str) -> None:
    assert hosts.allowed(host, "/gadgets/clock/index.html")
    assert not hosts.allowed(host, "/")
    assert not hosts.allowed(host, "/ws")
    assert not hosts.allowed(host, "/gadgetsx/")


@pytest.mark.parametrize(
    "host", [".localhost", "-a.localhost", "a..localhost", "xlocalhost", "a.localhost.evil.example"]
)
def test_what_only_looks_like_such_a_name_is_refused(host: str) -> None:
    assert not hosts.allowed(host, "/gadgets/clock/")

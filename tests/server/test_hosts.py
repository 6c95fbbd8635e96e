"""Which Host may be asked, with authentication and without."""

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


@pytest.mark.parametrize(
    "host", ["bridge.example", "Bridge.Example:8765", "bridge_1", "127.0.0.2:80", "[::1]", "[2001:db8::1]:443"]
)
def test_with_authentication_any_host_may_be_asked(host: str) -> None:
    assert hosts.refusal([host], "/ws", authentication=True) is None


@pytest.mark.parametrize(
    "host",
    [
        "", " ", "a b", "a/b", "a@b", "a?b", "a#b", "a\\b", "a:b", "a:", "a:123456", "a,b", "a\n", "gr\u00fcn",
        "[", "[]", "[:::]", "[1::2::3]", "[::1]x", "a[::1]", "[::1", "x" * 256,
    ],
)  # fmt: skip
@pytest.mark.parametrize("authentication", [True, False])
def test_what_is_no_name_of_a_host_is_refused(host: str, authentication: bool) -> None:  # noqa: FBT001
    assert hosts.refusal([host], "/ws", authentication=authentication) is not None


@pytest.mark.parametrize("sent", [[], ["localhost", "localhost"]])
@pytest.mark.parametrize("authentication", [True, False])
def test_there_is_one_host(sent: list[str], authentication: bool) -> None:  # noqa: FBT001
    found = hosts.refusal(sent, "/ws", authentication=authentication)
    assert found is not None
    assert found[0] == 400

"""The content policy names the page's own host, frames for gadgets on loopback only, and nothing injected."""

from __future__ import annotations

import pytest

from bridge.server import content_policy


def directives(scheme: str, host: str) -> dict[str, list[str]]:
    """Take a policy apart."""
    parts = [directive.split() for directive in content_policy.of_page(scheme, host).split("; ")]
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize(
    ("scheme", "host", "sources"),
    [
        ("http", "127.0.0.1:8765", ["'self'", "ws://127.0.0.1:8765"]),
        ("http", "localhost", ["'self'", "ws://localhost"]),
        ("https", "desk.example.com", ["'self'", "wss://desk.example.com"]),
        ("http", "[::1]:8765", ["'self'"]),
        ("http", "a; script-src *", ["'self'"]),
    ],
)
def test_a_page_connects_to_its_own_host_only(scheme: str, host: str, sources: list[str]) -> None:
    assert directives(scheme, host)["connect-src"] == sources


@pytest.mark.parametrize(
    ("scheme", "host", "sources"),
    [
        ("http", "127.0.0.1:8765", ["http://*.localhost:8765"]),
        ("http", "LOCALHOST:8765", ["http://*.localhost:8765"]),
        ("https", "localhost", ["https://*.localhost"]),
        ("https", "desk.example.com", ["'none'"]),
        ("http", "localhost.example.com:8765", ["'none'"]),
        ("http", "[::1]:8765", ["'none'"]),
    ],
)
def test_gadgets_are_framed_on_loopback_only(scheme: str, host: str, sources: list[str]) -> None:
    assert directives(scheme, host)["frame-src"] == sources


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "desk.example.com"])
def test_scripts_and_styles_are_files_of_the_bridge(host: str) -> None:
    policy = directives("https", host)
    assert policy["default-src"] == ["'self'"]
    assert policy["object-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'self'"]
    assert "unsafe" not in str(policy)
    assert "script-src" not in policy
    assert "style-src" not in policy

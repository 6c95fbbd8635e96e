"""Which pages may use the bridge."""

from __future__ import annotations

import pytest

from bridge.server.origins import Origins


def allowed(origin: str | None, *listed: str, scheme: str = "http", host: str = "localhost:8765") -> bool:
    return Origins(listed).allow(origin, scheme, host)


def test_client_that_is_no_page_is_allowed() -> None:
    assert allowed(None)


@pytest.mark.parametrize("origin", ["http://localhost:8765", "HTTP://LocalHost:8765"])
def test_own_origin_is_allowed(origin: str) -> None:
    assert allowed(origin)


@pytest.mark.parametrize(
    "origin",
    ["https://localhost:8765", "http://localhost", "http://localhost:8766", "http://127.0.0.1:8765", "null", "", "x"],
)
def test_other_scheme_host_or_port_is_foreign(origin: str) -> None:
    assert not allowed(origin)


@pytest.mark.parametrize(
    ("origin", "scheme", "host"),
    [
        ("http://localhost", "http", "localhost:80"),
        ("http://localhost:80", "http", "localhost"),
        ("https://localhost", "https", "localhost:443"),
    ],
)
def test_port_that_the_scheme_implies_is_the_same_port(origin: str, scheme: str, host: str) -> None:
    assert allowed(origin, scheme=scheme, host=host)


def test_port_of_the_other_scheme_is_another_port() -> None:
    assert not allowed("http://localhost:443", scheme="https", host="localhost")


def test_listed_origin_is_allowed_exactly() -> None:
    assert allowed("https://desk.example.com", "https://desk.example.com")
    assert allowed("https://desk.example.com", "https://Desk.example.com:443")
    assert not allowed("http://desk.example.com", "https://desk.example.com")
    assert not allowed("https://desk.example.com:8443", "https://desk.example.com")


@pytest.mark.parametrize("origin", ["https://a.example.com", "https://a-1.example.com", "https://A.Example.Com"])
def test_star_stands_for_one_label(origin: str) -> None:
    assert allowed(origin, "https://*.example.com")


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com", "https://a.b.example.com", "https://.example.com", "http://a.example.com",
        "https://a.example.com.evil.org", "https://evil.org/.example.com", "https://evil.org#.example.com",
        "https://aXexample.com", "https://a.example.com:8443",
    ],
)  # fmt: skip
def test_star_stands_for_nothing_else(origin: str) -> None:
    assert not allowed(origin, "https://*.example.com")


def test_null_is_allowed_only_where_listed() -> None:
    assert not allowed("null", "https://*.example.com")
    assert allowed("null", "null")

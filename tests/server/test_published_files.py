"""``/sdk/`` and ``/schemas/``: for pages of every origin, small on the way, and public."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from bridge.testing import BackgroundBridge

MODULE = "/sdk/workspace-bridge.js"


@pytest.mark.parametrize("path", [MODULE, "/sdk/messages.d.ts", "/schemas/index.json", "/asyncapi.json", "/schemas/"])
def test_pages_of_every_origin_may_load_it(bridge: BackgroundBridge, path: str) -> None:
    answer = httpx.get(bridge.http_url.rstrip("/") + path, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_other_paths_may_not_be_loaded_by_every_page(bridge: BackgroundBridge) -> None:
    answer = httpx.get(bridge.http_url + "/healthz", headers={"Origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip", "gzip"), ("br, GZIP;q=0.5", "gzip"), ("identity", None), ("gzip;q=0", None), ("", None)],
)
def test_compressed_where_that_is_accepted(bridge: BackgroundBridge, accepted: str, encoding: str | None) -> None:
    with httpx.stream("GET", bridge.http_url.rstrip("/") + MODULE, headers={"Accept-Encoding": accepted}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert int(answer.headers["content-length"]) == len(body)
    assert b"export async function connect" in (gzip.decompress(body) if encoding else body)


def test_what_has_not_changed_is_not_sent_again(bridge: BackgroundBridge) -> None:
    first = httpx.get(bridge.http_url.rstrip("/") + MODULE)
    again = httpx.get(bridge.http_url.rstrip("/") + MODULE, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "no-cache"


def test_nothing_beside_the_folder_is_served(bridge: BackgroundBridge) -> None:
    assert httpx.get(bridge.http_url.rstrip("/") + "/sdk/..%2fpyproject.toml").status_code == 404

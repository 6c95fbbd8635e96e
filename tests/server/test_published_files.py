"""``/sdk/`` and ``/schemas/``: for pages of every origin, small on the way, and public."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import httpx
import pytest
from structlog.testing import capture_logs

from bridge.server.published import Published
from bridge.testing import BackgroundBridge

if TYPE_CHECKING:
    from pathlib import Path

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


async def got(files: Published, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(files), base_url="http://localhost") as client:
        return await client.get(path)


async def test_changed_module_is_served_with_the_next_reload(tmp_path: Path) -> None:
    (tmp_path / "entry.js").write_text('import { a } from "./a.js";\nexport const b = a;\n')
    (tmp_path / "a.js").write_text("export const a = 1;\n")
    files = Published(directory=tmp_path, bundled=["entry.js"])
    before = await got(files, "/entry.js")
    (tmp_path / "a.js").write_text("export const a = 2;\n")
    os.utime(tmp_path / "a.js", ns=(1, 1))
    after = await got(files, "/entry.js")
    assert [before.text, after.text] == [f"const a = {n};\nexport const b = a;\n" for n in (1, 2)]
    assert before.headers["etag"] != after.headers["etag"]


async def test_module_of_a_form_that_is_not_known_is_served_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "entry.js").write_text("export default 1; // one\n")
    with capture_logs() as logs:
        answer = await got(Published(directory=tmp_path, bundled=["entry.js"]), "/entry.js")
    assert answer.text == "export default 1; // one\n"
    assert [(entry["event"], entry["module"]) for entry in logs] == [("sdk_not_bundled", "entry.js")]


def test_the_client_is_public_where_tokens_are_asked_for_and_stays_without_the_demo_page() -> None:
    with BackgroundBridge(jwt_secret="of-32-characters-or-more-for-tests", demo_page=False) as bridge:
        base = bridge.http_url.rstrip("/")
        assert httpx.get(base + MODULE).status_code == 200
        assert httpx.get(base + "/sdk/gateway.js").status_code == 200
        assert httpx.get(base + "/gadgets/one.html").status_code == 404
        assert httpx.get(base + "/").status_code == 404

"""The gadget of the README works in a browser, on a page of another origin."""

from __future__ import annotations

import http.server
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.testing import BackgroundBridge, Desk

README = Path(__file__).parents[2] / "README.md"
CHROMIUM = "/usr/bin/chromium"
WAIT_MS = 15_000


class Site(http.server.ThreadingHTTPServer):
    """A site with one page, which a test sets. A page that did not come from this machine might not reach it."""

    page = ""

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.server_port}"


class Visit(http.server.BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        body = self.server.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class' name
        del format, args


@pytest.fixture
def site() -> Iterator[Site]:
    with Site(("127.0.0.1", 0), Visit) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def bridge_settings(site: Site) -> dict[str, Any]:
    return {"allowed_origins": (site.origin,)}


def gadget(bridge: BackgroundBridge) -> str:
    """Give the README's page, pointed at the bridge under test."""
    found = re.search(r"<!-- gadget -->\n```html\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    page, replaced = re.subn(r"ws://127\.0\.0\.1:8765/ws", bridge.url, found.group(1))
    assert replaced == 1
    return page


async def test_gadget_shows_calls_and_answers_with_a_click(site: Site, bridge: BackgroundBridge, desk: Desk) -> None:
    site.page = gadget(bridge)
    earlier = await desk.offer("+15550100")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page()
        await page.goto(site.origin)

        await expect(page.get_by_text(f"{earlier}: alerting")).to_be_visible(timeout=WAIT_MS)
        await page.get_by_text(f"{earlier}: alerting").click()
        await expect(page.get_by_text(f"{earlier}: active")).to_be_visible(timeout=WAIT_MS)

        later = await desk.offer("+15550101")
        await expect(page.get_by_text(f"{later}: alerting")).to_be_visible(timeout=WAIT_MS)
        await desk.drop(earlier)
        await expect(page.get_by_text(earlier)).to_have_count(0, timeout=WAIT_MS)
        await browser.close()

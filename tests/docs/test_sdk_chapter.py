"""The ten lines of the chapter on the browser client work, on a page of another origin."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import async_playwright, expect

from tests.docs.test_readme_gadget import CHROMIUM, WAIT_MS, Site, site

if TYPE_CHECKING:
    from bridge.testing import BackgroundBridge, Desk

__all__ = ["site"]

CHAPTER = Path(__file__).parents[2] / "docs" / "sdk.md"


@pytest.fixture
def bridge_settings(site: Site) -> dict[str, Any]:
    return {"allowed_origins": (site.origin,)}


async def test_ten_lines_show_a_call(site: Site, bridge: BackgroundBridge, desk: Desk) -> None:
    found = re.search(r"```html\n(.*?)```", CHAPTER.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    site.page, replaced = re.subn(r"http://127\.0\.0\.1:8765/", bridge.http_url.rstrip("/") + "/", found.group(1))
    assert replaced == 1
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page()
        await page.goto(site.origin)
        call = await desk.offer("+15550100")
        await expect(page.get_by_text(f"{call}: alerting")).to_be_visible(timeout=WAIT_MS)
        await browser.close()

"""axe-core, run in an open page: what keeps people out of it, as far as a program can tell (WCAG 2.2 A and AA)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Page

SOURCE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"

FIND = """async () => {
    const { violations, passes } = await axe.run(document, { iframes: false });
    const found = violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`));
    return { found, passed: passes.map(({ id }) => id) };
}"""


@cache
def _source() -> str:
    assert SOURCE.is_file(), "run `npm ci --prefix tests/browser`, or `make`"
    return SOURCE.read_text(encoding="utf-8")


async def findings(page: Page) -> list[str]:
    """Give what axe finds in the page as it stands, frames aside: they are pages of their own.

    It is evaluated, not added as a script: the page's content policy keeps its force.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_source())
    result = await page.evaluate(FIND)
    assert "color-contrast" in result["passed"], "axe has not looked at the texts"
    found: list[str] = result["found"]
    return found

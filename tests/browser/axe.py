"""axe-core, run in an open page: what keeps people out of it, as far as a program can tell (WCAG 2.2 A and AA)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.async_api import Page

SOURCE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"

FRAMED = ("landmark-one-main", "region", "page-has-heading-one")
"""Rules for whole pages, which a gadget that stands in a frame need not keep."""

FIND = """async (without) => {
    const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
    const { violations, passes } = await axe.run(document, { iframes: false, rules });
    const found = violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`));
    return { found, passed: passes.map(({ id }) => id) };
}"""


@cache
def _source() -> str:
    assert SOURCE.is_file(), "run `npm ci --prefix tests/browser`, or `make`"
    return SOURCE.read_text(encoding="utf-8")


async def findings(page: Page, without: Sequence[str] = ()) -> list[str]:
    """Give what axe finds in the page as it stands, by all rules but these, frames aside: they are pages of their own.

    It is evaluated, not added as a script: the page's content policy keeps its force.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_source())
    result = await page.evaluate(FIND, list(without))
    assert "color-contrast" in result["passed"], "axe has not looked at the texts"
    found: list[str] = result["found"]
    return found

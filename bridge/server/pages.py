"""The page behind each problem's ``type``: the documentation's own page of that code, as HTML."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from bridge.protocol.errors import REFUSALS, Code
from bridge.server import assets

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRAME = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body>
{body}
</body>
</html>
"""

_other_code = re.compile(r"(?P<code>[a-z_]+)\.md(?P<anchor>#.*)?")


@cache
def of_code(code: Code) -> str:
    """Explain one code: what the documentation says, or one sentence where its pages are not installed."""
    refusal = REFUSALS[code]
    written = _documented(code) or f"<h1><code>{code}</code></h1>\n<p>{escape(refusal.meaning)}</p>\n"
    again = "Trying again later may help." if refusal.temporary else "The same message will be refused again."
    body = (
        f'{written}<p>{again} Over HTTP the status is {refusal.status}.</p>\n<p><a href="/problems/">All codes</a></p>'
    )
    return _FRAME.format(title=escape(code), body=body)


def of_all() -> str:
    """List the codes, in the order in which they are checked."""
    items = "\n".join(
        f'<dt><a href="/problems/{code}"><code>{code}</code></a></dt><dd>{escape(refusal.meaning)}</dd>'
        for code, refusal in REFUSALS.items()
    )
    body = f"<h1>Why a message is refused</h1>\n<dl>\n{items}\n</dl>"
    return _FRAME.format(title="Why a message is refused", body=body)


def _documented(code: Code) -> str | None:
    directory = assets.directory("docs/errors")
    page = directory / f"{code}.md" if directory is not None else None
    if page is None or not page.is_file():
        return None
    markdown = MarkdownIt()
    tokens = markdown.parse(page.read_text(encoding="utf-8"))
    for token in tokens:
        _relink(token.children or [])
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _relink(tokens: list[Token]) -> None:
    """Point links between codes here; what else the documentation links to is not served, so it becomes emphasis."""
    dead = False
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrGet("href"))
            other = _other_code.fullmatch(href)
            if other is not None:
                token.attrSet("href", f"/problems/{other['code']}")
            dead = other is None and "://" not in href
        if dead and token.type in {"link_open", "link_close"}:
            dead = token.type == "link_open"
            token.type, token.tag, token.attrs = token.type.replace("link", "em"), "em", {}

"""The page behind each problem's ``type``, so that a developer who follows it finds what the code means."""

from __future__ import annotations

from html import escape

from bridge.protocol.errors import REFUSALS, Code

_FRAME = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body>
{body}
</body>
</html>
"""


def of_code(code: Code) -> str:
    """Explain one code."""
    refusal = REFUSALS[code]
    again = "Trying again later may help." if refusal.temporary else "The same message will be refused again."
    body = (
        f"<h1><code>{code}</code></h1>\n<p>{escape(refusal.meaning)}</p>\n"
        f"<p>{again} Over HTTP the status is {refusal.status}.</p>\n"
        '<p><a href="/problems/">All codes</a></p>'
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

"""Bar charts as SVG: one result, one bar for each subject, readable on light and dark pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from benchmarks.tables import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.measure import Figure

WIDTH = 720
LABELS = 190
"""Where bars begin: left of it stand the names."""

VALUES = 80
"""Room for a value right of the longest bar."""

HEAD = 52
ROW = 26
BAR = 16

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.unit { fill: #59636e }
.bar { fill: #afb8c1 }
.mine { fill: #0969da }
.spread { stroke: #59636e; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .unit { fill: #9198a1 }
  .bar { fill: #545d68 }
  .mine { fill: #4493f8 }
  .spread { stroke: #b7bdc8 }
}
"""


class Bar(NamedTuple):
    """One bar. ``mine`` is what the chart is about, and stands out."""

    label: str
    figure: Figure
    mine: bool


def bar_chart(title: str, unit: str, bars: Sequence[Bar]) -> str:
    """Draw medians as bars, with a line from the least to the greatest round."""
    longest = max(max(bar.figure.rounds) for bar in bars) or 1.0
    scale = (WIDTH - LABELS - VALUES) / longest
    height = HEAD + ROW * len(bars) + 8
    better = "more is better" if unit.endswith("/s") else "less is better"
    told = "; ".join(f"{bar.label} {number(bar.figure.median)}" for bar in bars)
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    label = escape(f"{title}, {unit}: {told}", {'"': "&quot;"})
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">',
        f"<style>{STYLE}</style>",
        _text(0, 18, title, "title"),
        _text(0, 37, f"{unit}, {better}", "unit"),
        *(line for row, bar in enumerate(bars) for line in _bar(bar, HEAD + row * ROW, scale)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bar(bar: Bar, top: float, scale: float) -> Iterable[str]:
    middle = top + BAR / 2
    rounds = bar.figure.rounds
    low, high = (LABELS + value * scale for value in (min(rounds), max(rounds)))
    style = "bar mine" if bar.mine else "bar"
    yield _text(0, middle + 5, bar.label, "title" if bar.mine else "")
    place = f'x="{LABELS}" y="{top:g}" width="{bar.figure.median * scale:.1f}" height="{BAR}"'
    yield f'<rect class="{style}" {place} rx="2"/>'
    if high - low >= 1:
        yield f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{middle:g}" y2="{middle:g}"/>'
    yield _text(max(high, LABELS) + 8, middle + 5, number(bar.figure.median), "")


def _text(x: float, y: float, text: str, style: str) -> str:
    named = f' class="{style}"' if style else ""
    return f'<text{named} x="{x:.5g}" y="{y:g}">{escape(text)}</text>'

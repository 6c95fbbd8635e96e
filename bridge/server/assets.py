"""Where the demo page, the SDK and the schemas lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

import bridge

_package = Path(bridge.__file__).parent


def directory(name: str) -> Path | None:
    """Find ``demo_page``, ``sdk``, ``schemas`` or ``docs/errors``; ``None`` where neither place has it."""
    for place in (_package / name, _package.parent / name):
        if place.is_dir():
            return place
    return None

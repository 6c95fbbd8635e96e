"""The page's JavaScript says of which types its values are, and TypeScript finds no fault with it.

The sample gadgets are left out: they are plain pages, written as anybody would write one.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

HERE = Path(__file__).parent
TSC = HERE.parent / "sdk/node_modules/.bin/tsc"


async def test_typescript_finds_nothing_in_the_demo_page() -> None:
    assert TSC.exists(), "run `npm ci --prefix tests/sdk`, or `make`"
    checked = await asyncio.create_subprocess_exec(
        TSC, "--project", HERE / "tsconfig.json", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    found, _ = await checked.communicate()

    assert (checked.returncode, found.decode()) == (0, "")

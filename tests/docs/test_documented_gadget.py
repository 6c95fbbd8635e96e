"""The gadget of 20 lines in the documentation is the one that the tests run, and says what the catalogue has."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.protocol.catalogue import ENTRIES, Kind
from bridge.protocol.control import CHANNEL

ROOT = Path(__file__).parents[2]
GADGET = (ROOT / "demo_page" / "gadgets" / "one.html").read_text(encoding="utf-8")


def documented() -> str:
    page = (ROOT / "docs" / "gadgets.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- gadget-of-20-lines -->\n```html\n(.*?)```", page, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_documented_gadget_is_the_demo_pages() -> None:
    assert documented() == GADGET


def test_it_has_twenty_lines_and_needs_nothing_but_post_message() -> None:
    assert len(GADGET.splitlines()) == 20
    assert not re.search(r"WebSocket|fetch|import|EventSource|<script src", GADGET)


def test_gateway_knows_in_which_channels_everything_is_a_command() -> None:
    source = (ROOT / "sdk" / "gateway" / "bridge.js").read_text(encoding="utf-8")
    found = re.search(r"COMMAND_CHANNELS = \[(.*?)\]", source)
    assert found is not None
    known = set(re.findall(r'"(\w+)"', found.group(1)))
    sent = [entry for entry in ENTRIES if entry.from_client and entry.address.channel != CHANNEL]
    assert {entry.address.channel for entry in sent} == known
    assert {entry.kind for entry in sent} == {Kind.COMMAND}

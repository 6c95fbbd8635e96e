"""The browser client in a page of Chromium: how many messages a second it takes until the page no longer moves well."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import speech
from benchmarks.arrival import enter_all
from benchmarks.load import Group, LoadError
from benchmarks.measure import Span, span
from benchmarks.pace import paced

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from benchmarks.load import Link
    from benchmarks.peers import Peer
    from benchmarks.server import Server

ROOM = "bench"
FIRST_RATE = 500
STEP = 2**0.5
LAST_RATE = 32_000

DROPPED_SHARE = 0.1
"""A page that misses more of its frames is seen to stutter."""

FRAME_MS = 1000 / 60
BEHIND_MS = 500
"""So long after the last message was written the page must have had all."""

# The widget: it writes each message's number of order into the page, and notes when frames were drawn.
WIDGET = """
async () => {
  const { connect } = await import("/sdk/workspace-bridge.js");
  const bridge = await connect({ workspace: "bench", app: "page" });
  const shown = document.body.appendChild(document.createElement("output"));
  const widget = (globalThis.widget = { heard: 0, frames: [], expected: 0, done: () => {} });
  const joined = new Promise((resolve) => {
    bridge.subscribe("Bench", (message) => {
      widget.heard += 1;
      shown.textContent = `${widget.heard}: ${message.source}`;
      if (widget.heard === widget.expected) widget.done();
    }, { onJoined: resolve });
  });
  await joined;
  const frame = (time) => {
    widget.frames.push(time);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
"""

BEGIN = "(expected) => Object.assign(widget, { heard: 0, frames: [], expected })"

END = """
(patience) => new Promise((resolve) => {
  const tell = () => resolve({ heard: widget.heard, frames: widget.frames });
  if (widget.heard >= widget.expected) tell();
  widget.done = tell;
  setTimeout(tell, patience);
})
"""


class Step(NamedTuple):
    """What a page did at one rate. ``dropped`` is the share of frames that it did not draw in time."""

    rate: float
    everything: bool
    dropped: float

    @property
    def smooth(self) -> bool:
        """Whether the page kept up."""
        return self.everything and self.dropped <= DROPPED_SHARE


def missing() -> str:
    """Say what is needed and not there; nothing if all is."""
    if find_spec("playwright") is None:
        return "Playwright is not installed: pip install playwright"
    if shutil.which("chromium") is None:
        return "Chromium is not installed: apt-get install chromium"
    return ""


class SdkPage(Group):
    """A session that publishes, for a page that listens."""

    def __init__(self, server: Server, peer: Peer, sender: Link) -> None:
        super().__init__(server, [sender])
        self._sender = sender.transport
        self._frame = peer.frame(speech.note(), ROOM)

    @classmethod
    async def open(cls, server: Server, peer: Peer) -> SdkPage:
        """Connect the sender."""
        (sender,) = await enter_all(server.port, peer, [ROOM])
        return cls(server, peer, sender)

    async def climb(self, seconds: float) -> tuple[float, Span]:
        """Raise the rate step by step; give the last one that the page kept up with, and what the bridge used."""
        kept_up = 0.0
        with span(self.server) as measured:
            async with _page(self.server.port) as page:
                with self.server.beside():  # so that Chromium has a core to itself
                    rate = float(FIRST_RATE)
                    await self._step(page, rate, seconds)  # the first messages warm up
                    while rate <= LAST_RATE and (await self._step(page, rate, seconds)).smooth:
                        kept_up = rate
                        rate *= STEP
        return kept_up, measured

    async def _step(self, page: Page, rate: float, seconds: float) -> Step:
        total = round(rate * seconds)
        await page.evaluate(BEGIN, total)
        await paced(rate, total, lambda: self._sender.write(self._frame))
        told = await page.evaluate(END, BEHIND_MS)
        return Step(rate, told["heard"] == total, dropped(told["frames"]))


def dropped(frames: list[float]) -> float:
    """Give the share of frames that were not drawn, from the times of those that were."""
    if len(frames) < 2:
        return 1.0
    due = (frames[-1] - frames[0]) / FRAME_MS
    return max(0.0, 1 - (len(frames) - 1) / due)


@asynccontextmanager
async def _page(port: int) -> AsyncIterator[Page]:
    """Open a page of the bridge's own origin, with the widget in it."""
    from playwright.async_api import Error, async_playwright  # noqa: PLC0415 not everybody has it

    async with async_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{port}/healthz")
            await page.evaluate(WIDGET)
            yield page
        except Error as error:
            raise LoadError(f"the page: {error.message}") from error
        finally:
            await browser.close()

"""A host page with gadgets in frames of other origins, all of them on this machine."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playwright.async_api import BrowserContext, Frame, Page

ROOT = Path(__file__).parents[2]
PAGES = Path(__file__).parent / "pages"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}


class _Visit(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = _file(self.path)
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", TYPES[path.suffix])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class' name
        del format, args


def _file(path: str) -> Path:
    if path.startswith("/sdk/"):
        return ROOT / path[1:]
    return ROOT / "demo_page" / path[1:] if path.startswith("/gadgets/") else PAGES / path[1:]


@contextmanager
def serving() -> Iterator[int]:
    """Serve the pages on this machine under any name that leads to it; give the port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Visit) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class HostPage:
    """The page at ``http://localhost``, and what stands in its frames."""

    def __init__(self, page: Page, port: int, bridge: str) -> None:
        self.page = page
        self.port = port
        self.bridge = bridge

    @classmethod
    async def open(cls, context: BrowserContext, port: int, bridge: str) -> Self:
        host = cls(await context.new_page(), port, bridge)
        await host.page.goto(f"http://localhost:{port}/host.html")
        await host.page.wait_for_function("window.isReady")
        return host

    def origin(self, name: str) -> str:
        return f"http://{name}.localhost:{self.port}"

    async def start(self, gadgets: dict[str, dict[str, Any]], pages: Iterable[str]) -> None:
        """Open the gateway for gadgets by name, and frames with pages such as ``one/probe.html``."""
        listed = [{"origin": self.origin(name), "app": f"app-{name}", **rights} for name, rights in gadgets.items()]
        arguments = [self.bridge, listed, [*map(self.url, pages)]]
        await self.page.evaluate("([url, gadgets, pages]) => start(url, gadgets, pages)", arguments)

    async def talk(self) -> str:
        """Let a customer call, and the agent answer."""
        call: str = await self.page.evaluate("url => talk(url)", self.bridge)
        return call

    def url(self, page: str) -> str:
        name, _, path = page.partition("/")
        return f"{self.origin(name)}/{path}"

    def frame(self, name: str) -> Frame:
        (frame,) = [frame for frame in self.page.frames if frame.url.startswith(f"{self.origin(name)}/")]
        return frame

    async def say(self, name: str, address: str, data: Any = None, **more: Any) -> None:
        await self.frame(name).evaluate("([address, data, more]) => say(address, data, more)", [address, data, more])

    async def heard(self, name: str, *, count: int = 1) -> list[dict[str, Any]]:
        """Wait until a frame has heard so many messages; give them."""
        await self.frame(name).wait_for_function(f"heard.length >= {count}")
        found: list[dict[str, Any]] = await self.frame(name).evaluate("heard.map(({ data }) => data)")
        return found

    async def settled(self, name: str) -> None:
        """Wait until what a frame said so far has been heard by the host, and answered without the bridge's help."""
        before = await self.counters()
        known = before["strangers"] + sum(sum(each["refused"].values()) for each in before["gadgets"].values())
        await self.say(name, "Bridge/Session/Open", {"token": "none"})
        await self.page.wait_for_function(
            """known => {
              const { strangers, gadgets } = gateway.counters;
              const refused = Object.values(gadgets).flatMap((each) => Object.values(each.refused));
              return refused.reduce((sum, each) => sum + each, strangers) > known;
            }""",
            arg=known,
        )

    async def navigate(self, name: str, page: str) -> None:
        """Let another page come into the first frame, by the gadget's own doing; wait until the host saw it load."""
        await self.page.evaluate(
            """() => {
              window.loaded = false;
              document.querySelector("iframe").addEventListener("load", () => { window.loaded = true; });
            }"""
        )
        await self.frame(name).evaluate("url => { location = url; }", self.url(page))
        await self.page.wait_for_function("window.loaded")

    async def counters(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.page.evaluate("gateway.counters")
        return found

    async def of_gadget(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.counters())["gadgets"][self.origin(name)]
        return found

    async def seen(self, address: str) -> list[dict[str, Any]]:
        """Give what the workspace's stream has brought at an address."""
        found: list[dict[str, Any]] = await self.page.evaluate("seen")
        return [each for each in found if f"{each['channel']}/{each['topic']}/{each['subtopic']}" == address]

    async def wait_for(self, address: str, data: Any) -> None:
        """Wait until the stream has brought a message."""
        await self.page.wait_for_function(
            """([address, data]) => seen.some((each) =>
              `${each.channel}/${each.topic}/${each.subtopic}` === address && JSON.stringify(each.data) === data)""",
            arg=[address, json.dumps(data, separators=(",", ":"))],
        )

"""A Chromium of one's own, spoken to in the DevTools protocol directly.

A page that Playwright holds never sleeps: its session keeps every tab visible and awake. Here a tab is really hidden
once another one is in front, and can really be frozen.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from tests.browser.conftest import ARGUMENTS, CHROMIUM, WAIT_MS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.client import ClientConnection

LISTENING = b"DevTools listening on "
START_SECONDS = 60


class RawChromium:
    """A running browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Hand answers to those who wait for them; events are not looked at."""
        async for text in self._socket:
            message = json.loads(text)
            waiting = self._answers.pop(message.get("id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)

    async def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        request = {"id": number, "method": method, "params": params}
        await self._socket.send(json.dumps(request if session is None else {**request, "sessionId": session}))
        message = await asyncio.wait_for(answer, WAIT_MS / 1000)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    async def open(self, url: str) -> RawTab:
        """Open a tab, in front of all others."""
        target = (await self.call("Target.createTarget", url=url))["targetId"]
        session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        tab = RawTab(self, target, session)
        await self.call("Target.activateTarget", targetId=target)
        return tab


class RawTab:
    """One tab of it."""

    def __init__(self, browser: RawChromium, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self._session = session

    async def evaluate(self, expression: str) -> Any:
        """Give the value of an expression; a promise is waited for."""
        found = await self._browser.call(
            "Runtime.evaluate", self._session, expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until an expression is true."""
        async with asyncio.timeout(WAIT_MS / 1000):
            while not await self.evaluate(expression):  # noqa: ASYNC110 nothing tells of it
                await asyncio.sleep(0.02)

    async def freeze(self) -> None:
        """Freeze it, as a browser does with a hidden tab to save power."""
        await self._browser.call("Page.setWebLifecycleState", self._session, state="frozen")

    async def resume(self) -> None:
        """Bring it to the front again."""
        await self._browser.call("Page.setWebLifecycleState", self._session, state="active")
        await self._browser.call("Target.activateTarget", targetId=self._target)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.call("Target.closeTarget", targetId=self._target)


@asynccontextmanager
async def raw_chromium() -> AsyncIterator[RawChromium]:
    """Start a browser with a profile of its own, and end it with everything that it started."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arguments = [*ARGUMENTS, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={Path(profile)}"]
        process = await asyncio.create_subprocess_exec(
            CHROMIUM, *arguments, "about:blank", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                url = await _debugger_url(process)
            async with connect(url, max_size=None) as socket:
                browser = RawChromium(socket)
                listening = asyncio.create_task(browser.listen())
                yield browser
                await browser.call("Browser.close")
                with suppress(ConnectionClosedError):  # it takes no leave
                    await listening
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _debugger_url(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if line.startswith(LISTENING):
            return line.removeprefix(LISTENING).decode().strip()
    raise AssertionError("Chromium ended before it listened")

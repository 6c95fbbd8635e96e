"""Pages of other sites, in a real browser: they open no session, read nothing, and move no call.

The browser resolves ``evil.example`` to this machine, as it would after DNS rebinding. What such a page got at first,
from its real server, is played by answering the first request for it. Chromium's own check, whether a page may reach
this machine at all, is switched off: other browsers have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, WAIT_MS
from tests.browser.served import running
from tests.server.auth.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext, Page

    from bridge.app import Bridge

EVIL = "http://evil.example"
PROTECTED = {"jwt_secret": SECRET}

OPEN = """([url, protocols]) => new Promise((resolve) => {
  const heard = [];
  const socket = new WebSocket(url, protocols);
  socket.onmessage = ({ data }) => { heard.push(JSON.parse(data).subtopic); socket.close(); };
  socket.onclose = ({ code }) => resolve({ code, heard });
})"""

ASK = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    return { status: 0, text: String(error) };
  }
}"""

OFFER = '{"channel":"Simulator","topic":"Call","subtopic":"Offer","data":{"fromAddress":"+15550100"}}'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rebound() -> AsyncIterator[BrowserContext]:
    """A browser for which the attacker's name is this machine."""
    async with async_playwright() as playwright:
        arguments = [
            *ARGUMENTS,
            "--host-resolver-rules=MAP evil.example 127.0.0.1",
            "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
        ]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = await browser.new_context()
        context.set_default_timeout(WAIT_MS)
        yield context
        await browser.close()


async def evil_page(context: BrowserContext, port: int) -> Page:
    """Open a page of the attacker's; only itself comes from the attacker."""
    page = await context.new_page()
    url = f"{EVIL}:{port}/page"
    await page.route(url, lambda route: route.fulfill(content_type="text/html", body="<!doctype html><p>hello"))
    await page.goto(url)
    return page


async def opened(page: Page, url: str, *protocols: str) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(OPEN, [url, list(protocols)])
    return found


async def asked(page: Page, url: str, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(ASK, [url, options])
    return found


@pytest.mark.parametrize("bridge", [{}, PROTECTED], ids=["open", "protected"], indirect=True)
async def test_a_page_of_another_origin_opens_no_session_and_publishes_nothing(
    bridge: Bridge, rebound: BrowserContext
) -> None:
    page = await evil_page(rebound, 1)  # any port but the bridge's: another origin

    hijacked = await opened(page, bridge.url, "workspace-bridge.v1")
    assert hijacked == {"code": 1006, "heard": []}
    api = f"{bridge.http_url}/api/v1/workspaces/demo"
    for url, options in (
        (f"{api}/messages", {"method": "POST", "body": OFFER, "headers": {"content-type": "application/json"}}),
        (f"{api}/messages", {"method": "POST", "body": OFFER, "headers": {"content-type": "text/plain"}}),
        (f"{api}/events?pattern=*", {}),
        (f"{bridge.http_url}/metrics", {}),
    ):
        assert (await asked(page, url, **options))["status"] == 0
    blind = {"method": "POST", "mode": "no-cors", "body": OFFER}
    await asked(page, f"{api}/messages", **blind)
    assert bridge.broker.workspaces.find("demo") is None
    await page.close()


async def test_a_rebound_name_reaches_nothing_without_authentication(rebound: BrowserContext) -> None:
    async with running() as bridge:
        page = await evil_page(rebound, bridge.port)  # the same origin, as the browser sees it

        assert await opened(page, f"ws://evil.example:{bridge.port}/ws") == {"code": 1006, "heard": []}
        for path in ("/", "/schemas/", "/metrics", "/healthz", "/api/v1/workspaces/demo/events?pattern=*"):
            assert (await asked(page, path))["status"] == 403, path
        assert (await asked(page, "/api/v1/workspaces/demo/messages", method="POST", body=OFFER))["status"] == 403
        assert bridge.broker.workspaces.find("demo") is None
        await page.close()


async def test_a_rebound_name_has_no_token(rebound: BrowserContext) -> None:
    async with running(open_seconds=0.3, **PROTECTED) as bridge:
        desk = await rebound.new_page()
        await desk.goto(f"{bridge.http_url}/healthz")
        own = await opened(desk, bridge.url, "workspace-bridge.v1", f"bearer.{token()}")
        assert own["heard"] == ["Opened"]
        page = await evil_page(rebound, bridge.port)

        assert await opened(page, f"ws://evil.example:{bridge.port}/ws") == {"code": 4408, "heard": []}
        api = "/api/v1/workspaces/demo"
        assert (await asked(page, f"{api}/events?pattern=*", credentials="include"))["status"] == 401
        assert (await asked(page, f"{api}/messages", method="POST", body=OFFER))["status"] == 401
        assert (await asked(page, "/metrics"))["status"] == 401
        await page.close()
        await desk.close()


FORM = """([url, text]) => {
  const form = document.createElement('form');
  form.method = 'POST';
  form.action = url;
  form.enctype = 'text/plain';
  const field = document.createElement('input');
  [field.name, field.value] = [text.slice(0, -2) + ',"x":"', '"}}'];
  form.append(field);
  document.body.append(form);
  form.submit();
}"""

BLIND = """async ([url, text]) => {
  navigator.sendBeacon(url, text);
  navigator.sendBeacon(url, new Blob([text], { type: 'text/plain' }));
  const image = new Image();
  image.src = url;
  const stream = new EventSource(url.replace('messages', 'events?pattern=*'));
  const heard = [];
  stream.onmessage = ({ data }) => heard.push(data);
  await new Promise((resolve) => { stream.onerror = resolve; });
  stream.close();
  return heard;
}"""


@pytest.mark.parametrize("bridge", [{}, PROTECTED], ids=["open", "protected"], indirect=True)
async def test_what_a_page_sends_without_asking_anybody_does_nothing(bridge: Bridge, rebound: BrowserContext) -> None:
    page = await evil_page(rebound, 1)
    url = f"{bridge.http_url}/api/v1/workspaces/demo/messages"

    assert await page.evaluate(BLIND, [url, OFFER]) == []
    async with page.expect_response(url) as response:
        await page.evaluate(FORM, [url, OFFER])
    assert (await (await response.value).all_headers()).get("access-control-allow-origin") is None
    assert (await response.value).status == (401 if bridge.settings.authentication else 403)
    assert bridge.broker.workspaces.find("demo") is None
    await page.close()


async def test_the_demo_page_is_not_shown_inside_a_page_of_another_site(
    bridge: Bridge, rebound: BrowserContext
) -> None:
    page = await evil_page(rebound, 1)

    async with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        await page.evaluate("url => { document.body.innerHTML = `<iframe src='${url}'></iframe>`; }", bridge.http_url)

    assert bridge.broker.sessions == 0
    await page.close()

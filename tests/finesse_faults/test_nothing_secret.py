"""Passwords and access tokens stay where they belong: no log, no message, no ``repr``, no traceback holds one."""

from __future__ import annotations

import asyncio
import base64
import gc
import io
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import structlog
from pydantic import SecretStr

from bridge.calls.finesse.credentials import Credentials
from bridge.telemetry import configure_logging
from tests.finesse_faults.centre import contact_centre

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.finesse_faults.centre import Centre, Desktop

WRONG = ["wrong-password-57", "wrong-token-58", "password-in-no-message-59", "password-beside-a-token-60"]
LOUD = ["", "aiohttp", "aiohttp.client", "aiohttp.internal", "asyncio", "bridge", "httpcore", "httpx", "uvicorn"]
LOUD += ["websockets", "websockets.client", "websockets.server"]
"""Loggers that are told to say everything. Not slixmpp, which is the look-alike's."""


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that is logged, at its loudest."""
    monkeypatch.setattr("websockets.frames.Frame.MAX_LOG_SIZE", 65_536)
    written = io.StringIO()
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in (*LOUD, "slixmpp")}
    configure_logging("debug", "json", written)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger("slixmpp").setLevel(logging.WARNING)
    yield written
    structlog.reset_defaults()
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def forms(username: str, secret: str) -> list[str]:
    """Give a secret as it is, and as it goes over HTTP (RFC 7617) and XMPP (RFC 4616)."""
    both = [f"{username}:{secret}", f"\0{username}\0{secret}"]
    return [secret, *(base64.b64encode(each.encode()).decode() for each in both)]


def secrets_of(centre: Centre) -> list[str]:
    known = [
        (account.username, secret) for account in centre.finesse.agents for secret in (account.password, account.token)
    ]
    wrong = [(account.username, secret) for account in centre.finesse.agents for secret in WRONG]
    return [form for username, secret in (*known, *wrong) for form in forms(username, secret)]


def objects_of_the_bridge() -> list[object]:
    """Return every object of a class of the bridge, without the look-alike's."""
    rooms = [(each, str(type(each).__module__)) for each in gc.get_objects()]
    return [
        each for each, room in rooms if room.startswith("bridge.") and not room.startswith("bridge.finesse_simulator")
    ]


async def goes_through_everything(centre: Centre) -> list[Desktop]:
    """Sign in by password and token, wrongly and rightly; work, fail, lose the line, and lose the right to."""
    first, second, third = desks = [
        await centre.doors.enter_async_context(centre.desktop(number)) for number in range(3)
    ]

    # What cannot be a sign-in.
    who = {"username": first.account.username, "extension": first.account.extension}
    await first.do("Cisco/Agent/SetUserInfo", who | {"password": WRONG[3], "token": first.account.token})
    await first.do("Cisco/Agent/SetUserInfo", who | {"password": [first.account.password]})
    await first.do("Cisco/Agent/SetUserInfos", who | {"password": first.account.password})
    await first.socket.send_str(f'{{"data": {{"password": "{WRONG[2]}", "token": "{first.account.token}"')
    await first.until(lambda m: m["subtopic"] == "Rejected" and m["data"]["code"] == "malformed_json")

    # Wrong ones, and right ones.
    await first.sign_in(password=WRONG[0])
    await second.sign_in(token=WRONG[1])
    await first.is_signed_in()
    assert (await second.sign_in(token=second.account.token))["subtopic"] == "Completed"
    await third.is_signed_in()

    # Work, and what goes wrong.
    call = await first.is_talking()
    await first.is_consulting(call)
    await first.completes("SetCONFERENCE", call)
    await centre.goes_wrong(
        rules=[{"effect": "cut_answer", "action": "HOLD"}, {"effect": "refuse_late", "action": "RETRIEVE"}]
    )
    await first.act("SetHOLD", call)
    await first.act("SetRETRIEVE", call)
    await centre.goes_wrong(cut=[{}])
    for desk in desks:
        await desk.goes_blind()
        await desk.sees_again()
    await centre.goes_wrong(kill_rest=[0], kill_xmpp=[0])
    for desk in desks:
        await desk.goes_blind()
    await centre.goes_wrong(start_xmpp=[0], start_rest=[0])
    for desk in desks:
        await desk.sees_again()

    # Credentials that were right.
    await first.sign_in(password=WRONG[0])
    await centre.goes_wrong(refused_users=[first.account.username, second.account.username])
    await first.act("SetDROP", call)
    await first.is_signed_out()
    await second.do("Cisco/Agent/GetAgentState", {})
    await second.is_signed_out()
    await centre.goes_wrong(refused_users=[], conflict=[third.account.username])
    await third.is_signed_out()
    for desk in desks:
        await desk.is_signed_in()
    return desks


async def told_over_http(centre: Centre) -> list[str]:
    async with aiohttp.ClientSession() as http:
        answers = [await http.get(f"{centre.bridge.http_url}{path}") for path in ("/metrics", "/readyz", "/healthz")]
        return [await answer.text() for answer in answers]


async def tracebacks(centre: Centre) -> list[str]:
    """Fail in every way that a request and a line can, and show each traceback with all its variables."""
    site = centre.adapter._site
    (node,) = site.nodes.all
    account = centre.finesse.agents[0]
    right = Credentials(account.username, SecretStr(account.password))
    wrong = Credentials(account.username, SecretStr(WRONG[0]))
    token = Credentials(account.username, SecretStr(f"{WRONG[1]} "), bearer=True)
    tries: list[tuple[dict[str, Any], Callable[[], Awaitable[object]]]] = [
        ({}, lambda: node.rest.user(wrong)),
        ({}, lambda: node.rest.user(token)),
        ({}, lambda: site.open_line(node, account.username, wrong)),
        ({"unavailable": [0]}, lambda: node.rest.user(right)),
        ({"refusing": [0]}, lambda: site.open_line(node, account.username, right)),
        ({"silent": [0]}, lambda: site.open_line(node, account.username, right)),
        ({"kill_rest": [0]}, lambda: node.rest.user(right)),
    ]
    found = []
    for faults, attempt in tries:
        await centre.goes_wrong(**faults)
        with pytest.raises(Exception) as raised:  # noqa: PT011 each its own
            await attempt()
        shown = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
        found.append("".join(shown.format()))
        await centre.goes_wrong(reset=True)
    return found


async def test_nothing_secret_is_told_anywhere(log: io.StringIO) -> None:
    loop = asyncio.get_running_loop()
    async with contact_centre(agents=3) as centre:
        secrets = secrets_of(centre)
        loop.slow_callback_duration = 0.0
        loop.set_debug(True)  # every callback is logged, with its arguments
        desks = await goes_through_everything(centre)
        await centre.checks_out()
        loop.set_debug(False)
        told: dict[str, list[str]] = {
            "messages": [json.dumps(message) for desk in desks for message in desk.messages],
            "http": await told_over_http(centre),
            "repr": [repr(each) for each in objects_of_the_bridge()],
            "tasks": [repr(task) for task in asyncio.all_tasks()],
            "tracebacks": await tracebacks(centre),
        }
    told["log"] = log.getvalue().splitlines()
    assert {"SetUserInfo"} & {message["subtopic"] for desk in desks for message in desk.messages} == set()
    assert all(len(texts) > 2 for texts in told.values())
    for loud in ("send_request_headers", "Executing <Handle", "http_request", "finesse_session_over"):
        assert any(loud in line for line in told["log"])
    leaks = [
        (where, text[:300]) for where, texts in told.items() for text in texts for secret in secrets if secret in text
    ]
    assert leaks == []


async def test_the_search_would_find_what_it_looks_for(log: io.StringIO) -> None:
    logging.getLogger("httpx").debug("Authorization: Basic %s", forms("1001001", WRONG[0])[1])
    assert forms("1001001", WRONG[0])[1] in log.getvalue()
    known: Any = Credentials("1001001", SecretStr(WRONG[0]))
    assert any(each is known for each in objects_of_the_bridge())

"""Tokens that name another key, bring their own, come too late, too early or in the wrong mouth."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
import pytest
from aiohttp import web

from tests.attacks.site import Honest, running
from tests.server.auth.tokens import SECRET, Key, claims, key_set, token, unsigned
from tests.server.wire import publish, subscribe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.attacks.site import Site

FIRST, SECOND = Key("first"), Key("second", "ES256")
STRANGE = Key("first")
"""Another issuer's key, under the name of one of ours."""

VICTIM = "5070"


class Issuer(NamedTuple):
    """A server with two keys, and how often it was asked for them."""

    url: str
    asked: list[str]


@asynccontextmanager
async def issuer() -> AsyncIterator[Issuer]:
    """Serve two keys."""
    asked: list[str] = []

    async def keys(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=key_set(FIRST.published(), SECOND.published()))

    app = web.Application()
    app.router.add_get("/{any:.*}", keys)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Issuer(f"http://127.0.0.1:{runner.addresses[0][1]}/keys", asked)
    finally:
        await runner.cleanup()


def swapped(signer: Key, **header: Any) -> str:
    """Sign for the victim's desk with one key, and say in the header what you like."""
    return signer.token(header, workspace=VICTIM)


def by_hand(**header: Any) -> str:
    """Put a good token's claims under another header, and keep its signature."""
    _, body, signature = FIRST.token(workspace=VICTIM).split(".")
    head = base64.urlsafe_b64encode(json.dumps({"typ": "JWT", **header}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


def signed_with_what_everybody_has() -> str:
    """Use the first key's public half, as it is published, as if it were a shared secret."""
    begun = unsigned({"alg": "HS256", "kid": "first"}, claims(workspace=VICTIM)).rpartition(".")[0]
    signature = hmac.digest(json.dumps(FIRST.published()).encode(), begun.encode(), "sha256")
    return f"{begun}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


SWAPPED: dict[str, Callable[[], str]] = {
    "the id of the other key": lambda: swapped(FIRST, kid="second"),
    "the id of the other key, the other way round": lambda: swapped(SECOND, kid="first"),
    "the algorithm of the other key": lambda: by_hand(alg="ES256", kid="first"),
    "both of the other key": lambda: by_hand(alg="ES256", kid="second"),
    "a stranger's key under our id": lambda: STRANGE.token(workspace=VICTIM),
    "a stranger's key that is brought along": lambda: swapped(STRANGE, jwk=STRANGE.published()),
    "a stranger's keys at another address": lambda: swapped(STRANGE, jku="http://127.0.0.1:1/keys"),
    "a stranger's certificate": lambda: swapped(STRANGE, x5u="http://127.0.0.1:1/", x5c=["MIIB"]),
    "no algorithm": lambda: unsigned({"alg": "none", "kid": "first"}, claims(workspace=VICTIM)),
    "no algorithm in another spelling": lambda: unsigned({"alg": "nOnE", "kid": "first"}, claims(workspace=VICTIM)),
    "no signature": lambda: FIRST.token(workspace=VICTIM).rpartition(".")[0] + ".",
    "the public key as a secret": signed_with_what_everybody_has,
    "an id that is a path": lambda: by_hand(alg="RS256", kid="../../../dev/null"),
    "an id that is a list": lambda: by_hand(alg="RS256", kid=["first"]),
    "an id that is a number": lambda: by_hand(alg="RS256", kid=0),
    "an id with another case": lambda: by_hand(alg="RS256", kid="First"),
    "no id": lambda: by_hand(alg="RS256"),
    "an extension that must be understood": lambda: swapped(FIRST, crit=["b64"], b64=False),
    "expired": lambda: FIRST.token(exp=1, workspace=VICTIM),
    "not yet valid": lambda: FIRST.token(nbf=4_000_000_000, workspace=VICTIM),
    "no end": lambda: FIRST.token(exp=None, workspace=VICTIM),
    "somebody else's words under it": lambda: FIRST.token(workspace=VICTIM) + "x",
    "two tokens": lambda: f"{FIRST.token(workspace=VICTIM)}.{FIRST.token(workspace=VICTIM)}",
}


@pytest.fixture
async def with_keys() -> AsyncIterator[tuple[Site, Issuer]]:
    """A bridge that takes its keys from an issuer."""
    async with issuer() as served, running(FIRST.token, jwt_secret=None, jwks_url=served.url) as site:
        yield site, served


async def test_a_token_under_another_key_opens_nothing(
    with_keys: tuple[Site, Issuer], record_property: Callable[[str, object], None]
) -> None:
    site, served = with_keys
    honest = await Honest.join(site)

    async def attack() -> dict[str, tuple[int, str]]:
        return {name: await (await site.enter(forge())).closed() for name, forge in SWAPPED.items()}

    told = asyncio.ensure_future(attack())
    await honest.beside(told)
    record_property("honest_p99_ms", round(honest.p99_ms, 2))
    codes = {name: code for name, (code, _) in told.result().items()}
    later = {"an id that is a path", "an id with another case"}  # ids that may be those of new keys: 1013
    assert {name for name, code in codes.items() if code == 1013} <= later
    assert {code for name, code in codes.items() if name not in later | {"expired"}} == {4401}
    assert codes["expired"] == 4402
    assert all(reason for _, reason in told.result().values())
    assert site.bridge.broker.sessions == 2
    assert set(served.asked) == {"/keys"}
    assert len(served.asked) <= 2


async def test_made_up_key_ids_are_no_lever_on_the_issuer_nor_on_those_with_good_keys(
    with_keys: tuple[Site, Issuer], record_property: Callable[[str, object], None]
) -> None:
    site, served = with_keys
    honest = await Honest.join(site)

    async def attack() -> set[int]:
        return {(await (await site.enter(by_hand(alg="RS256", kid=f"k{n}"))).closed())[0] for n in range(300)}

    told = asyncio.ensure_future(attack())
    await honest.beside(told)
    record_property("honest_p99_ms", round(honest.p99_ms, 2))
    assert told.result() <= {4401, 1013}
    assert len(served.asked) <= 2
    for key in (FIRST, SECOND):
        assert (await (await site.enter(key.token(workspace=VICTIM))).message())["subtopic"] == "Opened"


async def test_over_http_a_bad_token_is_401_and_does_nothing(site: Site, honest: Honest) -> None:
    body = b'{"channel":"Notes","topic":"a","subtopic":"b"}'
    for bad in (
        token(exp=1, workspace=VICTIM),
        token(nbf=4_000_000_000, workspace=VICTIM),
        unsigned({"alg": "none"}, claims(workspace=VICTIM)),
        jwt.encode(claims(workspace=VICTIM), SECRET[:-1], algorithm="HS256"),
        "..",
        "x" * 20_000,
    ):
        for method, path in (("POST", "messages"), ("GET", "events?pattern=*")):
            wire = await site.wire()
            lines = f"Host: localhost\nContent-Type: application/json\nContent-Length: {len(body)}\n"
            head = f"{method} /api/v1/workspaces/{VICTIM}/{path} HTTP/1.1\n{lines}Authorization: Bearer {bad}\n\n"
            status, headers, answer = await wire.request(head, body)
            assert status == 401
            assert 'error="invalid_token"' in headers["www-authenticate"]
            assert bad.encode() not in answer or bad == ".."
    assert site.bridge.broker.sessions == 2
    await honest.talk()


async def test_what_is_said_before_and_behind_a_bad_token_is_not_done(site: Site, honest: Honest) -> None:
    opening = {"channel": "Bridge", "topic": "Session", "subtopic": "Open"}
    forged = {**opening, "data": {"token": unsigned({"alg": "none"}, claims(workspace=VICTIM))}}
    note = publish(1, "Honest")
    for said in ([note, forged], [forged, note], [subscribe("*"), forged], [forged, forged], [note] * 100):
        wire = await site.wire()
        await wire.upgrade(f"?workspace={VICTIM}")
        wire.send(*said)
        assert (await wire.closed())[0] == 4401
    behind = await site.enter(token(workspace="5071"))
    behind.send({**opening, "data": {"token": token(workspace=VICTIM)}, "id": "again"})
    assert (await behind.message())["data"]["workspace"] == "5071"
    assert (await behind.message())["data"]["code"] == "reserved_channel"
    await honest.talk()


REFRESHED: dict[str, tuple[Callable[[], str], int]] = {
    "another workspace": (lambda: token(workspace=VICTIM), 4403),
    "another subject": (lambda: token(workspace="5071", sub="mallory"), 4403),
    "no subject": (lambda: token(workspace="5071", sub=None), 4401),
    "another app": (lambda: token(workspace="5071", app="softphone"), 4403),
    "no app": (lambda: token(workspace="5071", app=None), 4403),
    "another extension": (lambda: token(workspace="5071", extension=VICTIM), 4403),
    "an expired one": (lambda: token(workspace="5071", exp=1), 4402),
    "one without signature": (lambda: unsigned({"alg": "none"}, claims(workspace="5071")), 4401),
    "another key": (lambda: jwt.encode(claims(workspace="5071"), SECRET * 2, algorithm="HS256"), 4401),
    "an empty one": (lambda: "", 4401),
}


@pytest.mark.parametrize("name", REFRESHED)
async def test_a_refresh_that_is_not_the_same_persons_ends_the_session(name: str, site: Site, honest: Honest) -> None:
    make, code = REFRESHED[name]
    wire = await site.session(workspace="5071")
    refresh = {"channel": "Bridge", "topic": "Session", "subtopic": "Refresh", "id": "r", "data": {"token": make()}}

    wire.send(refresh, publish(1, "Honest", id="behind"))

    answers = []
    while (received := await wire.frame()).opcode == 1:
        answers.append(json.loads(received.payload))
    assert received.close[0] == code
    assert all(answer["subtopic"] == "Rejected" for answer in answers)
    await honest.talk()


async def test_a_refresh_with_fewer_rights_takes_what_it_takes(site: Site, honest: Honest) -> None:
    reader = await site.session(workspace=VICTIM)
    await reader.subscribe("Honest")
    less = token(workspace=VICTIM, roles=None, subscribe=["Notes"], publish=["Notes"])
    reader.send({"channel": "Bridge", "topic": "Session", "subtopic": "Refresh", "id": "r", "data": {"token": less}})
    assert (await reader.message())["data"]["ended"] == ["Honest"]

    await honest.talk()
    reader.send(publish(1, "Honest", id="no"))
    reply = await reader.message()
    assert (reply["correlationId"], reply["data"]["code"]) == ("no", "not_permitted")

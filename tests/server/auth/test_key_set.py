"""Keys that an issuer publishes: which count, when they are fetched, and what happens while the issuer is away."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import structlog
import trustme
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bridge.broker.identity import Grant
from bridge.broker.tokens import RefusedToken
from bridge.protocol.errors import CloseCode
from bridge.server.auth import key_set as key_set_module
from bridge.server.auth import make_authentication
from bridge.server.auth.authentication import Authentication
from bridge.server.auth.key_set import (
    FETCH_BYTES,
    MOST_WAITING,
    REFRESH_SECONDS,
    RETRY_SECONDS,
    STALE_SECONDS,
    UNKNOWN_SECONDS,
    KeySet,
)
from bridge.server.auth.keys import read_keys
from bridge.settings import load
from tests.server.auth.tokens import Key, claims, key_set, unsigned, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ALL = ("RS256", "ES256", "EdDSA")

RSA, EC, ED = Key("rsa"), Key("ec", "ES256"), Key("ed", "EdDSA")


class Issuer:
    """An issuer in the same process, with a clock that moves when it is told to."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.document: bytes | None = key_set(*keys)
        self.fetched = 0
        self.now = 1000.0
        self.asked = asyncio.Event()
        self.held: asyncio.Event | None = None
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self.sleeping = asyncio.Event()
        self.keys = KeySet(
            "https://issuer.example/keys", ALL, fetch=self._fetch, monotonic=lambda: self.now, sleep=self._sleep
        )
        self.authentication = Authentication(self.keys)

    async def _fetch(self) -> bytes:
        self.fetched += 1
        self.asked.set()
        if self.held is not None:
            await self.held.wait()
        if self.document is None:
            raise OSError("the issuer is away")
        return self.document

    async def _sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        self._sleepers.append((self.now + seconds, awake))
        self.sleeping.set()
        await awake.wait()

    async def idle(self) -> None:
        """Wait until it sleeps."""
        await self.sleeping.wait()

    async def advance(self, seconds: float) -> None:
        """Let time pass, and wait until it sleeps again if it was woken."""
        self.now += seconds
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self.now]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper not in due]
        if due:
            self.sleeping.clear()
            for _, awake in due:
                awake.set()
            await self.sleeping.wait()

    async def ask(self, token: str) -> Grant | RefusedToken:
        """Check a token, whenever the answer comes."""
        answer: asyncio.Future[Grant | RefusedToken] = asyncio.get_running_loop().create_future()
        self.authentication.check(token, answer.set_result)
        async with asyncio.timeout(10):
            return await answer


@asynccontextmanager
async def issuing(*keys: dict[str, Any], away: bool = False) -> AsyncIterator[Issuer]:
    issuer = Issuer(*keys)
    if away:
        issuer.document = None
    await issuer.authentication.start()
    try:
        await issuer.idle()
        yield issuer
    finally:
        await issuer.authentication.stop()


@pytest.mark.parametrize("key", [RSA, EC, ED], ids=lambda key: key.algorithm)
async def test_a_token_is_checked_with_the_key_that_it_names(key: Key) -> None:
    async with issuing(*(each.published() for each in (RSA, EC, ED))) as issuer:
        assert issuer.authentication.ready
        assert isinstance(verdict(issuer.authentication, key.token()), Grant)


async def test_the_key_of_another_id_does_not_fit() -> None:
    async with issuing(RSA.published(), Key("other").published()) as issuer:
        found = verdict(issuer.authentication, RSA.token(headers={"kid": "other"}))
        assert found == RefusedToken(CloseCode.UNAUTHENTICATED, "the token's signature is not good")


async def test_a_public_key_is_no_shared_secret() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    public = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header, payload, _ = unsigned({"alg": "HS256", "kid": "rsa"}, claims()).split(".")
    signature = jwt.get_algorithm_by_name("HS256").sign(f"{header}.{payload}".encode(), public)
    forged = unsigned({"alg": "HS256", "kid": "rsa"}, claims(), signature)
    async with issuing(RSA.published()) as issuer:
        found = verdict(issuer.authentication, forged)
        assert found == RefusedToken(CloseCode.UNAUTHENTICATED, "the token's signature is not good")
        none = verdict(issuer.authentication, unsigned({"alg": "none", "kid": "rsa"}, claims()))
        assert isinstance(none, RefusedToken)


async def test_a_key_that_the_token_brings_itself_is_not_used() -> None:
    mine = Key("mine")
    embedded = {"jwk": mine.published(), "jku": "https://evil.example/keys", "x5u": "https://evil.example/x"}
    async with issuing(RSA.published()) as issuer:
        found = verdict(issuer.authentication, mine.token(headers={**embedded, "kid": "rsa"}))
        assert isinstance(found, RefusedToken)
        assert issuer.fetched == 1


UNFIT: dict[str, Any] = {
    "for encryption": RSA.published(use="enc"),
    "to encrypt": RSA.published(key_ops=["encrypt"]),
    "another algorithm": RSA.published(alg="RS512"),
    "symmetric": RSA.published(kty="oct", k="c2VjcmV0"),
    "no number": RSA.published(n=7),
    "no type": RSA.published(kty=["RSA"]),
    "wrong curve": EC.published(crv="P-384"),
    "short": Key("short", bits=1024).published(),
    "other curve": Key("other curve", "ES384").published(),
    "empty": {"kid": "rsa"},
    "text": "rsa",
    "null": None,
}


@pytest.mark.parametrize("unfit", UNFIT)
async def test_keys_that_may_not_sign_tokens_are_left_out(unfit: str) -> None:
    async with issuing(UNFIT[unfit], ED.published()) as issuer:
        assert list(issuer.keys._keys) == ["ed"]


async def test_algorithms_are_those_of_the_setting() -> None:
    issuer = Issuer(RSA.published(), EC.published())
    keys = KeySet("https://issuer.example/keys", ["ES256"], fetch=issuer._fetch, sleep=issuer._sleep)
    await keys.start()
    await issuer.idle()
    assert list(keys._keys) == ["ec"]
    await keys.stop()


NAMES_NONE = RefusedToken(CloseCode.UNAUTHENTICATED, "the token names no key (kid), and the issuer has several")
UNNAMED = jwt.encode(claims(), RSA.private, algorithm="RS256")


def nameless(key: Key) -> dict[str, Any]:
    return {name: value for name, value in key.published().items() if name != "kid"}


@pytest.mark.parametrize("key", [RSA.published(), nameless(RSA)], ids=["named", "nameless"])
async def test_without_an_id_the_only_key_counts(key: dict[str, Any]) -> None:
    async with issuing(key, Key("unfit").published(use="enc")) as issuer:
        assert isinstance(verdict(issuer.authentication, UNNAMED), Grant)


@pytest.mark.parametrize(
    "keys",
    [
        (RSA.published(), EC.published()),
        (nameless(RSA), nameless(EC)),
        (nameless(RSA), EC.published()),
        (RSA.published(), EC.published(kid="rsa")),
    ],
    ids=lambda _: "keys",
)
async def test_without_an_id_none_of_several_keys_counts_and_none_is_fetched(keys: tuple[dict[str, Any], ...]) -> None:
    async with issuing(*keys) as issuer:
        assert verdict(issuer.authentication, UNNAMED) == NAMES_NONE
        assert issuer.fetched == 1


async def test_who_names_no_key_waits_for_the_first_keys() -> None:
    for keys, expected in (((RSA,), Grant), ((RSA, EC), RefusedToken)):
        async with issuing(*(key.published() for key in keys), away=True) as issuer:
            issuer.document = key_set(*(key.published() for key in keys))
            assert isinstance(await issuer.ask(UNNAMED), expected)


async def test_an_unknown_id_fetches_the_keys_anew_once_a_minute() -> None:
    new = Key("new")
    async with issuing(RSA.published()) as issuer:
        issuer.document = key_set(RSA.published(), new.published())
        assert isinstance(await issuer.ask(new.token()), Grant)
        assert issuer.fetched == 2
        unknown = Key("unknown").token()
        soon = await issuer.ask(unknown)
        assert isinstance(soon, RefusedToken)
        assert soon.code is CloseCode.TRY_AGAIN_LATER
        assert issuer.fetched == 2
        await issuer.idle()
        issuer.now += UNKNOWN_SECONDS
        assert await issuer.ask(unknown) == RefusedToken(CloseCode.UNAUTHENTICATED, "the issuer has no such key")
        assert issuer.fetched == 3


async def test_a_key_that_came_too_late_for_a_fetch_under_way_is_not_called_unknown() -> None:
    new = Key("new")
    async with issuing(RSA.published()) as issuer:
        issuer.held = asyncio.Event()
        issuer.asked.clear()
        refresh = asyncio.ensure_future(issuer.advance(REFRESH_SECONDS))
        await issuer.asked.wait()  # the answer of this fetch is on its way, without the new key
        answer = asyncio.ensure_future(issuer.ask(new.token()))
        await asyncio.sleep(0)
        issuer.held.set()
        late = await answer
        await refresh
        assert isinstance(late, RefusedToken)
        assert late.code is CloseCode.TRY_AGAIN_LATER
        issuer.document = key_set(RSA.published(), new.published())
        assert isinstance(await issuer.ask(new.token()), Grant)  # and no minute has to pass
        assert issuer.fetched == 3


async def test_all_who_wait_share_one_fetch_and_too_many_are_told_to_come_back() -> None:
    new = Key("new")
    async with issuing(RSA.published()) as issuer:
        issuer.held = asyncio.Event()
        issuer.document = key_set(new.published())
        answers: list[Grant | RefusedToken] = []
        for _ in range(MOST_WAITING + 3):
            issuer.authentication.check(new.token(), answers.append)
        assert [answer.code for answer in answers if isinstance(answer, RefusedToken)] == [
            CloseCode.TRY_AGAIN_LATER
        ] * 3
        issuer.sleeping.clear()
        issuer.held.set()
        await issuer.idle()
        assert sum(isinstance(answer, Grant) for answer in answers) == MOST_WAITING
        assert issuer.fetched == 2


async def test_keys_are_fetched_anew_so_that_withdrawn_ones_go() -> None:
    async with issuing(RSA.published(), EC.published()) as issuer:
        issuer.document = key_set(EC.published())
        await issuer.advance(REFRESH_SECONDS)
        assert await issuer.ask(RSA.token()) == RefusedToken(CloseCode.UNAUTHENTICATED, "the issuer has no such key")
        assert isinstance(verdict(issuer.authentication, EC.token()), Grant)


@pytest.mark.parametrize(
    "document", [None, b"", b"[]", b"{}", b'{"keys":[]}', b"\xff", b"[" * 100_000], ids=lambda _: "document"
)
async def test_old_keys_are_used_while_the_issuer_is_away_but_not_for_ever(document: bytes | None) -> None:
    async with issuing(RSA.published()) as issuer:
        issuer.document = document
        await issuer.advance(REFRESH_SECONDS)
        await issuer.advance(RETRY_SECONDS)
        assert issuer.fetched == 3
        assert isinstance(verdict(issuer.authentication, RSA.token()), Grant)
        await issuer.advance(STALE_SECONDS)
        assert not issuer.authentication.ready
        gone = await issuer.ask(RSA.token())
        assert isinstance(gone, RefusedToken)
        assert gone.code is CloseCode.TRY_AGAIN_LATER


async def test_an_issuer_that_is_away_at_the_start_is_asked_again() -> None:
    async with issuing(RSA.published(), away=True) as issuer:
        assert not issuer.authentication.ready
        issuer.document = key_set(RSA.published())
        await issuer.advance(RETRY_SECONDS)
        assert isinstance(verdict(issuer.authentication, RSA.token()), Grant)


async def test_who_waits_when_the_bridge_stops_is_answered() -> None:
    issuer = Issuer(RSA.published())
    issuer.held = asyncio.Event()
    await issuer.authentication.start()
    answers: list[Grant | RefusedToken] = []
    issuer.authentication.check(RSA.token(), answers.append)
    await issuer.authentication.stop()
    assert [answer.code for answer in answers if isinstance(answer, RefusedToken)] == [CloseCode.TRY_AGAIN_LATER]


async def test_who_comes_after_the_stop_is_answered_too() -> None:
    async with issuing(RSA.published()) as issuer:
        pass
    unknown = verdict(issuer.authentication, Key("unknown").token())
    assert isinstance(unknown, RefusedToken)
    assert unknown.code is CloseCode.TRY_AGAIN_LATER


async def test_a_fault_of_one_who_waits_is_not_that_of_the_others_or_the_keys() -> None:
    def broken(_answer: Grant | RefusedToken) -> None:
        raise RuntimeError("a fault")

    new = Key("new")
    async with issuing(RSA.published()) as issuer:
        issuer.document = key_set(RSA.published(), new.published())
        issuer.sleeping.clear()
        with structlog.testing.capture_logs() as lines:
            issuer.authentication.check(new.token(), broken)
            assert isinstance(await issuer.ask(new.token()), Grant)
        assert [line["event"] for line in lines if line["log_level"] == "error"] == ["token_not_answered"]
        await issuer.idle()
        issuer.document = key_set(EC.published())
        await issuer.advance(REFRESH_SECONDS)
        assert isinstance(verdict(issuer.authentication, EC.token()), Grant)


async def test_garbage_of_the_issuer_is_logged_and_not_quoted() -> None:
    async with issuing(RSA.published()) as issuer:
        with structlog.testing.capture_logs() as lines:
            issuer.document = b'{"keys": [], "password": "hunter2"'
            await issuer.advance(REFRESH_SECONDS)
        assert [line["event"] for line in lines] == ["keys_not_fetched"]
        assert "hunter2" not in str(lines)


async def test_what_stands_in_the_query_of_the_url_is_not_logged() -> None:
    async def fetch() -> bytes:
        raise OSError("away")

    started = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        started.set()
        await asyncio.Event().wait()

    keys = KeySet("https://issuer.example/keys?code=hunter2", ALL, fetch=fetch, sleep=sleep)
    with structlog.testing.capture_logs() as lines:
        await keys.start()
        await started.wait()
        await keys.stop()
    assert [line["url"] for line in lines] == ["https://issuer.example/keys"]
    assert "hunter2" not in str(lines)


entries = st.dictionaries(
    st.sampled_from(["kty", "crv", "n", "e", "x", "y", "kid", "use", "alg", "key_ops", "k", "d"]),
    st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "AQAB", "sig", "verify", "!"])
    | st.none()
    | st.integers()
    | st.text(max_size=50)
    | st.lists(st.text(max_size=8), max_size=2),
)


@given(st.sampled_from([RSA, EC, ED]), entries)
def test_no_entry_of_a_key_set_breaks_the_others(key: Key, changed: dict[str, Any]) -> None:
    good = Key.published(ED, kid="good")

    found = read_keys({"keys": [{**key.published(), **changed}, good]}, ALL)

    assert "good" in found
    assert {each.algorithm_name for each in found.values()} <= set(ALL)


# A real issuer


def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    return tls


@asynccontextmanager
async def served(
    body: bytes,
    status: int = 200,
    headers: dict[str, str] | None = None,
    authority: trustme.CA | None = None,
    held: asyncio.Event | None = None,
) -> AsyncIterator[str]:
    async def keys(_request: web.Request) -> web.Response:
        if held is not None:
            await held.wait()
        return web.Response(body=body, status=status, headers=headers)

    app = web.Application()
    app.router.add_get("/keys", keys)
    runner = web.AppRunner(app)
    await runner.setup()
    tls = None if authority is None else server_tls(authority)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield f"http{'' if tls is None else 's'}://127.0.0.1:{runner.addresses[0][1]}/keys"
    finally:
        await runner.cleanup()


async def asked(url: str) -> Grant | RefusedToken:
    authentication = make_authentication(load(environment={}, overrides={"jwks_url": url}))
    assert authentication is not None
    await authentication.start()
    try:
        answer: asyncio.Future[Grant | RefusedToken] = asyncio.get_running_loop().create_future()
        authentication.check(RSA.token(), answer.set_result)
        async with asyncio.timeout(10):
            return await answer
    finally:
        await authentication.stop()


async def test_keys_come_from_a_real_server() -> None:
    async with served(key_set(RSA.published())) as url:
        assert isinstance(await asked(url), Grant)


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (b"", 500, None),
        (b"", 404, None),
        (b" " * (FETCH_BYTES + 1) + key_set(RSA.published()), 200, None),
        (json.dumps({"keys": "none"}).encode(), 200, None),
        (gzip.compress(key_set(RSA.published())), 200, {"Content-Encoding": "gzip"}),
    ],
)
async def test_what_is_no_key_set_gives_no_keys(body: bytes, status: int, headers: dict[str, str] | None) -> None:
    async with served(body, status, headers) as url:
        found = await asked(url)
    assert isinstance(found, RefusedToken)
    assert found.code is CloseCode.TRY_AGAIN_LATER


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_an_issuer_that_sends_elsewhere_is_not_followed(status: int) -> None:
    async with served(key_set(RSA.published())) as good, served(b"", status, {"Location": good}) as url:
        assert isinstance(await asked(good), Grant)
        found = await asked(url)
    assert isinstance(found, RefusedToken)
    assert found.code is CloseCode.TRY_AGAIN_LATER


async def test_a_fetch_that_goes_on_and_on_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_set_module, "FETCH_SECONDS", 0.01)
    issuer = Issuer(RSA.published())
    issuer.held = asyncio.Event()
    await issuer.authentication.start()
    found = await issuer.ask(RSA.token())
    await issuer.authentication.stop()
    assert isinstance(found, RefusedToken)
    assert found.code is CloseCode.TRY_AGAIN_LATER


async def test_an_issuer_that_does_not_answer_is_no_fault_of_the_client() -> None:
    found = await asked("http://127.0.0.1:9/keys")
    assert isinstance(found, RefusedToken)
    assert found.code is CloseCode.TRY_AGAIN_LATER


async def test_an_issuer_is_believed_if_its_certificate_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with served(key_set(RSA.published()), authority=authority) as url:
        stranger = await asked(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert isinstance(await asked(url), Grant)
    assert isinstance(stranger, RefusedToken)
    assert stranger.code is CloseCode.TRY_AGAIN_LATER


async def test_an_issuer_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_set_module, "FETCH_SECONDS", 0.05)
    held = asyncio.Event()
    async with served(key_set(RSA.published()), held=held) as url:
        found = await asked(url)
        held.set()
    assert isinstance(found, RefusedToken)
    assert found.code is CloseCode.TRY_AGAIN_LATER


async def test_no_proxy_comes_between_the_bridge_and_an_issuer_on_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(key_set(EC.published(kid="rsa"))) as forger, served(key_set(RSA.published())) as url:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, forger.removesuffix("/keys"))
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert isinstance(await asked(url), Grant)

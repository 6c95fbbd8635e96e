"""HTTP by hand: requests that two readers understand differently, lying methods and hosts, ways out of the folders."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.attacks.site import Honest, running
from tests.server.auth.tokens import token

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.site import Site

NOTE = b'{"channel":"Notes","topic":"a","subtopic":"b"}'
SIZE = len(NOTE)
MESSAGES = "/api/v1/workspaces/5071/messages"


def written(
    *lines: str, body: bytes = NOTE, method: str = "POST", path: str = MESSAGES, host: str = "Host: localhost"
) -> bytes:
    """Write a request with a good token, as it stands."""
    usual = [host, "Content-Type: application/json", f"Authorization: Bearer {token(workspace='5071')}"]
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *filter(None, usual), *lines, "", ""])
    return head.encode("latin-1") + body


LENGTH = f"Content-Length: {SIZE}"
CHUNKED = "Transfer-Encoding: chunked"
WHOLE = written(LENGTH)
CHUNK = b"%x\r\n%s\r\n0\r\n\r\n" % (SIZE, NOTE)


async def statuses(site: Site, sent: bytes) -> list[int]:
    """Send bytes, and give the status of each answer until the bridge hangs up."""
    wire = await site.wire()
    wire.writer.write(sent)
    async with asyncio.timeout(5):
        got = await wire.reader.read(-1)
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3})", got)]


async def answered(site: Site, sent: bytes, *, bodiless: bool = False) -> tuple[int, dict[str, str], bytes]:
    """Send bytes, and read one answer."""
    wire = await site.wire()
    wire.writer.write(sent)
    return await wire.response(bodiless=bodiless)


AMBIGUOUS: dict[str, bytes] = {
    "two lengths": written(LENGTH, "Content-Length: 3"),
    "the same length twice": written(LENGTH, LENGTH),
    "a list of lengths": written(f"{LENGTH}, {SIZE}"),
    "length, then chunks": written(LENGTH, CHUNKED, body=b"0\r\n\r\n" + WHOLE),
    "chunks, then length": written(CHUNKED, LENGTH, body=b"0\r\n\r\n" + WHOLE),
    "chunks in another spelling": written("Transfer-Encoding: xchunked", body=CHUNK + WHOLE),
    "chunks and no coding": written("Transfer-Encoding: chunked, identity", body=CHUNK + WHOLE),
    "no coding and a length": written("Transfer-Encoding: identity", LENGTH),
    "chunks twice": written(CHUNKED, CHUNKED, body=CHUNK + WHOLE),
    "a space before the colon": written("Transfer-Encoding : chunked", LENGTH, body=b"0\r\n\r\n" + WHOLE),
    "a vertical tab": written("Transfer-Encoding: \x0bchunked", LENGTH, body=b"0\r\n\r\n" + WHOLE),
    "a folded header": written("X-Folded: a", " b: c", LENGTH),
    "a folded length": written("Content-Length:", f" {SIZE}"),
    "a folded first header": written(LENGTH, host=" Host: localhost"),
    "a signed length": written(f"Content-Length: +{SIZE}"),
    "a negative length": written("Content-Length: -1"),
    "a length in hexadecimal": written(f"Content-Length: {SIZE:#x}"),
    "no digits in the length": written("Content-Length: "),
    "a length beyond 64 bits": written("Content-Length: 99999999999999999999"),
    "a space in the length": written("Content-Length: 4 6"),
    "a signed chunk": written(CHUNKED, body=b"+" + CHUNK),
    "a chunk with a prefix": written(CHUNKED, body=b"0x" + CHUNK),
    "a chunk beyond 64 bits": written(CHUNKED, body=b"fffffffffffffffff\r\n" + NOTE),
    "chunks with bare line feeds": written(CHUNKED, body=CHUNK.replace(b"\r\n", b"\n")),
    "a chunk that does not end": written(CHUNKED, body=CHUNK.replace(b"}\r\n", b"}XX")),
    "a line feed in a chunk's extension": written(CHUNKED, body=CHUNK.replace(b"\r\n", b";a\nb\r\n", 1)),
    "bare line feeds": WHOLE.replace(b"\r\n", b"\n"),
    "one bare line feed": written("X-Bad: a\nY: b", LENGTH),
    "a bare carriage return": written("X-Bad: a\rY: b", LENGTH),
    "a zero": written("X-Bad: a\0b", LENGTH),
    "a name with a space": written("X Bad: a", LENGTH),
    "a header without a colon": written("XBad", LENGTH),
    "a header without a name": written(": a", LENGTH),
    "a version that is none": WHOLE.replace(b"HTTP/1.1", b"HTTP/1.9"),
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method in lower case": written(LENGTH, method="post"),
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n" + WHOLE,
    "bytes over 127 in the path": written(LENGTH, path=MESSAGES + "?app=\u00e9"),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
async def test_a_request_with_two_meanings_has_none(name: str, site: Site, honest: Honest) -> None:
    assert await statuses(site, AMBIGUOUS[name]) == [400]

    assert site.bridge.broker.workspaces.find("5071") is None
    await honest.talk()


async def test_the_same_requests_with_one_meaning_are_served(site: Site) -> None:
    for sent in (WHOLE, written(CHUNKED, body=CHUNK)):
        assert (await answered(site, sent))[0] == 202


async def test_a_request_in_the_body_of_another_is_a_body(site: Site, honest: Honest) -> None:
    length = f"Content-Length: {len(WHOLE)}"
    closing = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    assert await statuses(site, written(length, body=WHOLE) + closing) == [400, 200]
    unread = written(length, body=WHOLE, method="GET", path="/healthz")
    assert await statuses(site, unread + closing) == [200, 200]
    upgrade = written("Connection: upgrade", "Upgrade: h2c", body=WHOLE, method="GET", path="/healthz")
    assert await statuses(site, upgrade) == [200]
    assert site.bridge.broker.workspaces.find("5071") is None
    await honest.talk()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE", "HEAD", "PROPFIND", "OPTIONS"])
async def test_another_method_publishes_nothing_and_repeats_nothing(method: str, site: Site, honest: Honest) -> None:
    sent = written(LENGTH, "X-HTTP-Method-Override: POST", "X-Secret: tell-tale", method=method)

    status, headers, body = await answered(site, sent, bodiless=method == "HEAD")

    assert (status, headers["allow"]) == (405, "post")
    assert b"tell-tale" not in body
    assert token(workspace="5071").split(".")[0].encode() not in body
    assert site.bridge.broker.workspaces.find("5071") is None
    await honest.talk()


HOSTS = {
    "none": "",
    "two": "Host: localhost\r\nHost: evil.example",
    "empty": "Host: ",
    "with a path": "Host: localhost/x",
    "with a user": "Host: localhost@evil.example",
    "with a space": "Host: local host",
    "half an address": "Host: [::1",
    "no address": "Host: [1::2::3]",
}


@pytest.mark.parametrize("name", HOSTS)
async def test_a_host_that_is_none_gets_400(name: str, site: Site, honest: Honest) -> None:
    for method, path in (("POST", MESSAGES), ("GET", "/"), ("GET", "/nowhere"), ("GET", "/schemas")):
        assert (await answered(site, written(LENGTH, method=method, path=path, host=HOSTS[name])))[0] == 400
    wire = await site.wire()
    upgrade = written("Upgrade: websocket", "Connection: Upgrade", body=b"", method="GET", path="/ws", host=HOSTS[name])
    wire.writer.write(upgrade)
    assert (await wire.response())[0] == 400
    await honest.talk()


FOREIGN_HOSTS = {
    "of the attacker": ("/", "Host: evil.example"),
    "of the attacker, forwarded": (
        "/",
        "Host: evil.example\r\nX-Forwarded-Host: localhost\r\nForwarded: host=localhost",
    ),
    "in another place": ("http://localhost/", "Host: evil.example"),
    "that begins like ours": ("/", "Host: localhost.evil.example"),
    "that ends like ours": ("/", "Host: evil-localhost"),
    "of a gadget": ("/", "Host: evil.localhost"),
    "of a gadget, with dots": ("/gadgets/../", "Host: evil.example"),
    "an address in another form": ("/", "Host: 2130706433"),
    "every address": ("/", "Host: 0.0.0.0"),
    "with a dot": ("/", "Host: localhost."),
}


@pytest.mark.parametrize("name", FOREIGN_HOSTS)
async def test_without_authentication_a_foreign_host_gets_nothing(name: str) -> None:
    path, host = FOREIGN_HOSTS[name]
    async with running(jwt_secret=None) as site:
        for method, asked in (("GET", path), ("POST", path.rstrip("/") + MESSAGES)):
            status, _, body = await answered(site, written(LENGTH, method=method, path=asked, host=host))
            assert status == 403
            assert b"<html" not in body
        assert site.bridge.broker.workspaces.find("5071") is None


PATHS = [
    f"{folder}{way}"
    for folder in ("/", "/schemas/", "/problems/")
    for way in (
        "../pyproject.toml", "..%2fpyproject.toml", "%2e%2e/pyproject.toml", "%2e%2e%2fpyproject.toml",
        "....//pyproject.toml", "..\\pyproject.toml", "..%5cpyproject.toml", "%252e%252e%252fpyproject.toml",
        "..%c0%afpyproject.toml", "..%00/pyproject.toml", "/etc/passwd", "%2fetc%2fpasswd", "index.html%00",
        "file:///etc/passwd", ".%2e/.%2e/pyproject.toml", "..;/pyproject.toml", "%ff", "a" * 5000, "C:%5cwindows",
        "~root", ".git/config", "%2e/%2e%2e/bridge/__init__.py", "..%2f" * 20 + "etc/passwd",
    )
]  # fmt: skip


async def test_no_path_leads_out_of_what_is_served(site: Site, honest: Honest) -> None:
    for path in PATHS:
        status, _, body = await answered(site, written(body=b"", method="GET", path=path))
        assert status in {400, 404}, path
        assert not re.search(rb"\[project\]|root:x|repositoryformatversion|__version__", body), path
    await honest.talk()


@pytest.mark.parametrize(
    "way", ["507%30", "5071%2f..%2f5070", "5071/../5070", "5070%00", "5070%20", "%35%30%37%30", "*"]
)
async def test_another_workspace_by_another_spelling_is_another_workspace(way: str, site: Site, honest: Honest) -> None:
    before = site.bridge.broker.workspaces.find("5070")
    assert before is not None
    offset = before.offset

    status, _, _ = await answered(site, written(LENGTH, path=f"/api/v1/workspaces/{way}/messages"))
    read, _, _ = await answered(
        site, written(body=b"", method="GET", path=f"/api/v1/workspaces/{way}/events?pattern=*")
    )

    assert status in {400, 403, 405}
    assert read in {400, 403, 404}
    assert before.offset == offset
    await honest.talk()


@pytest.mark.parametrize("prefix", ["//api", "/%61pi", "/./api", "/API", "/api/", "/x/../api", "/\\api"])
async def test_no_spelling_of_the_path_gets_round_the_token(prefix: str, site: Site, honest: Honest) -> None:
    path = f"{prefix}/v1/workspaces/5070/messages"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{LENGTH}\r\n\r\n"

    status, _, _ = await answered(site, head.encode() + NOTE)

    assert status in {401, 404, 405}
    await honest.talk()


async def test_a_token_counts_in_its_one_place_only(site: Site, honest: Honest) -> None:
    good = token(workspace="5070")
    path = "/api/v1/workspaces/5070/messages"
    for query, lines in (
        (f"?token={good}&access_token={good}&jwt={good}", ""),
        ("", f"Cookie: token={good}; access_token={good}\r\n"),
        ("", f"X-Authorization: Bearer {good}\r\n"),
        ("", f"Authorization: Basic {good}\r\n"),
        ("", f"Authorization: {good}\r\n"),
        ("", f"Authorization: Bearer x\r\nAuthorization: Bearer {good}\r\n"),
        ("", f"Authorization: Bearer {good}\r\nAuthorization: Bearer x\r\n"),
        ("", f"Authorization: Bearer {good}, Bearer x\r\n"),
    ):
        kind = "Content-Type: application/json"
        head = f"POST {path}{query} HTTP/1.1\r\nHost: localhost\r\n{kind}\r\n{LENGTH}\r\n{lines}\r\n"
        status, headers, body = await answered(site, head.encode() + NOTE)
        assert status == 401
        assert headers["www-authenticate"].startswith("bearer")
        assert good.encode() not in body
    wire = await site.wire()
    await wire.upgrade(f"?token={good}&access_token={good}", headers={"Cookie": f"token={good}"})
    wire.send({"channel": "Notes", "topic": "a", "subtopic": "b"})
    assert (await wire.closed())[0] == 4401
    await honest.talk()


ORIGINS = [
    "https://evil.example", "null", "", "http://localhost.evil.example", "http://localhost@evil.example",
    "https://localhost", "http://localhost:1", "http://localhost/", "http://localhost#", "http://evil.example:80",
    "file://", "http://l\u00f6calhost", "http://localhost, https://evil.example", "http://localhost\tx",
]  # fmt: skip


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_foreign_origin_gets_403_and_no_leave_to_read(origin: str, site: Site, honest: Honest) -> None:
    for method, path in (("POST", MESSAGES), ("GET", f"{MESSAGES[:-8]}events?pattern=*")):
        status, headers, _ = await answered(site, written(LENGTH, f"Origin: {origin}", method=method, path=path))
        assert status == 403
        assert not [name for name in headers if name.startswith("access-control")]
    asked = written(f"Origin: {origin}", "Access-Control-Request-Method: POST", body=b"", method="OPTIONS")
    status, headers, _ = await answered(site, asked)
    assert status == 403
    assert not [name for name in headers if name.startswith("access-control")]
    for path in ("/", "/healthz", "/metrics", "/problems/"):
        _, headers, _ = await answered(site, written(f"Origin: {origin}", body=b"", method="GET", path=path))
        assert not [name for name in headers if name.startswith("access-control")]
    assert site.bridge.broker.workspaces.find("5071") is None
    await honest.talk()


@pytest.mark.parametrize("text", ["a%0d%0aX-Evil:%201", "a%0aX-Evil:%201", "a%E5%98%8A%E5%98%8DX-Evil:%201", "a%00"])
async def test_nothing_that_was_sent_becomes_a_header(text: str, site: Site, honest: Honest) -> None:
    for method, path in (
        ("POST", f"{MESSAGES}?app={text}"),
        ("POST", f"/api/v1/workspaces/{text}/messages"),
        ("GET", f"{MESSAGES[:-8]}events?pattern={text}"),
        ("GET", f"/{text}/.."),
        ("GET", f"/schemas/{text}"),
        ("GET", f"/problems/{text}"),
        ("GET", f"/metrics/?{text}"),
    ):
        _, headers, _ = await answered(site, written(LENGTH, f"Last-Event-ID: {text}", method=method, path=path))
        assert "x-evil" not in headers
        assert not re.search(r"[\r\n\0]", " ".join(headers.values()))
    await honest.talk()


async def test_a_redirect_stays_on_the_host_that_was_asked(site: Site) -> None:
    for path in ("/schemas", "/metrics/", "//evil.example/..", "/\\evil.example/..", "/%2f/evil.example/%2e%2e"):
        _, headers, _ = await answered(site, written(body=b"", method="GET", path=path))
        assert headers.get("location", "http://localhost/").startswith("http://localhost/"), path


HALF = {
    "a body": written(LENGTH, body=b""),
    "a body in chunks": written(CHUNKED, body=b"%x\r\n" % SIZE),
    "a body that nobody asked for": written("Content-Length: 60000", body=b"", method="GET", path="/nowhere?"),
    "a large body": written("Content-Length: 60000", body=b""),
}


@pytest.mark.parametrize("name", HALF)
async def test_a_body_letter_by_letter_is_given_up(name: str, record_property: Callable[[str, object], None]) -> None:
    async with running(open_seconds=1) as site:
        honest = await Honest.join(site)

        async def attack() -> Any:
            wire = await site.wire()
            wire.writer.write(HALF[name])
            for _ in range(SIZE - 5):
                wire.writer.write(b" ")
                await asyncio.sleep(0)
            async with asyncio.timeout(5):
                return await wire.reader.read(-1)

        begun = asyncio.ensure_future(attack())
        await honest.beside(begun)
        record_property("honest_p99_ms", round(honest.p99_ms, 2))
        found = [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3})", begun.result())]
        assert found == ([404] if "nobody" in name else [408])
        assert site.bridge.broker.workspaces.find("5071") is None


async def test_a_flood_to_another_workspace_leaves_its_servers_their_rate() -> None:
    async with running(messages_per_second=1, messages_burst=1) as site:
        refused = [
            (await answered(site, written(LENGTH, path="/api/v1/workspaces/5070/messages")))[0] for _ in range(20)
        ]
        assert refused[0] == 403
        assert set(refused) <= {403, 429}

        good = token(workspace="5070")
        head = (
            f"POST /api/v1/workspaces/5070/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {good}\r\n{LENGTH}\r\n\r\n"
        )
        assert (await answered(site, head.encode() + NOTE))[0] == 202

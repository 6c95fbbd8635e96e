"""The REST client against real HTTPS servers on this machine."""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
import trustme
from pydantic import SecretStr
from starlette.responses import Response

from bridge.calls.adapter import Failure
from bridge.calls.finesse.adapter import FinesseAdapter
from bridge.calls.finesse.bodies import Outgoing
from bridge.calls.finesse.credentials import Credentials
from bridge.calls.finesse.rest import (
    ANSWER_BYTES,
    CONNECTIONS,
    FinesseRest,
    Refused,
    Unanswered,
    Unreachable,
    make_client,
)
from bridge.calls.model import AgentStatus
from tests.calls.finesse.finesse_server import AUTHORITY, Got, chain, client_tls, finesse_server, raw_server, rest
from tests.calls.finesse.shapes import fixture_bytes
from tests.calls.finesse.test_failures import DOCUMENTED

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

PASSWORD = "cactus-blue-42"
TOKEN = "eyJhbGciOi.J9-_~+/x=="
MARA = Credentials("mlind", SecretStr(PASSWORD))
BASIC = "Basic bWxpbmQ6Y2FjdHVzLWJsdWUtNDI="
SSO = Credentials("mlind", SecretStr(TOKEN), bearer=True)

HOLD = Outgoing("PUT", "/finesse/api/Dialog/7", "<Dialog><requestedAction>HOLD</requestedAction></Dialog>")
DIAL = Outgoing("POST", "/finesse/api/User/mlind/Dialogs", "<Dialog>é</Dialog>")

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

Act = Callable[[asyncio.StreamWriter, int], Awaitable[None]]


def secretless(error: BaseException) -> bool:
    """Say whether neither password nor token can be found in an exception, nor in what it drags along."""
    told = "".join(traceback.format_exception(error))
    told += "".join(f"{each!r} {each} {each.args} {vars(each)}" for each in chain(error))
    return not any(secret in told for secret in (PASSWORD, TOKEN, BASIC, BASIC.removeprefix("Basic ")))


# What is sent.


async def test_request_goes_out_as_finesse_wants_it(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        await node.send(HOLD, MARA, "r-1")
        await node.send(DIAL, SSO, "r-2")

    hold, dial = finesse.got
    assert (hold.method, hold.path, hold.body) == ("PUT", HOLD.path, HOLD.body)
    assert (dial.method, dial.path, dial.body) == ("POST", DIAL.path, DIAL.body)
    assert [got.headers["requestid"] for got in finesse.got] == ["r-1", "r-2"]
    assert [got.headers["authorization"] for got in finesse.got] == [BASIC, f"Bearer {TOKEN}"]
    assert {got.headers["content-type"] for got in finesse.got} == {"application/xml"}
    assert {got.headers["accept"] for got in finesse.got} == {"application/xml"}
    assert {got.headers["user-agent"].split("/")[0] for got in finesse.got} == {"workspace-bridge"}


async def test_reads_go_out_without_a_body_and_a_request_id(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(fixture_bytes("user-ready.xml"))
        assert (await node.user(MARA)).status is AgentStatus.READY
        finesse.answer = Response(fixture_bytes("dialogs-none.xml"))
        assert await node.dialogs(MARA) == ()
        finesse.answer = Response(fixture_bytes("system-in-service.xml"))
        assert (await node.system_info()).in_service

    assert [(got.method, got.path, got.body) for got in finesse.got] == [
        ("GET", "/finesse/api/User/mlind", ""),
        ("GET", "/finesse/api/User/mlind/Dialogs", ""),
        ("GET", "/finesse/api/SystemInfo", ""),
    ]
    assert [got.headers.get("authorization") for got in finesse.got] == [BASIC, BASIC, None]
    assert not any({"requestid", "content-type"} & got.headers.keys() for got in finesse.got)


async def test_name_in_a_path_stays_one_segment(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(fixture_bytes("user-ready.xml"))
        await node.user(Credentials("../é?", SecretStr(PASSWORD)))

    assert finesse.got[0].path == "/finesse/api/User/..%2F%C3%A9%3F"


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_any_2xx_accepts_whatever_its_body(tmp_path: Path, status: int) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(b"" if status == 204 else b"<p>fine<br>", status_code=status)
        await node.send(HOLD, MARA, "r-1")

    assert len(finesse.got) == 1


async def test_cookies_are_not_sent_back(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(status_code=202, headers={"Set-Cookie": "JSESSIONID=mara; Path=/; Secure"})
        await node.send(HOLD, MARA, "r-1")
        await node.send(HOLD, Credentials("ben", SecretStr("other")), "r-2")

    assert len(finesse.got) == 2
    assert not any("cookie" in got.headers for got in finesse.got)


async def test_environment_does_not_choose_a_proxy_or_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine localhost login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(fixture_bytes("system-in-service.xml"))
        await node.system_info()

    assert "authorization" not in finesse.got[0].headers


# What Finesse refuses.


@pytest.mark.parametrize(("status", "error_type", "message", "data"), DOCUMENTED)
async def test_every_documented_error_is_a_refusal_and_asked_once(
    tmp_path: Path, status: int, error_type: str, message: str, data: str
) -> None:
    body = (
        f"<ApiErrors><ApiError><ErrorData>{data}</ErrorData><ErrorType>{error_type}</ErrorType>"
        f"<ErrorMessage>{message}</ErrorMessage></ApiError></ApiErrors>"
    )
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(body, status_code=status)
        with pytest.raises(Refused) as put:
            await node.send(HOLD, MARA, "r-1")
        with pytest.raises(Refused) as get:
            await node.user(MARA)

    expected = Failure(error_type, f"{message} ({data})" if data else message)
    assert (put.value.failure, put.value.status) == (get.value.failure, get.value.status) == (expected, status)
    assert put.value.credentials_refused == (error_type == "Authorization Failure")
    assert put.value.out_of_service == (status == 503)
    assert [got.method for got in finesse.got] == ["PUT", "GET"]
    assert secretless(put.value)


@pytest.mark.parametrize("body", [b"", b"<html><p>Unauthorized<br></html>", b"<ApiErrors/>"])
async def test_401_of_any_form_means_the_credentials_and_is_never_repeated(tmp_path: Path, body: bytes) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(body, status_code=401, headers={"WWW-Authenticate": 'Basic realm="Finesse"'})
        for attempt in (node.send(HOLD, MARA, "r-1"), node.user(MARA), node.dialogs(SSO)):
            with pytest.raises(Refused) as refusal:
                await attempt
            assert refusal.value.credentials_refused
            assert secretless(refusal.value)

    assert len(finesse.got) == 3


async def test_503_without_a_body_is_out_of_service(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(status_code=503)
        with pytest.raises(Refused, match="HTTP 503 Service Unavailable") as refusal:
            await node.system_info()

    assert refusal.value.out_of_service
    assert not refusal.value.credentials_refused


async def test_redirect_is_not_followed(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(status_code=301, headers={"Location": f"https://localhost:{finesse.port}/elsewhere"})
        with pytest.raises(Refused, match="HTTP 301"):
            await node.send(HOLD, MARA, "r-1")

    assert len(finesse.got) == 1


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ключ", "null\0", " leading"])
async def test_token_that_cannot_be_one_is_not_sent(tmp_path: Path, token: str) -> None:
    credentials = Credentials("mlind", SecretStr(token), bearer=True)
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        with pytest.raises(Refused) as refusal:
            await node.send(HOLD, credentials, "r-1")

    assert refusal.value.credentials_refused
    assert finesse.got == []
    assert not token or token not in "".join(traceback.format_exception(refusal.value))


async def test_request_id_that_http_cannot_carry_is_not_sent(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        with pytest.raises(Unreachable, match="nothing that HTTP can carry") as error:
            await node.send(HOLD, MARA, "line\nbreak")

    assert finesse.got == []
    assert secretless(error.value)


# Answers that cannot be read.


@pytest.mark.parametrize("body", [b"", b"<html/>", b"<User/>", b"\xff", b"<!DOCTYPE a><User/>"])
async def test_answer_to_a_read_that_cannot_be_read_is_no_answer(tmp_path: Path, body: bytes) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(body)
        with pytest.raises(Unanswered, match="the answer to GET /finesse/api/User/mlind cannot be read"):
            await node.user(MARA)

    assert len(finesse.got) == 1


async def test_body_that_is_too_long_is_not_read_to_its_end() -> None:
    written = 0

    async def endless(writer: asyncio.StreamWriter, _number: int) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0)  # only in the loop's next round it is known that the client has gone
            written += 65_536

    async with raw_server(endless) as raw, rest(raw.port) as node:
        with pytest.raises(Unanswered, match="too long"):
            await node.user(MARA)
        await node.send(HOLD, MARA, "r-1")

    assert len(raw.got) == 2
    assert written < 20 * ANSWER_BYTES


async def test_packed_answer_is_not_unpacked(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        finesse.answer = Response(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
        with pytest.raises(Unanswered):
            await node.user(MARA)

    assert finesse.got[0].headers["accept-encoding"] == "identity"


def answers(*pieces: bytes, then: str = "close") -> Act:
    """Make a server that writes some bytes and then closes, or writes no more."""

    async def act(writer: asyncio.StreamWriter, _number: int) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then == "close":
            writer.transport.abort()
        else:
            await asyncio.Event().wait()

    return act


@pytest.mark.parametrize("then", ["close", "stall"])
async def test_refusal_counts_although_its_body_stays_away(then: str) -> None:
    start = b"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n<ApiErr"
    async with raw_server(answers(start, then=then)) as raw, rest(raw.port, answer_seconds=0.5) as node:
        with pytest.raises(Refused) as refusal:
            await node.send(HOLD, MARA, "r-1")

    assert refusal.value.failure == Failure("Not Found", "HTTP 404")
    assert len(raw.got) == 1


@pytest.mark.parametrize("then", ["close", "stall"])
async def test_acceptance_counts_although_its_body_stays_away(then: str) -> None:
    start = b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n"
    async with raw_server(answers(start, then=then)) as raw, rest(raw.port, answer_seconds=0.5) as node:
        await node.send(HOLD, MARA, "r-1")

    assert len(raw.got) == 1


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    for byte in data:
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(0.02)


async def test_body_that_drips_is_given_up() -> None:
    async def slow(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        await drip(writer, b"<" * 100_000)

    async with raw_server(slow) as raw, rest(raw.port, answer_seconds=0.5) as node:
        async with asyncio.timeout(5):
            with pytest.raises(Unanswered, match="too slow"):
                await node.user(MARA)


async def test_headers_that_drip_are_given_up() -> None:
    async def slow(writer: asyncio.StreamWriter, _number: int) -> None:
        await drip(writer, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000)

    async with raw_server(slow) as raw, rest(raw.port, answer_seconds=0.1, connect_seconds=0.5) as node:
        async with asyncio.timeout(5):
            with pytest.raises(Unanswered, match="no answer to PUT /finesse/api/Dialog/7 in time") as error:
                await node.send(HOLD, MARA, "r-1")

    assert len(raw.got) == 1
    assert secretless(error.value)


# Requests whose answer is lost.


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 202 Acc", b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n", b"no HTTP\r\n\r\n"]
)
@pytest.mark.parametrize("outgoing", [HOLD, DIAL], ids=["PUT", "POST"])
async def test_request_whose_answer_is_lost_is_unanswered_and_was_sent_once(start: bytes, outgoing: Outgoing) -> None:
    async with raw_server(answers(start)) as raw, rest(raw.port) as node:
        with pytest.raises(Unanswered, match="the connection was lost") as error:
            await node.send(outgoing, MARA, "r-1")

    assert len(raw.got) == 1
    assert secretless(error.value)


@pytest.mark.parametrize("outgoing", [HOLD, DIAL], ids=["PUT", "POST"])
async def test_request_whose_answer_is_lost_on_a_kept_connection_was_sent_once(outgoing: Outgoing) -> None:
    async def once(writer: asyncio.StreamWriter, number: int) -> None:
        if number > 1:
            writer.transport.abort()
        else:
            writer.write(ACCEPTED)

    async with raw_server(once) as raw, rest(raw.port) as node:
        await node.send(HOLD, MARA, "r-1")
        with pytest.raises(Unanswered, match="the connection was lost"):
            await node.send(outgoing, MARA, "r-2")

    assert (len(raw.got), raw.connected) == (2, 1)


async def test_request_that_is_never_answered_is_unanswered_in_time_and_was_sent_once() -> None:
    async with raw_server(answers(then="stall")) as raw, rest(raw.port, answer_seconds=0.5) as node:
        with pytest.raises(Unanswered, match="no answer to PUT /finesse/api/Dialog/7 in time") as error:
            await node.send(HOLD, MARA, "r-1")

    assert len(raw.got) == 1
    assert secretless(error.value)


async def test_read_whose_answer_is_lost_is_sent_once_more() -> None:
    user = fixture_bytes("user-ready.xml")

    async def second_time_lucky(writer: asyncio.StreamWriter, number: int) -> None:
        if number == 1:
            writer.transport.abort()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(user), user))

    async with raw_server(second_time_lucky) as raw, rest(raw.port) as node:
        assert (await node.user(MARA)).login_id == "1001001"

    assert len(raw.got) == 2


async def test_read_whose_answer_is_always_lost_is_sent_twice() -> None:
    async with raw_server(answers()) as raw, rest(raw.port) as node:
        with pytest.raises(Unanswered, match="the connection was lost") as error:
            await node.dialogs(MARA)

    assert len(raw.got) == 2
    assert secretless(error.value)


async def test_read_that_is_never_answered_is_not_repeated() -> None:
    async with raw_server(answers(then="stall")) as raw, rest(raw.port, answer_seconds=0.5) as node:
        with pytest.raises(Unanswered, match="in time"):
            await node.system_info()

    assert len(raw.got) == 1


async def test_cancelled_request_leaves_no_connection_behind() -> None:
    asked = asyncio.Event()

    async def stall(_writer: asyncio.StreamWriter, _number: int) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with raw_server(stall) as raw, rest(raw.port, connections=1) as node:
        task = asyncio.create_task(node.send(HOLD, MARA, "r-1"))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        asked.clear()
        again = asyncio.create_task(node.send(HOLD, MARA, "r-2"))  # would wait for the only connection of the pool
        await asked.wait()
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)

    assert raw.connected == 2


# Connections.


async def test_connection_is_kept_for_the_next_request(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port) as node:
        for number in range(5):
            await node.send(HOLD, MARA if number % 2 else SSO, f"r-{number}")

    assert len(finesse.got) == 5
    assert len(finesse.connections) == 1


@pytest.mark.parametrize("politely", [True, False])
async def test_connection_that_the_server_has_closed_meanwhile_costs_nothing(politely: bool) -> None:  # noqa: FBT001
    writers: list[asyncio.StreamWriter] = []

    async def accept(writer: asyncio.StreamWriter, _number: int) -> None:
        writers.append(writer)
        writer.write(ACCEPTED)

    async with raw_server(accept) as raw, rest(raw.port) as node:
        for number in range(3):
            await node.send(HOLD, MARA, f"r-{number}")
            if politely:
                writers[-1].close()  # sends TLS's close_notify
            else:
                writers[-1].transport.abort()
                await writers[-1].wait_closed()

    assert (len(raw.got), raw.connected) == (3, 3)


async def test_connection_that_idles_too_long_is_not_used_again(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port, keepalive_seconds=0) as node:
        await node.send(HOLD, MARA, "r-1")
        await node.send(HOLD, MARA, "r-2")

    assert len(finesse.connections) == 2


async def test_many_agents_at_once_share_the_connections(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, rest(finesse.port, connections=5) as node:
        await asyncio.gather(*(node.send(HOLD, Credentials(f"a{n}", SecretStr("p")), f"r-{n}") for n in range(100)))

    assert len(finesse.got) == 100
    assert len(finesse.connections) <= 5
    assert {got.headers["requestid"] for got in finesse.got} == {f"r-{n}" for n in range(100)}


async def test_full_pool_means_that_nothing_was_sent() -> None:
    asked = asyncio.Event()

    async def stall(_writer: asyncio.StreamWriter, _number: int) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with raw_server(stall) as raw, rest(raw.port, connections=1, connect_seconds=0.5) as node:
        first = asyncio.create_task(node.send(HOLD, MARA, "r-1"))
        await asked.wait()
        with pytest.raises(Unreachable, match="all connections are in use") as error:
            await node.send(HOLD, MARA, "r-2")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    assert len(raw.got) == 1
    assert secretless(error.value)


async def test_node_that_hangs_does_not_hold_up_the_other(tmp_path: Path) -> None:
    stuck = asyncio.Event()

    async def stall(_writer: asyncio.StreamWriter, number: int) -> None:
        if number == CONNECTIONS:
            stuck.set()
        await asyncio.Event().wait()

    authority = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(authority))
    async with raw_server(stall) as raw, finesse_server(tmp_path) as finesse:
        urls = [f"https://localhost:{port}" for port in (raw.port, finesse.port)]
        adapter = FinesseAdapter(urls, ca_file=authority)
        hanging, serving = adapter._site.nodes.all
        sending = [asyncio.create_task(hanging.rest.send(HOLD, MARA, f"r-{n}")) for n in range(CONNECTIONS)]
        await stuck.wait()
        await serving.rest.send(HOLD, MARA, "r")
        assert (len(raw.got), len(finesse.got)) == (CONNECTIONS, 1)
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        await adapter.stop()


# No connection.


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


async def unreachable(
    port: int, tls: ssl.SSLContext | None = None, host: str = "localhost", connect_seconds: float = 5
) -> str:
    async with rest(port, tls, host=host, connect_seconds=connect_seconds) as node:
        for attempt in (node.send(HOLD, MARA, "r-1"), node.user(SSO), node.system_info()):
            with pytest.raises(Unreachable) as error:
                await attempt
            assert secretless(error.value)
    return str(error.value)


async def test_refused_connection() -> None:
    port = free_port()

    assert await unreachable(port) == f"https://localhost:{port}: Connection refused"


async def test_name_that_nobody_has() -> None:
    assert await unreachable(8445, host="finesse.invalid") == "https://finesse.invalid:8445: its name cannot be found"


async def test_server_that_never_shakes_hands() -> None:
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _reader, writer: held.append(writer), "127.0.0.1", 0)
    async with server:
        told = await unreachable(server.sockets[0].getsockname()[1], connect_seconds=0.2)
        for writer in held:
            writer.transport.abort()

    assert "no connection in time" in told
    assert len(held) == 3


async def test_server_without_tls() -> None:
    async def answer_plainly(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer_plainly, "127.0.0.1", 0)
    async with server:
        told = await unreachable(server.sockets[0].getsockname()[1])

    assert "TLS failed: WRONG_VERSION_NUMBER" in told


async def test_certificate_of_an_unknown_authority_names_the_setting(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse:
        told = await unreachable(finesse.port, client_tls(trustme.CA()))

    assert "the certificate is not trusted" in told
    assert "FINESSE_CA_FILE" in told
    assert finesse.got == []


async def test_certificate_for_another_name(tmp_path: Path) -> None:
    async with finesse_server(tmp_path, host="finesse2.example.com") as finesse:
        told = await unreachable(finesse.port)

    assert "not valid for 'localhost'" in told
    assert "FINESSE_CA_FILE" not in told
    assert finesse.got == []


@pytest.mark.parametrize("url", ["http://finesse:8445", "finesse:8445", "https://", "", "wss://finesse:8445/ws/"])
async def test_only_https_is_spoken(url: str) -> None:
    async with make_client(client_tls()) as client:
        with pytest.raises(ValueError, match="https://host:port"):
            FinesseRest(url, client)


async def test_path_and_credentials_of_the_address_are_not_used(tmp_path: Path) -> None:
    async with finesse_server(tmp_path) as finesse, make_client(client_tls()) as client:
        finesse.answer = Response(fixture_bytes("system-in-service.xml"))
        await FinesseRest(f"https://somebody:else@localhost:{finesse.port}/desktop/", client).system_info()

    assert isinstance(finesse.got[0], Got)
    assert finesse.got[0].path == "/finesse/api/SystemInfo"
    assert "authorization" not in finesse.got[0].headers


async def test_exception_drags_nothing_of_the_request_along() -> None:
    async with raw_server(answers()) as raw, rest(raw.port) as node:
        with pytest.raises(Unanswered) as error:
            await node.send(HOLD, MARA, "r-1")

    assert chain(error.value) == [error.value]

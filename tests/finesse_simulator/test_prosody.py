"""The real XMPP server: it starts, serves the accounts it was given, can be hurt, and never outlives us."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

import bridge
from bridge.calls.finesse.xmpp import Endpoint, XmppConnection, XmppLost, XmppRefused, connect
from bridge.finesse_simulator import prosody as module
from bridge.finesse_simulator.certificates import Certificates, make_certificates
from bridge.finesse_simulator.prosody import Prosody, ProsodyError

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 10.0
PASSWORD = "secret"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def prosody_of(
    tmp_path: Path,
    certificates: Certificates,
    accounts: Mapping[str, str] | None = None,
    *,
    tls_port: int = 0,
    component_port: int = 0,
) -> Prosody:
    return Prosody(
        directory=tmp_path / "prosody",
        certificates=certificates,
        accounts=accounts or {"1001001": PASSWORD},
        tls_port=tls_port,
        component_port=component_port,
    )


async def enter(
    prosody: Prosody,
    certificates: Certificates,
    user: str = "1001001",
    password: str = PASSWORD,
    url: str | None = None,
) -> XmppConnection:
    tls = ssl.create_default_context(cafile=str(certificates.ca_file))
    endpoint = Endpoint(url or prosody.websocket_url)
    return await connect(
        endpoint, username=user, domain=prosody.domain, secret=SecretStr(password), resource="r", tls=tls
    )


async def lost(connection: XmppConnection) -> bool:
    """Read until the connection is lost."""
    try:
        async with asyncio.timeout(LIMIT):
            async for _ in connection:
                pass
    except XmppLost:
        return True
    return False


async def gone(pid: int) -> None:
    """Wait until a process that may not be our child has ended."""
    async with asyncio.timeout(LIMIT):
        while Path(f"/proc/{pid}").exists() and "(zombie)" not in Path(f"/proc/{pid}/status").read_text():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.01)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_when_started_all_of_its_ports_accept_and_when_stopped_none(
    tmp_path: Path, certificates: Certificates
) -> None:
    prosody = prosody_of(tmp_path, certificates)
    await prosody.start()
    ports = [Endpoint(prosody.websocket_url).port, Endpoint(prosody.tcp_url).port, prosody.component_port]
    assert [accepts(port) for port in ports] == [True] * 3
    assert len(set(ports)) == 3
    await prosody.stop()
    await prosody.stop()
    assert [accepts(port) for port in ports] == [False] * 3
    assert prosody.pid is None


async def test_the_ports_that_are_wished_for_are_taken(tmp_path: Path, certificates: Certificates) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with prosody_of(tmp_path, certificates, tls_port=port) as prosody:
        assert prosody.tcp_url == f"xmpps://localhost:{port}"
        await (await enter(prosody, certificates, url=prosody.tcp_url)).close()


async def test_a_port_that_another_process_holds_is_told(tmp_path: Path, certificates: Certificates) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        prosody = prosody_of(tmp_path, certificates, component_port=port)
        with pytest.raises(
            ProsodyError, match=rf"did not start: taken {port}\n(.|\n)*Failed to open server port {port}"
        ):
            await prosody.start()
    assert prosody.pid is None


async def test_a_free_port_that_is_taken_meanwhile_is_given_up_for_another(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = module._with_free_ports
    chosen: list[tuple[int, int, int]] = []
    with socket.create_server(("127.0.0.1", 0)) as holder:

        def unlucky_once(wished: tuple[int, int, int]) -> tuple[int, int, int]:
            ports = choose(wished) if chosen else (*choose(wished)[:2], holder.getsockname()[1])
            chosen.append(ports)
            return ports

        monkeypatch.setattr(module, "_with_free_ports", unlucky_once)
        async with prosody_of(tmp_path, certificates) as prosody:
            assert len(chosen) == 2
            await (await enter(prosody, certificates)).close()


PASSWORDS = {
    "quotes": "\"'\\ ]] -- \\n",
    "unicode": "p\u00e4ssw\u00f6rd \U0001f511",
    "long": "x" * 500,
    "with.dot-and_more": "}; os.exit(1) --",
}


async def test_whatever_is_in_a_password_it_is_that_password(tmp_path: Path, certificates: Certificates) -> None:
    async with prosody_of(tmp_path, certificates, PASSWORDS) as prosody:
        for user, password in PASSWORDS.items():
            connection = await enter(prosody, certificates, user, password)
            assert connection.jid == f"{user}@localhost/r"
            await connection.close()
            with pytest.raises(XmppRefused, match="not-authorized"):
                await enter(prosody, certificates, user, password[:-1])


async def test_an_access_token_lets_in_as_a_password_does_until_another_takes_its_place(
    tmp_path: Path, certificates: Certificates
) -> None:
    async with Prosody(
        directory=tmp_path, certificates=certificates, accounts={"a": PASSWORD}, tokens={"a": "token-1"}
    ) as prosody:
        for secret in (PASSWORD, "token-1"):
            await (await enter(prosody, certificates, "a", secret)).close()
        prosody.set_token("a", "token-2")
        for secret in (PASSWORD, "token-2"):
            await (await enter(prosody, certificates, "a", secret)).close()
        with pytest.raises(XmppRefused, match="not-authorized"):
            await enter(prosody, certificates, "a", "token-1")


async def test_another_domain_is_served_under_the_same_host(tmp_path: Path, certificates: Certificates) -> None:
    made = Prosody(
        directory=tmp_path, certificates=certificates, accounts={"a": "secret"}, domain="finesse-1.cc.example"
    )
    async with made as prosody:
        assert prosody.component_domain == "pubsub.finesse-1.cc.example"
        for url in (prosody.websocket_url, prosody.tcp_url):
            connection = await enter(prosody, certificates, "a", url=url)
            assert connection.jid == "a@finesse-1.cc.example/r"
            await connection.close()


async def test_two_nodes_live_side_by_side(tmp_path: Path, certificates: Certificates) -> None:
    async with (
        Prosody(directory=tmp_path / "a", certificates=certificates, accounts={"a": "secret"}) as one,
        Prosody(directory=tmp_path / "b", certificates=certificates, accounts={"a": "secret"}) as two,
    ):
        for prosody in (one, two):
            await (await enter(prosody, certificates, "a")).close()
        assert one.component_secret != two.component_secret


async def test_a_killed_server_comes_back_under_the_same_addresses(tmp_path: Path, certificates: Certificates) -> None:
    async with prosody_of(tmp_path, certificates) as prosody:
        connection = await enter(prosody, certificates)
        before = (prosody.websocket_url, prosody.tcp_url, prosody.component_port, prosody.component_secret)
        await prosody.kill()
        assert await lost(connection)
        await prosody.start()
        assert (prosody.websocket_url, prosody.tcp_url, prosody.component_port, prosody.component_secret) == before
        await (await enter(prosody, certificates)).close()


async def test_sockets_are_cut_of_one_user_or_of_all(tmp_path: Path, certificates: Certificates) -> None:
    accounts = dict.fromkeys(("a", "b", "c"), "secret")
    async with prosody_of(tmp_path, certificates, accounts) as prosody:
        connections = [
            await enter(prosody, certificates, name, url=url)
            for name, url in (("a", prosody.tcp_url), ("b", prosody.websocket_url), ("c", prosody.tcp_url))
        ]
        assert await prosody.cut("a") == 1
        assert await lost(connections[0])
        assert [*await asyncio.gather(prosody.cut("a"), prosody.cut("nobody"), prosody.cut())] == [0, 0, 2]
        assert await lost(connections[1])
        assert await lost(connections[2])
    with pytest.raises(ProsodyError, match="does not run"):
        await prosody.cut()


async def test_a_machine_without_prosody_is_told_how_to_get_it(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProsodyError, match="apt-get install prosody"):
        await prosody_of(tmp_path, certificates).start()


async def test_a_start_that_fails_quotes_what_prosody_says(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Prosody, "_config", lambda _self, _data, _ports: "this is no Lua")
    with pytest.raises(ProsodyError, match=r"did not start: it ended\n(.|\n)*syntax error near 'is'"):
        await prosody_of(tmp_path, certificates).start()


async def test_a_start_that_takes_too_long_or_is_cancelled_leaves_no_process(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    (tmp_path / "prosody").write_text(f"#!/bin/sh\necho $$ >> {pids}\nexec sleep 60\n")
    (tmp_path / "prosody").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(module, "START_SECONDS", 0.3)
    prosody = Prosody(directory=tmp_path / "files", certificates=certificates, accounts={})
    with pytest.raises(ProsodyError, match="not ready after"):
        await prosody.start()

    monkeypatch.setattr(module, "START_SECONDS", LIMIT)
    starting = asyncio.create_task(prosody.start())
    async with asyncio.timeout(LIMIT):
        while len(pids.read_text().split()) < 2:  # noqa: ASYNC110  # a process of another program
            await asyncio.sleep(0.01)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    for pid in pids.read_text().split():
        await gone(int(pid))
    assert prosody.pid is None


async def test_a_running_server_is_not_started_twice_and_an_unstarted_one_has_no_address(
    tmp_path: Path, certificates: Certificates
) -> None:
    prosody = prosody_of(tmp_path, certificates)
    with pytest.raises(RuntimeError, match="not been started"):
        _ = prosody.websocket_url
    async with prosody:
        with pytest.raises(RuntimeError, match="runs already"):
            await prosody.start()


STARTER = """
import asyncio, pathlib, sys
from bridge.finesse_simulator.certificates import make_certificates
from bridge.finesse_simulator.prosody import Prosody

async def main():
    here = pathlib.Path(sys.argv[1])
    prosody = Prosody(directory=here / "p", certificates=make_certificates(here), accounts={"a": "b"})
    await prosody.start()
    print(prosody.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_prosody_dies_with_the_process_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    starter = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        STARTER,
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(bridge.__file__).parent.parent)},
    )
    assert starter.stdout is not None
    pid = int(await asyncio.wait_for(starter.stdout.readline(), LIMIT))
    assert Path(f"/proc/{pid}").exists()  # noqa: ASYNC240
    starter.send_signal(how)
    await starter.wait()
    await gone(pid)
    assert not Path(f"/proc/{pid}").exists() or "zombie" in Path(f"/proc/{pid}/status").read_text()  # noqa: ASYNC240


@pytest.mark.parametrize("name", ["", "a@b", "A", "a b", "../a", "finesse", "a/b", "\u00e4"])
def test_a_name_that_cannot_be_an_account_is_refused(tmp_path: Path, certificates: Certificates, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of an account"):
        prosody_of(tmp_path, certificates, {name: "x"})


async def test_secrets_are_for_their_owner_only(tmp_path: Path, certificates: Certificates) -> None:
    async with prosody_of(tmp_path, certificates, {"1001001": "very-secret"}) as prosody:
        with pytest.raises(XmppRefused):
            await enter(prosody, certificates, password="wrong")
        for secret in ("very-secret", prosody.finesse_password, prosody.component_secret):
            assert secret not in repr(prosody)
            assert secret not in prosody.log_file.read_text()
    for name, mode in (("data", 0o700), ("prosody.cfg.lua", 0o600)):
        assert stat.S_IMODE((tmp_path / "prosody" / name).stat().st_mode) == mode

"""A real XMPP server for the look-alike: Prosody, set up the way Finesse's notification service is.

Clients come in over WebSocket (RFC 7395) and over TCP with TLS; SASL PLAIN only inside TLS. A second session with the
same resource ends the first with the stream error ``conflict``. Nothing is stored for users who are away, and there is
no stream management. ``pubsub.<domain>`` is an external component (XEP-0114): whoever knows ``component_secret`` may be
it.

The user ``finesse`` is in the roster of every agent, and every agent in its roster, so that each sees the other's
presence: this is how Finesse tells agents whether its web application is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import shutil
import signal
import socket
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

    from bridge.finesse_simulator.certificates import Certificates

FINESSE_USER: Final = "finesse"
START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 5.0
LOG_TAIL: Final = 2000
"""How many characters of the log an error quotes."""

ATTEMPTS: Final = 3
"""A free port may be taken by another process before Prosody gets it; then others are tried."""

_MODULES: Final = Path(__file__).with_name("prosody_modules")
_USER: Final = re.compile(r"[a-z0-9._-]+")


class ProsodyError(RuntimeError):
    """Prosody is not installed or did not start; the message says which, and quotes the end of its log."""


class Prosody:
    """One Prosody process and what it was told.

    ``accounts`` are user to password, ``tokens`` user to access token, which is a password too. ``domain`` is the XMPP
    domain; all of Prosody's files are in ``directory``. A port that is 0 is chosen when first started and then kept, so
    that after ``kill`` or ``stop`` a ``start`` brings the same server back.
    """

    def __init__(
        self,
        *,
        directory: Path,
        certificates: Certificates,
        accounts: Mapping[str, str],
        tokens: Mapping[str, str] | None = None,
        domain: str = "localhost",
        websocket_port: int = 0,
        tls_port: int = 0,
        component_port: int = 0,
    ) -> None:
        for user in accounts:
            if not _USER.fullmatch(user) or user == FINESSE_USER:
                raise ValueError(f"{user!r} cannot be the name of an account")
        self.domain = domain
        self.component_secret = secrets.token_urlsafe(24)
        self.finesse_password = secrets.token_urlsafe(24)
        self._directory = directory
        self._certificates = certificates
        self._accounts = {**accounts, FINESSE_USER: self.finesse_password}
        self._tokens = dict(tokens or {})
        self._wished = (websocket_port, tls_port, component_port)
        self._ports: tuple[int, int, int] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()

        # What it last wrote on its standard output beside its answers: what is wrong with its settings, or advice.
        self._said: deque[str] = deque(maxlen=20)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def websocket_url(self) -> str:
        """Where clients connect over WebSocket, once started."""
        return f"wss://localhost:{self._known_ports()[0]}/ws/"

    @property
    def tcp_url(self) -> str:
        """Where clients connect over TCP with TLS from the first byte, once started."""
        return f"xmpps://localhost:{self._known_ports()[1]}"

    @property
    def component_port(self) -> int:
        """Where the component ``pubsub.<domain>`` connects, on 127.0.0.1, once started."""
        return self._known_ports()[2]

    @property
    def component_domain(self) -> str:
        """The pubsub service's domain."""
        return f"pubsub.{self.domain}"

    @property
    def log_file(self) -> Path:
        """What Prosody has to say, its standard error included."""
        return self._directory / "prosody.log"

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start it, and return when every port listens.

        Raises:
            ProsodyError: It is not installed, or it did not start.
        """
        if self.pid is not None:
            raise RuntimeError("Prosody runs already")
        program = shutil.which("prosody")
        if program is None:
            raise ProsodyError("Prosody, the XMPP server, is not installed: apt-get install prosody")
        for attempt in range(1, ATTEMPTS + 1):
            ports = self._ports or _with_free_ports(self._wished)
            self._write_files(ports)
            answer = await self._spawn(program)
            if answer == "ready":
                self._ports = ports
                return
            await self._end(signal.SIGKILL)
            if attempt == ATTEMPTS or self._ports or 0 not in self._wished or not answer.startswith("taken"):
                raise ProsodyError(f"Prosody did not start: {answer or 'it ended'}\n{self._last_words()}")

    async def stop(self) -> None:
        """End it in good order; clients are told. Harmless when it does not run."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it at once (SIGKILL): clients are told nothing."""
        await self._end(signal.SIGKILL)

    async def cut(self, user: str | None = None) -> int:
        """Drop the sockets of one user, or of every client, without a word to them; return how many there were.

        Raises:
            ProsodyError: It does not run.
        """
        async with self._asking:
            process = self._process
            if process is None or process.returncode is not None or process.stdin is None or process.stdout is None:
                raise ProsodyError("Prosody does not run")
            process.stdin.write(f"cut {'*' if user is None else f'{user}@{self.domain}'}\n".encode())
            answer = await self._answer(process.stdout, "done ")
            if not answer:
                raise ProsodyError("Prosody ended")
            return int(answer.removeprefix("done "))

    def set_token(self, user: str, token: str) -> None:
        """Replace an access token; sessions that were begun with the old one go on."""
        self._tokens[user] = token
        self._write_account(user)

    def _known_ports(self) -> tuple[int, int, int]:
        if self._ports is None:
            raise RuntimeError("Prosody has not been started, its ports are not known")
        return self._ports

    async def _spawn(self, program: str) -> str:
        """Start the process and return whether it is ready, in its own words; "" if it ended."""
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                program,
                "-F",
                "--config",
                str(self._directory / "prosody.cfg.lua"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # the terminal's Ctrl+C is ours to pass on
            )
        assert self._process.stdout is not None  # noqa: S101  # a pipe was asked for
        try:
            async with asyncio.timeout(START_SECONDS):
                return await self._answer(self._process.stdout, "ready", "taken ")
        except TimeoutError:
            return f"not ready after {START_SECONDS:.0f} s"
        except BaseException:
            await asyncio.shield(self._end(signal.SIGKILL))
            raise

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
            if process.stdin is not None:
                process.stdin.close()
        await process.wait()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                await process.stdin.wait_closed()

    def _write_files(self, ports: tuple[int, int, int]) -> None:
        data = self._directory / "data"
        host = self._host_directory
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        finesse = f"{FINESSE_USER}@{self.domain}"
        for store in ("accounts", "roster"):
            (host / store).mkdir(parents=True, exist_ok=True)
        agents = [f"{user}@{self.domain}" for user in self._accounts if user != FINESSE_USER]
        for user in self._accounts:
            self._write_account(user)
            roster = _roster(agents if user == FINESSE_USER else [finesse])
            (host / "roster" / f"{_file_name(user)}.dat").write_text(roster)
        config = self._directory / "prosody.cfg.lua"
        config.touch(mode=0o600)
        config.write_text(self._config(data, ports))

    @property
    def _host_directory(self) -> Path:
        return self._directory / "data" / _file_name(self.domain)

    def _write_account(self, user: str) -> None:
        known = {"password": self._accounts[user], "token": self._tokens.get(user)}
        fields = " ".join(f'["{name}"] = {_lua(value)};' for name, value in known.items() if value is not None)
        file = self._host_directory / "accounts" / f"{_file_name(user)}.dat"
        new = file.with_suffix(".new")
        new.write_text(f"return {{ {fields} }};\n")
        new.replace(file)  # at once: Prosody may be about to read it

    def _config(self, data: Path, ports: tuple[int, int, int]) -> str:
        websocket, tls, component = ports
        return f"""-- Written by workspace-bridge's Finesse look-alike.
run_as_root = true
data_path = {_lua(str(data))}
pidfile = {_lua(str(self._directory / "prosody.pid"))}
log = {{ info = {_lua(str(self.log_file))} }}
plugin_paths = {{ {_lua(str(_MODULES))} }}
bridge_control_ports = {{ {websocket}, {tls}, {component} }}

modules_enabled = {{ "saslauth", "roster", "ping", "websocket", "bridge_control" }}
modules_disabled = {{ "s2s", "offline" }}
authentication = "bridge"
storage = "internal"

interfaces = {{ "127.0.0.1" }}
https_ports = {{ {websocket} }}
https_interfaces = {{ "127.0.0.1" }}
http_ports = {{ }}
c2s_ports = {{ }}
c2s_direct_tls_ports = {{ {tls} }}
component_ports = {{ {component} }}
component_interfaces = {{ "127.0.0.1" }}
ssl = {{ certificate = {_lua(str(self._certificates.certificate))}, key = {_lua(str(self._certificates.key))} }}
certificates = {_lua(str(self._certificates.certificate.parent))}
network_settings = {{ tcp_backlog = 1024 }}
http_default_host = {_lua(self.domain)}

c2s_require_encryption = true
c2s_close_timeout = 1
conflict_resolve = "kick_old"

VirtualHost {_lua(self.domain)}
  http_host = "localhost"
  c2s_direct_tls_host = "localhost"
  http_paths = {{ websocket = "/ws" }}

Component {_lua(self.component_domain)}
  component_secret = {_lua(self.component_secret)}
  validate_from_addresses = false
"""

    async def _answer(self, stdout: asyncio.StreamReader, *beginnings: str) -> str:
        """Read up to the line that begins so; "" where none came."""
        while line := await stdout.readline():
            text = line.decode(errors="replace").strip()
            if text.startswith(beginnings):
                return text
            self._said.append(text)
        return ""

    def _last_words(self) -> str:
        log = self.log_file.read_text(errors="replace")[-LOG_TAIL:]
        return "\n".join([*self._said, log]).strip()


def _roster(contacts: Iterable[str]) -> str:
    """Write a roster in which each contact and its owner see each other's presence (RFC 6121 section 2.1.2.5)."""
    items = "".join(
        f'  [{_lua(contact)}] = {{ ["subscription"] = "both"; ["groups"] = {{}}; }};\n' for contact in contacts
    )
    return f'return {{\n  [false] = {{ ["version"] = 1; ["pending"] = {{}}; }};\n{items}}};\n'


def _lua(text: str) -> str:
    """Write a string of Lua that cannot end early, whatever the text."""
    quoted = "".join(
        chr(byte) if chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in " ./_-@:,") else f"\\{byte:03d}"
        for byte in text.encode()
    )
    return f'"{quoted}"'


def _file_name(name: str) -> str:
    """Write a user or host as Prosody names its files: all but letters and digits as ``%xx``."""
    return "".join(c if c.isascii() and c.isalnum() else "".join(f"%{byte:02x}" for byte in c.encode()) for c in name)


def _with_free_ports(wished: tuple[int, int, int]) -> tuple[int, int, int]:
    """Put a free port for each 0. All are held until all are known, so that they differ."""
    with contextlib.ExitStack() as held:
        ports = []
        for port in wished:
            if port == 0:
                probe = held.enter_context(socket.socket())
                probe.bind(("127.0.0.1", 0))
                ports.append(probe.getsockname()[1])
            else:
                ports.append(port)
    return ports[0], ports[1], ports[2]

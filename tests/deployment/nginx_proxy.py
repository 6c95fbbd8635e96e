"""nginx, started from the documentation's example in front of a bridge, with other ports and paths."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EXAMPLE = Path(__file__).parents[2] / "docs" / "deployment" / "nginx.conf"

CLIENT = "127.0.0.2"
"""Clients come from here; nginx speaks to the bridge from 127.0.0.1."""


class Nginx:
    """A running nginx, and what clients need to know of it."""

    def __init__(self, port: int, folder: Path, tls: ssl.SSLContext) -> None:
        self.port = port
        self.folder = folder
        self.tls = tls

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"wss://localhost:{self.port}/ws"

    @property
    def logs(self) -> str:
        return "".join((self.folder / name).read_text() for name in ("error.log", "bridge.log"))


def replaced(text: str, changes: dict[str, str]) -> str:
    """Replace parts, each of which must stand there once: the rest is as an operator would copy it."""
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def configuration(folder: Path, port: int, bridge_port: int) -> str:
    """Give the example with this machine's ports and paths."""
    temporary = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return replaced(
        EXAMPLE.read_text(encoding="utf-8"),
        {
            "user www-data;": "user root;" if os.geteuid() == 0 else "",  # the folder is the tests' own
            "worker_processes auto;": "worker_processes 1;",
            "worker_rlimit_nofile 65536;": "worker_rlimit_nofile 1024;",
            "worker_connections 32768;": "worker_connections 512;",
            "/run/nginx.pid": f"{folder}/nginx.pid",
            "/var/log/nginx/error.log": f"{folder}/error.log",
            "/var/log/nginx/bridge.log": f"{folder}/bridge.log",
            "http {\n": f"http {{\n{temporary}",
            "server 127.0.0.1:8765;": f"server 127.0.0.1:{bridge_port};",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "listen [::]:443 ssl;": "",
            "server_name desk.example.com;": "server_name localhost;",
            "/etc/ssl/desk.example.com/fullchain.pem": f"{folder}/fullchain.pem",
            "/etc/ssl/desk.example.com/privkey.pem": f"{folder}/privkey.pem",
        },
    )


def trust(folder: Path) -> ssl.SSLContext:
    """Write a certificate for ``localhost``, and give what a client needs to trust it."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(folder / "privkey.pem")
    (folder / "fullchain.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@asynccontextmanager
async def nginx_before(bridge_port: int, folder: Path) -> AsyncIterator[Nginx]:
    """Run nginx before a bridge on this port. It inherits its socket, so clients can connect at once."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
    assert program is not None, "Debian's package nginx-light has it"
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        port = listening.getsockname()[1]
        tls = trust(folder)
        (folder / "nginx.conf").write_text(configuration(folder, port, bridge_port))
        process = await asyncio.create_subprocess_exec(
            program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", "nginx.conf", "-g", "daemon off;",
            env={**os.environ, "NGINX": f"{listening.fileno()};"},
            pass_fds=(listening.fileno(),),
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    try:
        yield Nginx(port, folder, tls)
    finally:
        if process.returncode is None:
            process.terminate()
        _, complaints = await process.communicate()
    complaints = complaints.replace(
        f'nginx: [notice] using inherited sockets from "{listening.fileno()};"\n'.encode(), b""
    )
    assert complaints == b""

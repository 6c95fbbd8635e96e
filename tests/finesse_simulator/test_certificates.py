"""Certificates that a client can verify, and a key that is not shown around."""

from __future__ import annotations

import asyncio
import ssl
import stat
from typing import TYPE_CHECKING

import pytest

from bridge.finesse_simulator.certificates import Certificates, make_certificates

if TYPE_CHECKING:
    from pathlib import Path


async def shake_hands(certificates: Certificates, name: str, trusted: Path) -> None:
    """Serve with the certificate and connect to it as ``name``, trusting only ``trusted``."""
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(certificates.certificate, certificates.key)
    client_side = ssl.create_default_context(cafile=str(trusted))

    async def bye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(bye, "127.0.0.1", 0, ssl=server_side) as server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side, server_hostname=name)
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
async def test_the_certificate_is_good_for_both_names_of_this_machine(tmp_path: Path, name: str) -> None:
    made = make_certificates(tmp_path)
    await shake_hands(made, name, made.ca_file)
    with pytest.raises(ssl.SSLCertVerificationError):
        await shake_hands(made, "elsewhere.example", made.ca_file)


async def test_one_certificate_serves_every_host_that_was_asked_for(tmp_path: Path) -> None:
    made = make_certificates(tmp_path / "new" / "directory", hosts=("a.example", "b.example"))
    assert made.certificate.name == "a.example.crt"
    for name in ("a.example", "b.example"):
        await shake_hands(made, name, made.ca_file)


async def test_each_authority_is_its_own(tmp_path: Path) -> None:
    made, other = make_certificates(tmp_path / "a"), make_certificates(tmp_path / "b")
    with pytest.raises(ssl.SSLCertVerificationError):
        await shake_hands(made, "localhost", other.ca_file)


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert "PRIVATE KEY" not in made.certificate.read_text() + made.ca_file.read_text()

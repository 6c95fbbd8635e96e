"""Certificates for the look-alike: an authority of its own, made anew each time, and one certificate for every port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: what a client trusts (``FINESSE_CA_FILE``), and what a server shows, its chain included."""

    ca_file: Path
    certificate: Path
    key: Path


def make_certificates(directory: Path, hosts: Sequence[str] = ("localhost", "127.0.0.1")) -> Certificates:
    """Issue one certificate for these host names and addresses, as files in ``directory``.

    They are named as Prosody looks for them: ``<first host>.crt`` and ``.key``. The key is readable for its owner only.
    The authority's own key is never written down.
    """
    authority = trustme.CA()
    issued = authority.issue_cert(*hosts)
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificates(
        ca_file=directory / "ca.pem",
        certificate=directory / f"{hosts[0]}.crt",
        key=directory / f"{hosts[0]}.key",
    )
    authority.cert_pem.write_to_path(made.ca_file)
    made.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    made.key.touch(mode=0o600)
    issued.private_key_pem.write_to_path(made.key)
    return made

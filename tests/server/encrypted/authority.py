"""A certificate authority of the tests, and the files that it gives a server."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import trustme

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """Signs certificates for ``127.0.0.1`` and writes them where a server finds them."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.certificate = folder / "bridge.crt"
        self.key = folder / "bridge.key"
        self.root = folder / "authority.pem"
        self.root.write_bytes(self._authority.cert_pem.bytes())
        self.issue()

    @property
    def settings(self) -> dict[str, Any]:
        return {"tls_cert_file": self.certificate, "tls_key_file": self.key}

    @property
    def client(self) -> ssl.SSLContext:
        """A client that trusts this authority alone."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context

    def issue(self) -> None:
        """Write a new certificate and its key over the old ones."""
        issued = self._authority.issue_cert("127.0.0.1", "localhost")
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        self.key.write_bytes(issued.private_key_pem.bytes())

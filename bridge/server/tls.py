"""The server's certificate: read at the start, and again when its files change, as certificates are renewed."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple

from bridge.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.server.observer import ServerObserver


class _Stamp(NamedTuple):
    """What changes when a file is written or replaced."""

    modified: int
    inode: int
    size: int


def read(certificate: Path, key: Path) -> ssl.SSLContext:
    """Make a context of these PEM files: TLS 1.2 or newer, ciphers as Python chooses them.

    Raises:
        SettingsError: A file cannot be used; the text names it and its setting.
    """
    _check_certificate(certificate)
    _check_readable("TLS_KEY_FILE", key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # costs the server much more than the client
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingsError(f"TLS_KEY_FILE: {key}: {_problem(error, certificate)}") from None
    return context


def _check_readable(setting: str, path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="ignore")  # comments may be anything
    except OSError as error:
        raise SettingsError(f"{setting}: {path}: {error.strerror}") from None


def _check_certificate(path: Path) -> None:
    text = _check_readable("TLS_CERT_FILE", path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise SettingsError(f"TLS_CERT_FILE: {path}: it holds no whole certificate in PEM form") from None


def _no_passphrase() -> str:
    """Refuse; without this OpenSSL would ask for the passphrase at the terminal, and hold up everything."""
    raise ValueError("it needs a passphrase, which nobody can give")


def _problem(error: Exception, certificate: Path) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    if reason in {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"}:
        return f"it is not the key of the certificate in {certificate} (TLS_CERT_FILE)"
    if isinstance(error, ssl.SSLError):
        return f"it cannot be used as the key of {certificate}: {reason or 'no private key in PEM form'}"
    return str(error)


class Certificate:
    """The certificate of one server. Connections keep the context that they began with.

    Attributes:
        context: For new connections.
    """

    def __init__(self, certificate: Path, key: Path, observer: ServerObserver) -> None:
        """Read the files.

        Raises:
            SettingsError: They cannot be used.
        """
        self._files = (certificate, key)
        self._observer = observer

        # As the files were when they were last looked at, and when they were last read.
        self._seen = self._read = self._look()
        self.context = read(certificate, key)

    def refresh(self) -> None:
        """Read the files if they have changed and rest since the last time: they are written one after the other.

        A pair that cannot be used changes nothing and is told once.
        """
        before, self._seen = self._seen, self._look()
        if self._seen != before or self._seen == self._read:
            return
        self._read = self._seen
        try:
            self.context = read(*self._files)
        except SettingsError as error:
            self._observer.certificate_read(str(error))
        else:
            self._observer.certificate_read(None)

    def _look(self) -> tuple[_Stamp | None, ...]:
        return tuple(map(_stamp, self._files))


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Stamp(found.st_mtime_ns, found.st_ino, found.st_size)

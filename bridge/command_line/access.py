"""How the client commands reach a bridge: its address, the token, and whom to trust."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from bridge.client import connect
from bridge.client.door import checked
from bridge.command_line.exits import Exit, stop

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.client.client import Connecting
    from bridge.client.door import Token


@dataclass(frozen=True, slots=True)
class Access:
    """Where to connect to, and as whom."""

    url: str
    workspace: str | None
    app: str
    token: Token | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    def connect(self, **more: Any) -> Connecting:
        """Open a session."""
        return connect(self.url, workspace=self.workspace, app=self.app, token=self.token, tls=self.tls, **more)


def access(url: str, workspace: str | None, app: str, token_file: Path | None, ca_file: Path | None) -> Access:
    """Read the files that are named; exit 2 where one cannot be used."""
    return Access(url, workspace, app, _token(token_file), _trust(ca_file))


def _token(path: Path | None) -> Token | None:
    """Take the token from its file, else from ``BRIDGE_TOKEN``: arguments are seen by everyone on the machine.

    A file is read again for each connection, and before its token expires: somebody may have put a newer one there.
    """
    if path is None:
        return os.environ.get("BRIDGE_TOKEN", "").strip() or None
    try:
        token = _read(path)
    except OSError as error:
        stop(Exit.USAGE, f"error: {path}: {error.strerror}")
    except ValueError:
        stop(Exit.USAGE, f"error: {path} holds no token; `workspace-bridge token` issues one for development")
    return partial(_read, path) if path.is_file() else token  # a pipe gives what it has once


def _read(path: Path) -> str:
    """Read a token. Raises ``OSError``, or ``ValueError`` where there is none; its text is not shown."""
    return checked(path.read_text(encoding="ascii").strip())


def _trust(path: Path | None) -> ssl.SSLContext | None:
    if path is None:
        return None
    try:
        return ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        stop(Exit.USAGE, f"error: {path} holds no certificate in PEM form")
    except OSError as error:
        stop(Exit.USAGE, f"error: {path}: {error.strerror}")

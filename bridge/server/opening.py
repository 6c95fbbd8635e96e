"""What a client says of itself in a URL while there is no authentication: its workspace and its app."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl

from bridge.broker.workspace import NAME

DEFAULT_WORKSPACE = "demo"
DEFAULT_APP = "anonymous"

_app = re.compile(r"[\x20-\x7e]{1,128}")


class Opening(NamedTuple):
    """Where a session wants to be, and as whom."""

    workspace: str
    app: str


def read_opening(query: str) -> Opening:
    """Read ``?workspace=`` and ``?app=``. Other parameters are not looked at, a token least of all.

    Raises:
        ValueError: One of them is not what it must be, or stands twice; the text says so, for the client.
    """
    fields = parse_qsl(query, keep_blank_values=True)
    workspace = check_workspace(_single(fields, "workspace", DEFAULT_WORKSPACE))
    return Opening(workspace, read_app(query))


def read_app(query: str) -> str:
    """Read ``?app=`` alone.

    Raises:
        ValueError: It is not what it must be, or stands twice.
    """
    app = _single(parse_qsl(query, keep_blank_values=True), "app", DEFAULT_APP)
    if not _app.fullmatch(app):
        raise ValueError("app must be 1 to 128 printable ASCII characters")
    return app


def check_workspace(name: str) -> str:
    """Return the name of a workspace.

    Raises:
        ValueError: It cannot be one.
    """
    if not NAME.fullmatch(name):
        raise ValueError("workspace must be 1 to 64 of A-Z a-z 0-9 _ -")
    return name


def _single(fields: list[tuple[str, str]], name: str, default: str) -> str:
    values = [value for key, value in fields if key == name]
    if len(values) > 1:
        raise ValueError(f"{name} stands twice in the URL")
    return values[0] if values else default

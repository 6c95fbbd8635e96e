"""Where a session wants to be, and as whom: what its URL says, and with authentication what its token says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from bridge.broker.identity import Identity
from bridge.broker.policy import may_enter
from bridge.broker.workspace import NAME
from bridge.server.origins import Origins

if TYPE_CHECKING:
    from bridge.broker.identity import Grant

DEFAULT_WORKSPACE = "demo"
DEFAULT_APP = "anonymous"

_app = re.compile(r"[\x20-\x7e]{1,128}")


class ForbiddenError(Exception):
    """The token is good, and not for this. The text is for the client."""


class Opening(NamedTuple):
    """What a client asks for in its URL; ``None`` where it says nothing."""

    workspace: str | None
    app: str | None


@dataclass(slots=True)
class Applicant:
    """A client that may get a session.

    Attributes:
        opening: What it asks for.
        address: Where it is, as far as trusted proxies tell.
        origin: Of the page that it is part of.
        secure: Whether nobody on the way can read what it sends.
    """

    opening: Opening
    address: str | None
    origin: str | None
    secure: bool

    def anybody(self) -> tuple[str, Identity]:
        """Give workspace and identity where there is no authentication: what the client says of itself."""
        workspace, app = self.opening
        return workspace or DEFAULT_WORKSPACE, self._identity(app or DEFAULT_APP, None)

    def admit(self, grant: Grant) -> tuple[str, Identity]:
        """Give workspace and identity for a token: the URL only chooses among its workspaces.

        Raises:
            ForbiddenError: The token is for another workspace, or for other pages.
        """
        identity = self.identify(grant)
        asked = self.opening.workspace
        if asked is None:
            if not grant.workspaces:
                raise ForbiddenError("the token names no workspace")
            return grant.workspaces[0], identity
        if not may_enter(grant, asked):
            raise ForbiddenError("the token is not for this workspace")
        return asked, identity

    def identify(self, grant: Grant) -> Identity:
        """Give the identity for a token.

        Raises:
            ForbiddenError: The token is for other pages.
        """
        if grant.origins is not None and (self.origin is None or not Origins(grant.origins).lists(self.origin)):
            raise ForbiddenError("the token is for pages of other origins")
        return self._identity(grant.app or DEFAULT_APP, grant)

    def _identity(self, app: str, grant: Grant | None) -> Identity:
        return Identity(
            app=app,
            subject=grant.subject if grant is not None else None,
            extension=grant.extension if grant is not None else None,
            address=self.address,
            origin=self.origin,
            secure=self.secure,
            grant=grant,
        )


def read_opening(query: str) -> Opening:
    """Read ``?workspace=`` and ``?app=``. Other parameters are not looked at, a token least of all.

    Raises:
        ValueError: One of them is not what it must be, or stands twice; the text says so, for the client.
    """
    fields = parse_qsl(query, keep_blank_values=True)
    workspace = _single(fields, "workspace")
    return Opening(workspace if workspace is None else check_workspace(workspace), read_app(query))


def read_app(query: str) -> str | None:
    """Read ``?app=`` alone.

    Raises:
        ValueError: It is not what it must be, or stands twice.
    """
    app = _single(parse_qsl(query, keep_blank_values=True), "app")
    if app is not None and not _app.fullmatch(app):
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


def _single(fields: list[tuple[str, str]], name: str) -> str | None:
    values = [value for key, value in fields if key == name]
    if len(values) > 1:
        raise ValueError(f"{name} stands twice in the URL")
    return values[0] if values else None

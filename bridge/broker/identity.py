"""Who a client is, and what it was granted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.protocol.address import Pattern


class Role(StrEnum):
    """Named bundles of rights; what each allows stands with the rules in ``policy``."""

    WIDGET = "widget"
    GADGET = "gadget"
    HOST = "host"
    SUPERVISOR = "supervisor"
    SERVER = "server"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token says, once its signature was found good (wire protocol, "Tokens").

    Attributes:
        subject: Whose token it is (``sub``).
        expires_at: Seconds since 1970 (``exp``), without leeway.
        workspaces: Where a session may be opened.
        app: The source of everything that its sessions publish, if the token fixes it.
        extension: Whose calls they may move, if the token fixes it.
        publish: Patterns of addresses.
        subscribe: Patterns of addresses.
        roles: Bundles of rights, beside the patterns.
        apps: What a session of the role ``host`` may give as source for the gadgets behind it.
        origins: Pages that may use the token, as in ``ALLOWED_ORIGINS``; ``None`` leaves it to that setting.
    """

    subject: str
    expires_at: float
    workspaces: tuple[str, ...] = ()
    app: str | None = None
    extension: str | None = None
    publish: tuple[Pattern, ...] = ()
    subscribe: tuple[Pattern, ...] = ()
    roles: frozenset[Role] = frozenset()
    apps: frozenset[str] = frozenset()
    origins: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client is.

    Attributes:
        app: Its name, and the source of what it publishes.
        subject: Whose token it has.
        extension: Whose calls it may move, where the token says so.
        address: Its network address, for limits and logs.
        origin: Of the page that it is part of.
        secure: Whether nobody on the way can read what it sends.
        grant: What its token allows; ``None`` where there is no authentication.
    """

    app: str
    subject: str | None = None
    extension: str | None = None
    address: str | None = None
    origin: str | None = None
    secure: bool = True
    grant: Grant | None = None

"""How a connection can fail. No message ever holds a credential or the content of a stanza."""

from __future__ import annotations

from typing import Final

_PASSING: Final = frozenset({"temporary-auth-failure"})


class XmppError(Exception):
    """What all of them are."""


class XmppUnreachable(XmppError):  # noqa: N818  # a state of affairs, as the other three
    """No connection came to be: nothing was asked, no credential was sent."""


class XmppRefused(XmppError):  # noqa: N818
    """The server will not let this user in (SASL, RFC 6120 section 6.5). Trying again may lock the account."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition

    def __str__(self) -> str:
        return f"the notification service refused the credentials: {self.condition}"

    @property
    def passing(self) -> bool:
        """Whether the server says that it is not the credentials' fault and will pass."""
        return self.condition in _PASSING


class XmppConflict(XmppError):  # noqa: N818
    """Another session has the resource. To connect again would be to throw that one out in turn."""


class XmppLost(XmppError):  # noqa: N818
    """The connection ended in any other way; the message says how."""

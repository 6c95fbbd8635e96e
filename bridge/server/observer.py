"""What the server tells whoever keeps logs and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bridge.broker.identity import Identity
    from bridge.protocol.errors import CloseCode
    from bridge.server.opening import Applicant


class ServerObserver(Protocol):
    """Called as things happen; must be quick and must not fail."""

    def limited(self, limit: str, **who: Any) -> None:
        """A limit did something to a client, or to the server: ``limit`` is one of a few names.

        ``slow_consumer``: a session did not read what was ``queued``. ``refused``: no session was opened, or no request
        taken, with this ``status``. ``files``: fewer are ``allowed`` than all allowed sessions need. ``accept``: nobody
        can be accepted; it is tried again after ``seconds``. ``pending_connections``: the one that had waited longest
        for its session made room.
        """

    def failed(self, where: str, error: Exception, **who: Any) -> None:
        """The bridge itself is at fault: an exception that nobody expected."""

    def signed_in(self, workspace: str, identity: Identity) -> None:
        """A token has opened a session."""

    def sign_in_refused(self, applicant: Applicant, code: CloseCode, reason: str) -> None:
        """A token has opened none, or there was no token."""

    def http_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """An HTTP request was answered. ``route`` is a path pattern, so there are few of them."""

    def loop_lag(self, seconds: float) -> None:
        """The once-a-second tick came so late."""

    def certificate_read(self, problem: str | None) -> None:
        """The certificate's files had changed: they are in use now, or because of a ``problem`` the old ones stay."""

    def unencrypted(self, host: str) -> None:
        """Others than this machine reach the bridge, and neither it nor a proxy in front of it speaks TLS."""


class Silent:
    """Listens to nothing."""

    def limited(self, limit: str, **who: Any) -> None:
        """Ignore."""

    def failed(self, where: str, error: Exception, **who: Any) -> None:
        """Ignore."""

    def signed_in(self, workspace: str, identity: Identity) -> None:
        """Ignore."""

    def sign_in_refused(self, applicant: Applicant, code: CloseCode, reason: str) -> None:
        """Ignore."""

    def http_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Ignore."""

    def loop_lag(self, seconds: float) -> None:
        """Ignore."""

    def certificate_read(self, problem: str | None) -> None:
        """Ignore."""

    def unencrypted(self, host: str) -> None:
        """Ignore."""

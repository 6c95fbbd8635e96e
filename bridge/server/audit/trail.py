"""What stands in the audit trail: one line per command and per sign-in, always with the same fields.

Bodies do not, and secrets never: of a command only the call and whom it concerns. What a client chose is cut to a
length, and JSON keeps it on its line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from bridge.protocol import catalogue
from bridge.protocol.catalogue import Kind

if TYPE_CHECKING:
    from bridge.broker.clock import Clock
    from bridge.broker.gate import Command
    from bridge.broker.identity import Identity
    from bridge.broker.session import Session
    from bridge.broker.tokens import RefusedToken
    from bridge.protocol.errors import CloseCode, Rejection
    from bridge.protocol.message import Message
    from bridge.server.audit.writer import Writer
    from bridge.server.opening import Applicant

MOST_CHARACTERS = 128
"""Of any text: longer than any number, name or id that means something."""

STRANGERS_PER_SECOND = 20
"""Lines about clients that nobody knows: a flood of bad tokens must not wash the others out of the files."""

DESTINATIONS = ("toAddress", "fromAddress", "address", "username")
"""Fields of commands that say whom they concern."""


class Failure(Protocol):
    """Why a command failed, as call control tells it."""

    @property
    def error_type(self) -> str:
        """The kind of error."""

    @property
    def cause(self) -> str | None:
        """The switch's own word for it."""


class Trail:
    """Listens to the broker, to call control and to the server, and writes down what an auditor asks for."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

        # Lines about strangers in the present second, and those that were left out.
        self._second = 0
        self._strangers = 0

    @property
    def lost(self) -> int:
        """Lines that could not be written."""
        return self._writer.lost

    def close(self) -> None:
        """Write what waits, and end."""
        self._tell_left_out()
        self._writer.close()

    # Commands

    def settled(self, command: Command, outcome: str, seconds: float, failure: Failure | None) -> None:
        """A command has had its outcome."""
        body = command.body
        fields = {name: getattr(body, name, None) for name in ("CallID", *DESTINATIONS)}
        self._write(
            "command",
            command.workspace,
            command.identity,
            source=_other(command.source, command.identity),
            address=str(command.address),
            id=command.id,
            **_concerned(fields),
            decision="allowed",
            rule=command.rule,
            outcome=outcome,
            error=None if failure is None else failure.cause or failure.error_type,
            seconds=round(seconds, 3),
        )

    def rejected(self, workspace: str, identity: Identity, rejection: Rejection, message: Message | None) -> None:
        """A message was refused; commands are written down."""
        if message is None:
            return
        entry = catalogue.BY_ADDRESS.get(message.address)
        if entry is None or entry.kind is not Kind.COMMAND:
            return
        self._write(
            "command",
            workspace,
            identity,
            source=_other(message.source, identity),
            address=str(message.address),
            id=message.id,
            **_concerned(message.data if isinstance(message.data, dict) else {}),
            decision="refused",
            rule=rejection.details.get("rule"),
            error=rejection.code.value,
        )

    # Sign-ins

    def signed_in(self, workspace: str, identity: Identity) -> None:
        """A token has opened a session."""
        self._write("session", workspace, identity, decision="allowed")

    def sign_in_refused(self, applicant: Applicant, code: CloseCode, reason: str) -> None:
        """A token has opened nothing, or there was none."""
        if self._may_write():
            _, nobody = applicant.anybody()
            self._write(
                "session",
                applicant.opening.workspace,
                nobody,
                app=None,
                decision="refused",
                error=f"{code.name.lower()}: {reason}",
            )

    def refreshed(self, session: Session, refusal: RefusedToken | None) -> None:
        """A session has brought a newer token."""
        self._write(
            "refresh",
            session.workspace.name,
            session.identity,
            decision="allowed" if refusal is None else "refused",
            error=None if refusal is None else f"{refusal.code.name.lower()}: {refusal.reason}",
        )

    def _may_write(self) -> bool:
        """Say whether there is room for a line about a stranger."""
        second = int(self._clock.monotonic())
        if second != self._second:
            self._tell_left_out()
            self._second, self._strangers = second, 0
        self._strangers += 1
        return self._strangers <= STRANGERS_PER_SECOND

    def _tell_left_out(self) -> None:
        """Say how many strangers there was no room for."""
        left_out = self._strangers - STRANGERS_PER_SECOND
        if left_out > 0:
            self._strangers = STRANGERS_PER_SECOND
            self._writer.write({"time": self._clock.timestamp(), "kind": "left_out", "sign_ins": left_out})

    def _write(self, kind: str, workspace: str | None, identity: Identity, **fields: Any) -> None:
        if self._strangers > STRANGERS_PER_SECOND and int(self._clock.monotonic()) != self._second:
            self._tell_left_out()
        line: dict[str, Any] = {
            "time": self._clock.timestamp(),
            "kind": kind,
            "workspace": workspace,
            "subject": identity.subject,
            "app": identity.app,
            "source": None,
            "origin": identity.origin,
            "from": identity.address,
            "address": None,
            "id": None,
            "call": None,
            "destination": None,
            "decision": None,
            "rule": None,
            "outcome": None,
            "error": None,
            "seconds": None,
        }
        line.update(fields)
        self._writer.write({name: _cut(value) for name, value in line.items()})


def _other(source: str | None, identity: Identity) -> str | None:
    return None if source == identity.app else source


def _concerned(fields: dict[str, Any]) -> dict[str, Any]:
    """Give call and destination, where they are texts: a refused body may hold anything."""
    call = fields.get("CallID")
    destinations = (fields.get(name) for name in DESTINATIONS)
    return {
        "call": call if isinstance(call, str) else None,
        "destination": next((each for each in destinations if isinstance(each, str)), None),
    }


def _cut(value: Any) -> Any:
    if not isinstance(value, str) or (len(value) <= MOST_CHARACTERS and value.isascii()):
        return value
    # A lone half of a surrogate pair, which only a refused body can hold, is no text that could be written.
    return value[:MOST_CHARACTERS].encode(errors="replace").decode()

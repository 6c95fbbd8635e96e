"""Sentences of the broker's tests: a bus whose clock stands still, whose widgets write down all they get."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from bridge.broker.broker import Broker
from bridge.broker.identity import Grant, Identity
from bridge.broker.limits import Limits
from bridge.protocol.address import Address, Pattern

if TYPE_CHECKING:
    from bridge.broker.gate import Command
    from bridge.broker.observer import Observer
    from bridge.broker.session import Session
    from bridge.broker.tokens import Tokens
    from bridge.protocol.errors import CloseCode, Rejection
    from bridge.protocol.message import Burst, Encoded
    from bridge.protocol.repair import Warn

HOLD = "Cisco/InboundCall/SetHOLD"
ON_CALL = {"MediaAddress": "5069", "CallID": "1"}
SIGN_IN = "Cisco/Agent/SetUserInfo"
CREDENTIALS = {"username": "alice", "password": "geheim", "extension": "5069"}

CALL_EVENT = Address("Cisco", "InboundCall", "InboundCallStateChange")
COMPLETED = Address("Bridge", "Command", "Completed")


class StandingClock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def unix(self) -> float:
        return 1_767_225_600.0 + self.now

    def timestamp(self) -> str:
        return f"2026-01-01T00:00:{self.now % 60:06.3f}Z"


def grant(workspace: str = "demo", seconds: float = 3600.0, **rights: Any) -> Grant:
    """Give what a token of ``alice`` says; ``publish`` and ``subscribe`` are patterns as text."""
    for name in ("publish", "subscribe"):
        rights[name] = tuple(map(Pattern.parse, rights.get(name, ())))
    fields: dict[str, Any] = {"workspaces": (workspace,), "expires_at": StandingClock().unix() + seconds, **rights}
    return Grant(subject="alice", **fields)


OWN_GADGETS = grant(publish=["Gadget"], subscribe=["Gadget"])
"""Everything on channel ``Gadget``, and nothing anywhere else."""


class Recorder:
    """A subscriber that writes down what it gets."""

    def __init__(self) -> None:
        self.sent: list[Encoded] = []
        self.bursts: list[int] = []
        self.closed: list[tuple[CloseCode, str]] = []

    def send(self, message: Encoded) -> None:
        self.sent.append(message)

    def send_all(self, burst: Burst) -> None:
        self.bursts.append(len(burst.messages))
        self.sent.extend(burst.messages)

    def close(self, code: CloseCode, reason: str) -> None:
        self.closed.append((code, reason))

    def read(self) -> list[dict[str, Any]]:
        """Give all messages since the last look."""
        messages = [json.loads(encoded.payload) for encoded in self.sent]
        self.sent.clear()
        return messages


class ScriptedGate:
    """Call control that does what the test says."""

    def __init__(self) -> None:
        self.refusal: Rejection | None = None
        self.warning: Warn | None = None
        self.commands: list[Command] = []
        self.attached: list[str] = []
        self.detached: list[str] = []
        self.in_use: set[str] = set()
        self.presence: list[tuple[str, bool]] = []
        self.extensions: dict[str, str] = {}

    def admit(self, command: Command) -> None:
        if self.refusal is not None:
            raise self.refusal
        if self.warning is not None:
            command.warnings.append(self.warning)

    def take(self, command: Command) -> None:
        self.commands.append(command)

    def attach(self, workspace: str) -> None:
        self.attached.append(workspace)

    def detach(self, workspace: str) -> None:
        self.detached.append(workspace)

    def occupied(self, workspace: str) -> None:
        self.presence.append((workspace, True))

    def vacated(self, workspace: str) -> None:
        self.presence.append((workspace, False))

    def busy(self, workspace: str) -> bool:
        return workspace in self.in_use

    def extension(self, workspace: str) -> str | None:
        return self.extensions.get(workspace)


class Widget:
    """One client: its session, and what it got."""

    def __init__(self, bus: Bus, session: Session, recorder: Recorder) -> None:
        self.bus = bus
        self.session = session
        self.recorder = recorder

    @property
    def closed(self) -> list[tuple[CloseCode, str]]:
        return self.recorder.closed

    def read(self) -> list[dict[str, Any]]:
        """Give all messages since the last look."""
        return self.recorder.read()

    def say(self, address: str, data: Any = None, **fields: Any) -> None:
        """Send a message."""
        self.bus.broker.receive(self.session, written(address, data, **fields))

    def ask(self, address: str, data: Any = None, **fields: Any) -> dict[str, Any]:
        """Send a message that has one answer, and give it."""
        self.read()
        self.say(address, data, **fields)
        (answer,) = self.read()
        return answer

    def subscribe(self, *patterns: str, **data: Any) -> dict[str, Any]:
        """Subscribe; give the data of the reply."""
        answer = self.ask("Bridge/Subscription/Subscribe", {"patterns": patterns, **data}, id="s")
        assert name(answer) == "Bridge/Subscription/Subscribed", answer
        reply: dict[str, Any] = answer["data"]
        return reply

    def leave(self) -> None:
        """Close the connection."""
        self.bus.broker.close(self.session, 1000, "")


class Bus:
    """A broker with everything around it scripted."""

    def __init__(
        self,
        *,
        tokens: Tokens | None = None,
        observer: Observer | None = None,
        **limits: Any,
    ) -> None:
        self.clock = StandingClock()
        self.gate = ScriptedGate()
        ids = itertools.count(1)
        self.broker = Broker(
            clock=self.clock,
            gate=self.gate,
            limits=Limits(**{"messages_per_second": 0, **limits}),
            tokens=tokens,
            observer=observer,
            new_id=lambda: f"new{next(ids):05}",
        )

    def join(
        self,
        workspace: str = "demo",
        app: str = "widget",
        address: str | None = None,
        grant: Grant | None = None,
        recorder: Recorder | None = None,
    ) -> Widget:
        """Open a session, and read its greeting."""
        recorder = recorder or Recorder()
        session = self.broker.open(workspace, Identity(app=app, address=address, grant=grant), recorder)
        recorder.read()
        return Widget(self, session, recorder)

    def call(self, call: str, event: str = "active", *, ended: bool = False, workspace: str = "demo") -> int:
        """Tell the workspace of a call, as call control does."""
        data = {"source": "event", "call": {"id": call, "event": event, "ended": ended}}
        offset = self.broker.emit(workspace, CALL_EVENT, data)
        assert offset is not None
        return offset

    def complete(self, command_id: str, workspace: str = "demo") -> None:
        """End a command well."""
        self.broker.settle(workspace, command_id, COMPLETED, {"address": HOLD, "call": "1"})

    def wait(self, seconds: float) -> None:
        """Let time pass at once, then tick."""
        self.clock.now += seconds
        self.broker.tick()


def written(address: str, data: Any = None, **fields: Any) -> str:
    """Write a message."""
    channel, topic, subtopic = address.split("/")
    return json.dumps({"channel": channel, "topic": topic, "subtopic": subtopic, "data": data, **fields})


def name(message: dict[str, Any]) -> str:
    """Give the address of a message that was received."""
    return "/".join((message["channel"], message["topic"], message["subtopic"]))


def names(messages: list[dict[str, Any]]) -> list[str]:
    """Give the last part of each address: a story in few words."""
    return [message["subtopic"] for message in messages]

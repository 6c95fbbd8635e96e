"""A whole bus with call control and the simulated switch, in virtual time and without a loop or a socket."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from bridge.broker.broker import Broker
from bridge.broker.identity import Identity
from bridge.calls.service import CallService
from bridge.calls.simulator.adapter import SimulatorAdapter
from bridge.calls.simulator.script import faultless

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.broker.gate import Command
    from bridge.broker.limits import Limits
    from bridge.broker.session import Session
    from bridge.calls.adapter import Adapter, Failure, Request
    from bridge.calls.simulator.script import Script
    from bridge.protocol.errors import CloseCode
    from bridge.protocol.message import Burst, Encoded

Message = dict[str, Any]


@dataclass
class Alarm:
    """One entry of the virtual time's agenda."""

    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualTime:
    """A clock and a timer that move only when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._agenda: list[tuple[float, int, Alarm]] = []
        self._numbers = count()

    def monotonic(self) -> float:
        return self.seconds

    def unix(self) -> float:
        return 1_767_225_600.0 + self.seconds

    def timestamp(self) -> str:
        whole, rest = divmod(round(self.seconds * 1000), 1000)
        hours, whole = divmod(whole, 3600)
        return f"2026-01-05T{hours % 24:02d}:{whole // 60:02d}:{whole % 60:02d}.{rest:03d}Z"

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Alarm:
        alarm = Alarm(callback)
        heapq.heappush(self._agenda, (self.seconds + delay, next(self._numbers), alarm))
        return alarm

    def next_due(self) -> float | None:
        while self._agenda and self._agenda[0][2].cancelled:
            heapq.heappop(self._agenda)
        return self._agenda[0][0] if self._agenda else None

    def advance(self, seconds: float) -> None:
        """Let that much time pass, and everything happen that falls due."""
        until = self.seconds + seconds
        while (due := self.next_due()) is not None and due <= until:
            _, _, alarm = heapq.heappop(self._agenda)
            self.seconds = max(self.seconds, due)
            alarm.callback()
        self.seconds = until


@dataclass
class Recorder:
    """A subscriber that keeps what it gets."""

    messages: list[Message] = field(default_factory=list)
    closed: tuple[int, str] | None = None

    def send(self, message: Encoded) -> None:
        self.messages.append(json.loads(message.payload))

    def send_all(self, burst: Burst) -> None:
        for message in burst.messages:
            self.send(message)

    def close(self, code: CloseCode, reason: str) -> None:
        self.closed = (code, reason)


@dataclass
class Outcomes:
    """Hears of every outcome."""

    settled_ids: list[tuple[str, str, str]] = field(default_factory=list)

    def settled(self, command: Command, outcome: str, seconds: float, failure: Failure | None) -> None:
        del seconds, failure
        self.settled_ids.append((command.workspace, command.id, outcome))


class Widget:
    """One session, with words for what a widget does."""

    def __init__(self, world: World, workspace: str, extension: str | None = None) -> None:
        self.world = world
        self.workspace = workspace
        self.recorder = Recorder()
        identity = Identity(app="widget", extension=extension)
        self.session: Session = world.broker.open(workspace, identity, self.recorder)

    @property
    def messages(self) -> list[Message]:
        return self.recorder.messages

    def send(self, address: str, data: Any = None, **fields: Any) -> str:
        """Publish; give the id that was used."""
        channel, topic, subtopic = address.split("/")
        message_id = str(fields.setdefault("id", f"m{next(self.world.ids)}"))
        message = {"channel": channel, "topic": topic, "subtopic": subtopic, "data": data, **fields}
        self.world.broker.receive(self.session, json.dumps(message))
        return message_id

    def subscribe(self, *patterns: str, **more: Any) -> Message:
        reply_to = self.send("Bridge/Subscription/Subscribe", {"patterns": list(patterns), **more})
        return self.reply(reply_to)

    def leave(self) -> None:
        self.world.broker.close(self.session, 1000, "")

    def reply(self, message_id: str) -> Message:
        """Give the reply to a message: the last control message with its correlation id."""
        replies = [m for m in self.messages if m.get("correlationId") == message_id and "offset" not in m]
        assert replies, f"no reply to {message_id}"
        return replies[-1]

    def outcomes(self, message_id: str) -> list[Message]:
        return [m for m in self.messages if m.get("correlationId") == message_id and is_outcome(m)]

    def outcome(self, message_id: str) -> Message:
        """Give the one outcome of a command."""
        (only,) = self.outcomes(message_id)
        return only

    def call_events(self) -> list[Message]:
        return [m for m in self.messages if m["subtopic"].endswith("CallStateChange")]

    def calls(self) -> dict[str, Message]:
        """Give the calls as this widget has seen them last, by id."""
        latest: dict[str, Message] = {}
        for event in self.call_events():
            call = event["data"]["call"]
            latest[call["id"]] = call
            if call["ended"]:
                del latest[call["id"]]
        return latest

    # A desk's gestures

    def offer(self, from_address: str = "+15550100") -> str:
        done = self.finish(self.send("Simulator/Call/Offer", {"fromAddress": from_address}))
        return str(done["data"]["call"])

    def act(self, subtopic: str, call: str, *, topic: str = "InboundCall", **more: str) -> str:
        extension = self.world.calls.extension(self.workspace)
        return self.send(f"Cisco/{topic}/{subtopic}", {"MediaAddress": extension, "CallID": call, **more})

    def finish(self, message_id: str, seconds: float = 1.0) -> Message:
        """Let time pass until the command has ended; give its outcome."""
        self.world.time.advance(seconds)
        return self.outcome(message_id)

    def active_call(self) -> str:
        call = self.offer()
        self.finish(self.act("SetANSWER", call))
        return call


def is_outcome(message: Message) -> bool:
    return (message["channel"], message["topic"]) == ("Bridge", "Command") and message["subtopic"] != "Status"


class World:
    """Everything but sockets."""

    def __init__(
        self,
        *,
        reaction_seconds: float = 0.02,
        script: Callable[[Request], Script] = faultless,
        limits: Limits | None = None,
        wrap: Callable[[Adapter], Adapter] = lambda adapter: adapter,
    ) -> None:
        self.time = VirtualTime()
        self.ids = count(1)
        self.switch = SimulatorAdapter(
            call_later=self.time.call_later,
            now=self.time.timestamp,
            reaction_seconds=reaction_seconds,
            script=script,
        )
        self.outcomes = Outcomes()
        self.calls = CallService(
            adapter=wrap(self.switch),
            clock=self.time,
            call_later=self.time.call_later,
            observer=self.outcomes,
        )
        self.broker = Broker(clock=self.time, gate=self.calls, limits=limits)
        self.calls.start(self.broker)

    def widget(self, workspace: str = "demo", *patterns: str, extension: str | None = None) -> Widget:
        """Open a session and subscribe it; to everything, unless patterns are given.

        ``extension`` is the one that the session's token is for.
        """
        widget = Widget(self, workspace, extension)
        widget.subscribe(*(patterns or ("*",)))
        return widget

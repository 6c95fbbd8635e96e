"""Random interleavings of all that can happen to a bus, held against a model that is too simple to be wrong.

The model keeps each workspace's stream as a list, and for each session the list of what it must get next: nothing else
may come, nothing may be missing, in no other order.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from bridge.broker.identity import Identity
from bridge.broker.routing import CACHED_ADDRESSES
from bridge.protocol.cisco import AGENT_STATE
from bridge.protocol.errors import Code, Rejection
from tests.broker.bus import COMPLETED, HOLD, Bus, Widget, name, written

if TYPE_CHECKING:
    from bridge.broker.gate import Command
    from bridge.broker.workspace import Workspace

HISTORY, RECOVERY, IDS, PATTERNS = 8, 5, 4, 4
HISTORY_SECONDS, ID_SECONDS, IDLE_SECONDS = 60, 50, 100
NEVER = 1000
"""Seconds between heartbeats: no run has so many ticks."""

ONE_MESSAGE_BYTES = 1000

workspaces = st.sampled_from(["one", "two"])
ids = st.none() | st.sampled_from(["i0", "i1", "i2", "i3", "i4", "i5"])
patterns = st.lists(
    st.sampled_from(
        [
            "G",
            "G/*",
            "G/a",
            "G/*/x",
            "*",
            "Cisco",
            "Cisco/InboundCall",
            "*/InboundCall",
            "Bridge/Command",
            "*/*/SetHOLD",
        ]
    ),
    min_size=1,
    max_size=3,
)


def matches(pattern: str, address: str) -> bool:
    return all(wanted in ("*", found) for wanted, found in zip(pattern.split("/"), address.split("/"), strict=False))


def shortest(pattern: str) -> str:
    return pattern.removesuffix("/*")


@dataclass
class Kept:
    """A message that took its place in a stream."""

    offset: int
    at: float
    address: str
    data: Any
    cause: str | None = None


@dataclass
class Used:
    """An id that was used, for what, and what came of it."""

    content: tuple[str, Any]
    offset: int
    sender: Seat | None = None
    outcome: int | None = None
    expires: float = 0.0


@dataclass(eq=False)
class Seat:
    """A session: what it asked for, and what it must get next."""

    widget: Widget
    room: Room
    patterns: set[str] = field(default_factory=set)
    echo: bool = False
    due: list[Any] = field(default_factory=list)

    def wants(self, address: str) -> bool:
        return any(matches(pattern, address) for pattern in self.patterns)


@dataclass(eq=False)
class Room:
    """A workspace."""

    name: str
    vacant_since: float | None
    stream: list[Kept] = field(default_factory=list)
    seats: list[Seat] = field(default_factory=list)
    retained: dict[str, Kept] = field(default_factory=dict)
    pending: dict[str, Used] = field(default_factory=dict)
    settled: OrderedDict[str, Used] = field(default_factory=OrderedDict)
    most_pending: int = 0

    def publish(
        self, now: float, address: str, data: Any, *, sender: Seat | None = None, cause: str | None = None
    ) -> Kept:
        kept = Kept(len(self.stream) + 1, now, address, data, cause)
        self.stream.append(kept)
        for seat in self.seats:
            if seat.wants(address) and (seat is not sender or seat.echo):
                seat.due.append(kept.offset)
        return kept

    def history(self, now: float) -> list[Kept]:
        return [kept for kept in self.stream[-HISTORY:] if kept.at >= now - HISTORY_SECONDS]

    def used(self, message_id: str, now: float) -> Used | None:
        self.forget(now)
        return self.pending.get(message_id) or self.settled.get(message_id)

    def forget(self, now: float) -> None:
        self.most_pending = max(self.most_pending, len(self.pending))
        while self.settled:
            oldest = next(iter(self.settled.values()))
            if oldest.expires > now and len(self.pending) + len(self.settled) <= IDS:
                break
            self.settled.popitem(last=False)


class Desktop(RuleBasedStateMachine):
    """What happens to a bus of two workspaces."""

    seats: Bundle[Seat] = Bundle("seats")

    def __init__(self) -> None:
        super().__init__()
        self.bus = Bus(
            history_messages=HISTORY,
            history_seconds=HISTORY_SECONDS,
            history_bytes=HISTORY * ONE_MESSAGE_BYTES,
            recovery_messages=RECOVERY,
            idempotency_messages=IDS,
            idempotency_seconds=ID_SECONDS,
            workspace_idle_seconds=IDLE_SECONDS,
            patterns_per_session=PATTERNS,
            heartbeat_seconds=NEVER,
        )
        self.rooms: dict[str, Room] = {}
        self.gone: list[Seat] = []

    @property
    def now(self) -> float:
        return self.bus.clock.now

    def real(self, room: Room) -> Workspace:
        found = self.bus.broker.workspaces.find(room.name)
        assert found is not None
        return found

    def entered(self, workspace: str) -> Room:
        return self.rooms.setdefault(workspace, Room(workspace, vacant_since=self.now))

    # Sessions come and go

    @rule(target=seats, workspace=workspaces)
    def opens(self, workspace: str) -> Seat:
        room = self.entered(workspace)
        seat = Seat(self.bus.join(workspace), room)
        room.seats.append(seat)
        room.vacant_since = None
        return seat

    @rule(seat=consumes(seats))
    def closes(self, seat: Seat) -> None:
        seat.widget.leave()
        self.gone.append(seat)
        room = seat.room
        room.seats.remove(seat)
        for used in room.pending.values():
            if used.sender is seat:
                used.sender = None
        if not room.seats:
            room.vacant_since = self.now

    # Messages

    @rule(seat=seats, topic=st.sampled_from("ab"), data=st.sampled_from([1, True, {"n": [1]}]), message_id=ids)
    def publishes(self, seat: Seat, topic: str, data: Any, message_id: str | None) -> None:
        fields = {} if message_id is None else {"id": message_id}
        seat.widget.say(f"G/{topic}/x", data, **fields)
        if not self.repeated(seat, (f"G/{topic}/x", data), message_id):
            self.accepted(seat.room, seat, f"G/{topic}/x", data, message_id)

    @rule(workspace=workspaces, message_id=ids)
    def publishes_without_a_session(self, workspace: str, message_id: str | None) -> None:
        room = self.entered(workspace)
        fields = {} if message_id is None else {"id": message_id}
        used = room.used(message_id, self.now) if message_id is not None else None
        text = written("G/a/x", 1, **fields)
        if used is not None and used.content != _typed(("G/a/x", 1)):
            with pytest.raises(Rejection) as refused:
                self.bus.broker.publish(workspace, Identity(app="server"), text)
            assert refused.value.code is Code.ID_CONFLICT
            return
        made, accepted = self.bus.broker.publish(workspace, Identity(app="server"), text)
        assert accepted["duplicate"] is (used is not None)
        if used is None:
            self.accepted(room, None, "G/a/x", 1, made)

    @rule(seat=seats, call=st.sampled_from("12"), message_id=ids, legal=st.sampled_from([True, True, False]))
    def commands(self, seat: Seat, call: str, message_id: str | None, legal: bool) -> None:  # noqa: FBT001 drawn
        data = {"MediaAddress": "5069", "CallID": call}
        self.bus.gate.refusal = None if legal else Rejection(Code.ILLEGAL_STATE, "not now")
        self.bus.gate.commands.clear()
        seat.widget.say(HOLD, data, **({} if message_id is None else {"id": message_id}))
        if self.repeated(seat, (HOLD, data), message_id):
            assert self.bus.gate.commands == []
        elif not legal:
            assert self.bus.gate.commands == []
            seat.due.append(("Rejected", message_id, "illegal_state"))
        else:
            (command,) = self.bus.gate.commands
            self.taken(seat, command, data, message_id)

    def taken(self, seat: Seat, command: Command, data: Any, message_id: str | None) -> None:
        room, now = seat.room, self.now
        offset = len(room.stream) + 1
        content = _typed((HOLD, data)) if message_id is not None else ("", None)
        room.pending[command.id] = Used(content, offset, seat)
        room.forget(now)
        if message_id is not None:
            seat.due.append(("Accepted", message_id, offset, False, None))
        room.publish(now, HOLD, data, sender=seat)

    def accepted(self, room: Room, seat: Seat | None, address: str, data: Any, message_id: str | None) -> None:
        offset = len(room.stream) + 1
        if message_id is not None:
            room.settled[message_id] = Used(_typed((address, data)), offset, expires=self.now + ID_SECONDS)
            room.forget(self.now)
            if seat is not None:
                seat.due.append(("Accepted", message_id, offset, False, None))
        room.publish(self.now, address, data, sender=seat)

    def repeated(self, seat: Seat, content: tuple[str, Any], message_id: str | None) -> bool:
        """Expect the answer to an id that was used before, if it was."""
        if message_id is None or (used := seat.room.used(message_id, self.now)) is None:
            return False
        if used.content == _typed(content):
            if message_id in seat.room.pending and used.sender is None:
                used.sender = seat  # who asked first has gone, so who asks again is owed the outcome
            seat.due.append(("Accepted", message_id, used.offset, True, used.outcome))
        else:
            seat.due.append(("Rejected", message_id, "id_conflict"))
        return True

    @rule(seat=seats, asked=patterns, echo=st.sampled_from([None, True, False]))
    def subscribes(self, seat: Seat, asked: list[str], echo: bool | None) -> None:  # noqa: FBT001 drawn
        self.subscribe(seat, asked, {} if echo is None else {"echo": echo})

    @rule(seat=seats, asked=patterns, back=st.integers(-2, 12), same_epoch=st.sampled_from([True, True, True, False]))
    def recovers(self, seat: Seat, asked: list[str], back: int, same_epoch: bool) -> None:  # noqa: FBT001 drawn
        offset = max(0, len(seat.room.stream) - back)
        epoch = self.real(seat.room).epoch if same_epoch else "another"
        reply = self.subscribe(seat, asked, {"recover": {"epoch": epoch, "offset": offset}})
        if reply is None:
            return
        room, kept = seat.room, seat.room.history(self.now)
        matching = [one for one in kept if one.offset > offset and any(matches(p, one.address) for p in asked)]
        complete = (
            same_epoch
            and offset <= len(room.stream)
            and len([one for one in kept if one.offset > offset]) == len(room.stream) - offset
            and len(matching) <= RECOVERY
        )
        assert reply["recovered"] is complete
        assert [message["offset"] for message in reply["messages"]] == [one.offset for one in matching if complete]
        for message in reply["messages"]:
            self.is_as_published(room, message)

    def subscribe(self, seat: Seat, asked: list[str], more: dict[str, Any]) -> dict[str, Any] | None:
        """Subscribe and check all of the reply but what was recovered; ``None`` if it was one pattern too many."""
        self.everyone_gets_what_is_due()
        seat.widget.say("Bridge/Subscription/Subscribe", {"patterns": asked, **more}, id="s")
        (answer,) = seat.widget.read()
        wanted = seat.patterns | {shortest(pattern) for pattern in asked}
        if len(wanted) > PATTERNS:
            assert (answer["data"]["code"], answer["data"]["limit"]) == ("limit_exceeded", PATTERNS)
            return None
        seat.patterns, seat.echo = wanted, more.get("echo", seat.echo)
        reply: dict[str, Any] = answer["data"]
        room = seat.room
        assert name(answer) == "Bridge/Subscription/Subscribed"
        assert (reply["epoch"], reply["offset"]) == (self.real(room).epoch, len(room.stream))
        assert ("recovered" in reply) is ("messages" in reply) is ("recover" in more)
        expected = [] if reply.get("recovered") else _by_offset(room, asked)
        assert [message["offset"] for message in reply["snapshot"]] == expected
        for message in reply["snapshot"]:
            self.is_as_published(room, message)
        return reply

    @rule(seat=seats, asked=patterns)
    def unsubscribes(self, seat: Seat, asked: list[str]) -> None:
        seat.widget.say("Bridge/Subscription/Unsubscribe", {"patterns": asked}, id="u")
        seat.patterns -= {shortest(pattern) for pattern in asked}
        seat.due.append(("Unsubscribed", "u"))

    @rule(seat=seats, message_id=st.sampled_from(["i0", "i1", "i2"]))
    def asks_what_became_of(self, seat: Seat, message_id: str) -> None:
        seat.widget.say("Bridge/Command/Status", {"id": message_id}, id="q")
        used = seat.room.used(message_id, self.now)
        seat.due.append(("Status", "q", (used.offset, used.outcome) if used else None))

    # Call control

    @precondition(lambda self: self.rooms)
    @rule(workspace=workspaces, call=st.sampled_from("12"), ended=st.booleans())
    def call_changes(self, workspace: str, call: str, ended: bool) -> None:  # noqa: FBT001 drawn
        if (room := self.rooms.get(workspace)) is None:
            return
        self.bus.call(call, ended=ended, workspace=workspace)
        data = {"source": "event", "call": {"id": call, "event": "active", "ended": ended}}
        kept = room.publish(self.now, "Cisco/InboundCall/InboundCallStateChange", data)
        room.retained.pop(call, None)
        if not ended:
            room.retained[call] = kept

    @precondition(lambda self: self.rooms)
    @rule(workspace=workspaces)
    def agent_changes(self, workspace: str) -> None:
        room = self.rooms.get(workspace)
        told = self.bus.broker.emit(workspace, AGENT_STATE, {"state": "READY"}, "cause")
        assert told == (None if room is None else len(room.stream) + 1)
        if room is not None:
            room.retained["agent"] = room.publish(self.now, str(AGENT_STATE), {"state": "READY"}, cause="cause")

    @precondition(lambda self: any(room.pending for room in self.rooms.values()))
    @rule(data=st.data(), twice=st.booleans())
    def command_ends(self, data: st.DataObject, twice: bool) -> None:  # noqa: FBT001 drawn
        outstanding = [(room, command) for room in self.rooms.values() for command in room.pending]
        room, command = data.draw(st.sampled_from(outstanding))
        self.settle(room, command)
        if twice:
            self.bus.complete(command, room.name)

    def settle(self, room: Room, command: str) -> None:
        self.bus.complete(command, room.name)
        used = room.pending.pop(command)
        body = {"address": HOLD, "call": "1"}
        used.outcome = room.publish(self.now, str(COMPLETED), body, cause=command).offset
        used.expires = self.now + ID_SECONDS
        room.settled[command] = used
        if used.sender is not None and not used.sender.wants(str(COMPLETED)):
            used.sender.due.append(used.outcome)
        used.sender = None

    # Time

    @rule(seconds=st.sampled_from([0, 1, 20, 49, 50, 60, 61, 100, 400]))
    def time_passes(self, seconds: int) -> None:
        self.bus.wait(seconds)
        for room in list(self.rooms.values()):
            if room.vacant_since is None or self.now - room.vacant_since < IDLE_SECONDS:
                continue
            if room.pending:
                room.vacant_since = self.now
            else:
                del self.rooms[room.name]

    # What always holds

    @invariant()
    def everyone_gets_what_is_due(self) -> None:
        for room in self.rooms.values():
            for seat in room.seats:
                assert [self.seen(room, message) for message in seat.widget.read()] == seat.due
                seat.due.clear()
        assert not any(seat.widget.read() for seat in self.gone)

    def seen(self, room: Room, message: dict[str, Any]) -> Any:
        """Give a message that was delivered as the model writes it: its offset, or what a reply says."""
        if "offset" in message:
            self.is_as_published(room, message)
            return message["offset"]
        body, subtopic, answered = message["data"], message["subtopic"], message.get("correlationId")
        outcome = body.get("outcome", {}).get("offset")
        if subtopic == "Accepted":
            return subtopic, answered, body["offset"], body["duplicate"], outcome
        if subtopic == "Rejected":
            return subtopic, answered, body["code"]
        if subtopic == "Status":
            return subtopic, answered, (body["offset"], outcome) if body["known"] else None
        return subtopic, answered

    def is_as_published(self, room: Room, message: dict[str, Any]) -> None:
        kept = room.stream[message["offset"] - 1]
        assert (name(message), message["data"], message.get("correlationId")) == (kept.address, kept.data, kept.cause)

    @invariant()
    def there_are_the_workspaces_that_there_should_be(self) -> None:
        assert {room.name for room in self.bus.broker.workspaces} == set(self.rooms)
        assert set(self.bus.gate.attached) >= set(self.rooms)
        assert len(self.bus.gate.attached) - len(self.bus.gate.detached) == len(self.rooms)
        assert self.bus.broker.sessions == sum(len(room.seats) for room in self.rooms.values())

    @invariant()
    def nothing_grows_without_a_bound(self) -> None:
        for room in self.rooms.values():
            real = self.real(room)
            assert len(real.history) <= HISTORY
            assert real.history.bytes <= HISTORY * ONE_MESSAGE_BYTES
            assert len(real.routes) == len(set().union(*(seat.patterns for seat in room.seats)))
            assert len(real.routes._cache) <= CACHED_ADDRESSES
            assert real.ids.pending == len(room.pending)
            assert len(real.ids) <= max(IDS, room.most_pending)
            assert len(real.retained) == len(room.retained)
        vacant = self.bus.broker.workspaces._vacant
        assert {real.name for real in vacant} == {room.name for room in self.rooms.values() if not room.seats}

    def teardown(self) -> None:
        """When all have left, all outcomes are told and time has passed, nothing is left."""
        for room in self.rooms.values():
            for command in tuple(room.pending):
                self.settle(room, command)
        self.everyone_gets_what_is_due()
        for room in self.rooms.values():
            for seat in room.seats:
                seat.widget.leave()
        self.bus.wait(IDLE_SECONDS)
        assert len(self.bus.broker.workspaces) == self.bus.broker.sessions == 0
        assert not self.bus.broker.workspaces._vacant


def _by_offset(room: Room, asked: list[str]) -> list[int]:
    """Name the retained messages that match, as a snapshot lists them."""
    wanted = [kept for kept in room.retained.values() if any(matches(pattern, kept.address) for pattern in asked)]
    return sorted(kept.offset for kept in wanted)


def _typed(content: tuple[str, Any]) -> tuple[str, Any]:
    """Give content that compares as JSON does: Python holds true for 1."""
    return content[0], repr(content[1])


TestDesktop = Desktop.TestCase

"""What a session says to the bridge itself: subscribe, unsubscribe, and what became of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bridge.broker.policy import not_permitted
from bridge.protocol import catalogue, control
from bridge.protocol.address import Address, Pattern
from bridge.protocol.errors import Code, FieldError, Rejection, pointer, worth_telling
from bridge.protocol.message import Message, Published, encode_control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.broker.clock import Clock
    from bridge.broker.delivery import Delivery
    from bridge.broker.limits import Limits
    from bridge.broker.renewal import Renewal
    from bridge.broker.session import Session
    from bridge.broker.workspace import Workspace

SPELLINGS = 3
"""In so many ways one pattern can be written: ``A``, ``A/*``, ``A/*/*``."""


class Controls:
    """Carries out control messages. Reply and effect are one step: no message falls between."""

    def __init__(self, *, clock: Clock, delivery: Delivery, limits: Limits, renewal: Renewal) -> None:
        self._clock = clock
        self._delivery = delivery
        self._limits = limits
        self._handlers: dict[Address, Callable[[Session, Message, Any], None]] = {
            control.SUBSCRIBE: self._subscribe,
            control.UNSUBSCRIBE: self._unsubscribe,
            control.STATUS: self._status,
            control.OPEN: self._open,
            control.REFRESH: renewal.refresh,
            control.EXPLAIN: self._explain,
        }

    def handle(self, session: Session, message: Message, address: Address, body: Any) -> None:
        """Do what a checked control message asks, and answer it.

        Raises:
            Rejection: Nothing was done: ``reserved_channel``, ``not_permitted``, ``invalid_data``, ``limit_exceeded``.
        """
        self._handlers[address](session, message, body)

    def _subscribe(self, session: Session, message: Message, body: control.Subscribe) -> None:
        room = session.workspace
        asked = self._asked(body.patterns)
        for pattern in asked:
            decision = session.permissions.subscribe(pattern)
            if not decision.allowed:
                raise not_permitted(f"subscribe to {pattern}", decision.rule)
        together = session.patterns | set(asked)
        if len(together) > self._limits.patterns_per_session:
            raise self._too_many_patterns()
        room.routes.add(session, set(asked) - session.patterns)
        session.patterns = together
        if body.echo is not None:
            session.echo = body.echo
        reply: dict[str, Any] = {"patterns": [str(p) for p in asked], "epoch": room.epoch, "offset": room.offset}
        recovered = self._recover(room, body.recover, asked, reply)
        reply["snapshot"] = [] if recovered else _fragments(room.retained.matching(asked))
        self._answer(session, control.SUBSCRIBED, reply, message)

    def _asked(self, texts: list[str]) -> list[Pattern]:
        """Read the patterns of a message; of absurdly many not even the first."""
        if len(texts) > SPELLINGS * self._limits.patterns_per_session:
            raise self._too_many_patterns()
        return _patterns(texts)

    def _too_many_patterns(self) -> Rejection:
        limit = self._limits.patterns_per_session
        return Rejection(Code.LIMIT_EXCEEDED, f"more than {limit} patterns", details={"limit": limit})

    def _recover(
        self, room: Workspace, recover: control.Recover | None, asked: list[Pattern], reply: dict[str, Any]
    ) -> bool:
        if recover is None:
            return False
        missed = None
        if recover.epoch == room.epoch and recover.offset <= room.offset:
            missed = room.history.since(recover.offset, asked, self._clock.monotonic())
        reply["recovered"] = missed is not None
        reply["messages"] = _fragments(missed or ())
        return missed is not None

    def _unsubscribe(self, session: Session, message: Message, body: control.Unsubscribe) -> None:
        asked = self._asked(body.patterns)
        session.workspace.routes.discard(session, asked)
        session.patterns -= set(asked)
        self._answer(session, control.UNSUBSCRIBED, {"patterns": [str(p) for p in asked]}, message)

    def _status(self, session: Session, message: Message, body: control.Status) -> None:
        known = session.workspace.ids.find(body.id, self._clock.monotonic())
        if known is not None and not session.permissions.publish(known.address).allowed:
            known = None  # it is none that this session could have sent
        reply: dict[str, Any] = {"known": known is not None}
        if known is not None:
            reply["offset"] = known.offset
            if known.outcome is not None:
                reply["outcome"] = orjson.Fragment(known.outcome.payload)
        self._answer(session, control.STATUS, reply, message)

    def _open(self, _session: Session, message: Message, _body: control.Open) -> None:
        raise Rejection(Code.RESERVED_CHANNEL, f"{message.address} comes first or never: this session is open")

    def _explain(self, session: Session, message: Message, body: control.Explain) -> None:
        if body.action == "publish":
            allowed, rule, tried = session.permissions.publish(_address(body.address))
        else:
            (pattern,) = _patterns([body.address], at=("data", "address"))
            allowed, rule, tried = session.permissions.subscribe(pattern)
        reply = {"allowed": allowed, "rule": rule, "tried": list(tried)}
        self._answer(session, control.EXPLAINED, reply, message)

    def _answer(self, session: Session, address: Address, reply: dict[str, Any], message: Message) -> None:
        if message.warnings:
            reply["warnings"] = [warning.to_json() for warning in message.warnings]
        self._delivery.send(session, encode_control(address, reply, message.id))


def _address(text: str) -> Address:
    """Read an address, and spell it as the catalogue does.

    Raises:
        Rejection: ``invalid_data``.
    """
    try:
        message = Message(Address.parse(text))
    except ValueError as error:
        hint = "channel/topic/subtopic, such as Cisco/InboundCall/SetHOLD"
        problem = FieldError(pointer("data", "address"), "wrong_format", str(error), hint)
        raise Rejection(Code.INVALID_DATA, problem.message, errors=(problem,)) from None
    catalogue.entry(message)
    return message.address


def _patterns(texts: Iterable[str], at: tuple[str, str] | None = None) -> list[Pattern]:
    """Read patterns, each once.

    Raises:
        Rejection: ``invalid_data``, with a pointer to every one that is none.
    """
    parsed: dict[Pattern, None] = {}
    errors: list[FieldError] = []
    for index, text in enumerate(texts):
        try:
            parsed[Pattern.parse(text)] = None
        except ValueError as error:
            hint = "one to three segments, such as Cisco/InboundCall or Cisco/*/SetHOLD"
            place = ("data", "patterns", index) if at is None else at
            errors.append(FieldError(pointer(*place), "wrong_format", str(error), hint))
    if errors:
        raise Rejection(Code.INVALID_DATA, errors[0].message, errors=worth_telling(errors))
    return list(parsed)


def _fragments(messages: Iterable[Published]) -> list[orjson.Fragment]:
    """Give stored messages as they were delivered, without reading them again."""
    return [orjson.Fragment(message.payload) for message in messages]

from __future__ import annotations

from bridge.broker.history import Retained
from bridge.protocol.address import Address, Pattern
from bridge.protocol.catalogue import Retention
from bridge.protocol.message import Published

EVERYTHING = [Pattern.parse("*")]


def stored(offset: int, address: str = "a/b/c") -> Published:
    return Published(Address.parse(address), "me", None, "i", "t", offset, 0.0)


def offsets(found: list[Published]) -> list[int]:
    return [message.offset for message in found]


def test_update_replaces_what_has_the_same_key_and_orders_by_offset() -> None:
    retained = Retained()
    retained.update(Retention("call 1", keep=True), stored(1))
    retained.update(Retention("call 2", keep=True), stored(2))

    retained.update(Retention("call 1", keep=True), stored(3))

    assert offsets(retained.matching(EVERYTHING)) == [2, 3]


def test_update_with_the_last_of_a_key_ends_it() -> None:
    retained = Retained()
    retained.update(Retention("call 1", keep=True), stored(1))

    retained.update(Retention("call 1", keep=False), stored(2))

    assert len(retained) == 0


def test_update_with_the_end_of_what_was_never_there() -> None:
    retained = Retained()

    retained.update(Retention("call 1", keep=False), stored(1))

    assert len(retained) == 0


def test_matching_gives_each_message_once() -> None:
    retained = Retained()
    retained.update(Retention("one", keep=True), stored(1, "a/b/c"))
    retained.update(Retention("two", keep=True), stored(2, "x/y/z"))

    assert offsets(retained.matching([Pattern.parse("a"), Pattern.parse("*/b"), Pattern.parse("q")])) == [1]

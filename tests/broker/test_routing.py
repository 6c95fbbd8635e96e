from __future__ import annotations

import pytest

from bridge.broker.routing import CACHED_ADDRESSES, Routes
from bridge.protocol.address import Address, Pattern
from tests.broker.bus import Bus

ADDRESS = Address("Cisco", "InboundCall", "SetHOLD")


def patterns(*texts: str) -> list[Pattern]:
    return [Pattern.parse(text) for text in texts]


@pytest.mark.parametrize("pattern", ["Cisco", "Cisco/InboundCall", "*/*/SetHOLD", "*", "Cisco/InboundCall/SetHOLD"])
def test_match_by_each_kind_of_pattern(pattern: str) -> None:
    routes, session = Routes(), Bus().join().session

    routes.add(session, patterns(pattern))

    assert tuple(routes.match(ADDRESS)) == (session,)
    assert tuple(routes.match(Address("Other", "Topic", "Thing"))) == ((session,) if pattern == "*" else ())


def test_match_gives_a_session_with_overlapping_patterns_once() -> None:
    routes, session = Routes(), Bus().join().session

    routes.add(session, patterns("Cisco", "*", "*/InboundCall"))

    assert tuple(routes.match(ADDRESS)) == (session,)


def test_match_sees_what_was_added_and_discarded_since() -> None:
    routes, bus = Routes(), Bus()
    one, other = bus.join().session, bus.join().session
    assert tuple(routes.match(ADDRESS)) == ()

    routes.add(one, patterns("Cisco"))
    routes.add(other, patterns("Cisco"))
    assert tuple(routes.match(ADDRESS)) == (one, other)

    routes.discard(one, patterns("Cisco"))
    assert tuple(routes.match(ADDRESS)) == (other,)


def test_discard_keeps_what_another_pattern_brings() -> None:
    routes, session = Routes(), Bus().join().session
    routes.add(session, patterns("Cisco", "*"))

    routes.discard(session, patterns("*"))

    assert tuple(routes.match(ADDRESS)) == (session,)


def test_discard_of_what_is_unknown_is_harmless() -> None:
    routes, bus = Routes(), Bus()
    one, other = bus.join().session, bus.join().session
    routes.add(one, patterns("Cisco"))

    routes.discard(other, patterns("Cisco", "Nothing"))

    assert tuple(routes.match(ADDRESS)) == (one,)


def test_nothing_is_left_of_patterns_without_sessions() -> None:
    routes, session = Routes(), Bus().join().session
    routes.add(session, patterns("a", "b", "c"))

    routes.discard(session, patterns("a", "b", "c"))

    assert len(routes) == 0


def test_cache_of_addresses_is_bounded() -> None:
    routes, session = Routes(), Bus().join().session
    routes.add(session, patterns("*"))

    for number in range(3 * CACHED_ADDRESSES):
        assert tuple(routes.match(Address("Gadget", "made-up", str(number)))) == (session,)
        assert len(routes._cache) <= CACHED_ADDRESSES

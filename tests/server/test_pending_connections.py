"""Half-open connections, without TLS; and those that have been upgraded and show no token."""

from __future__ import annotations

from bridge.broker.identity import Grant
from tests.server.auth.tokens import token
from tests.server.pending_connections import *  # noqa: F403 each of its tests
from tests.server.pending_connections import cut, pending
from tests.server.test_signing_in import SlowIssuer, enter, guarded, opening


async def test_who_shows_no_token_makes_room_and_who_shows_one_gets_in() -> None:
    async with guarded(pending_connections=3, open_seconds=600) as bus:
        silent = [await bus.wire() for _ in range(3)]
        for wire in silent:
            await wire.upgrade()
        late = await bus.wire()
        await late.upgrade()
        await silent[0].eof()
        assert (len(pending(bus)), cut(bus)) == (3, 1)
        late.send(opening(token()))
        assert (await late.message())["subtopic"] == "Opened"
        assert len(pending(bus)) == 2


async def test_who_is_cut_while_a_token_is_checked_gets_no_session() -> None:
    issuer = SlowIssuer()
    async with guarded(issuer, pending_connections=1) as bus:
        first = await enter(bus, "anything")
        second = await enter(bus, "anything-else")
        await first.eof()
        for _, answer in issuer.asked:
            answer(Grant(subject="alice", expires_at=4e9, workspaces=("demo",)))
        assert (await second.message())["subtopic"] == "Opened"
        assert bus.broker.sessions == 1

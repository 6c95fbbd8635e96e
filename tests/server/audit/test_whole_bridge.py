"""The whole bridge, asked for tokens: what it is made to do is in its audit file when it has stopped."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bridge.app import Bridge
from tests.server.audit.lines import lines
from tests.server.auth.tokens import settings, token
from tests.server.wire import Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OFFER = {"channel": "Simulator", "topic": "Call", "subtopic": "Offer", "data": {"fromAddress": "+15550100"}}


class Audited:
    """A whole bridge and its clients."""

    def __init__(self, bridge: Bridge, wires: AsyncExitStack) -> None:
        self.bridge = bridge
        self._wires = wires

    async def wire(self) -> Wire:
        wire = await Wire.connect(self.bridge.port)
        self._wires.push_async_callback(wire.hang_up)
        return wire

    async def enter(self, text: str) -> Wire:
        wire = await self.wire()
        await wire.upgrade(headers={"Sec-WebSocket-Protocol": f"workspace-bridge.v1, bearer.{text}"})
        return wire


@asynccontextmanager
async def audited(path: Path, **changed: Any) -> AsyncIterator[Audited]:
    bridge = Bridge(settings(audit_file=path, simulator_reaction_ms=0, **changed))
    await bridge.start()
    try:
        async with AsyncExitStack() as wires:
            yield Audited(bridge, wires)
    finally:
        await bridge.stop()


def told(path: Path, *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(line[name] for name in fields) for line in lines(path)]


async def test_sign_ins_and_commands_of_a_socket_leave_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with audited(path) as desk:
        stranger = await desk.enter("no-token")
        await stranger.frame()
        wire = await desk.enter(token(roles=["host"], publish=["Simulator"]))
        await wire.message()
        wire.send({**OFFER, "id": "offer"})
        assert [(await wire.message())["subtopic"] for _ in range(2)] == ["Accepted", "Completed"]
        hold = {"channel": "Cisco", "topic": "InboundCall", "subtopic": "SetHOLD", "data": {"CallID": "1\n2"}}
        wire.send({**hold, "id": "hold", "source": "notes"})
        assert (await wire.message())["subtopic"] == "Rejected"

    assert told(path, "kind", "subject", "id", "call", "destination", "decision", "outcome") == [
        ("session", None, None, None, None, "refused", None),
        ("session", "alice", None, None, None, "allowed", None),
        ("command", "alice", "offer", None, "+15550100", "allowed", "Completed"),
        ("command", "alice", "hold", "1\n2", None, "refused", None),
    ]
    assert {line["from"] for line in lines(path)} == {"127.0.0.1"}


async def test_no_secret_that_came_over_a_socket_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    first, newer, foreign = token(), token(jti="newer"), token(app="other")
    async with audited(path) as desk:
        wire = await desk.enter(first)
        await wire.message()
        sign_in = {"channel": "Cisco", "topic": "Agent", "subtopic": "SetUserInfo"}
        for name, extension in (("passwrd", "5069"), ("password", "x"), ("password", "5069")):
            data = {"username": "alice", name: "geheim", "extension": extension}
            wire.send({**sign_in, "id": f"{name}-{extension}", "data": data})
        refresh = {"channel": "Bridge", "topic": "Session", "subtopic": "Refresh"}
        wire.send({**refresh, "id": "r1", "data": {"token": newer}})
        answers = [(await wire.message())["subtopic"] for _ in range(6)]
        wire.send({**refresh, "id": "r2", "data": {"token": foreign}})
        await wire.frame()

    assert sorted(answers) == ["Accepted", "Accepted", "Completed", "Failed", "Refreshed", "Rejected"]
    assert sorted(told(path, "kind", "destination", "decision", "outcome"), key=str) == [
        ("command", "alice", "allowed", "Completed"),
        ("command", "alice", "allowed", "Failed"),
        ("command", "alice", "refused", None),
        ("refresh", None, "allowed", None),
        ("refresh", None, "refused", None),
        ("session", None, "allowed", None),
    ]
    text = path.read_text()
    assert not [secret for secret in ("geheim", first, newer, foreign) if secret[-32:] in text]


async def test_a_command_that_is_in_flight_at_the_end_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with audited(path, drain_seconds=0) as desk:
        desk.bridge.adapter.submit = lambda _request: None  # type: ignore[method-assign,assignment]
        wire = await desk.enter(token(publish=["Simulator"]))
        await wire.message()
        wire.send({**OFFER, "id": "offer"})
        assert (await wire.message())["subtopic"] == "Accepted"

    assert told(path, "kind", "id", "outcome")[1:] == [("command", "offer", "TimedOut")]


async def test_lines_that_were_lost_are_a_metric(tmp_path: Path) -> None:
    async with audited(tmp_path / "audit.jsonl") as desk:
        assert b"\nbridge_audit_lost_total 0.0\n" in desk.bridge.metrics()


@pytest.mark.parametrize(
    ("workspace", "changed", "decision", "error"),
    [
        ("demo", {}, "allowed", None),
        ("other", {}, "refused", "forbidden: the token is not for this workspace"),
        ("demo", {"origins": ["https://x.example"]}, "refused", "forbidden: the token is for pages of other origins"),
        ("demo", {"exp": 1}, "refused", "token_expired: the token has expired; come back with a new one"),
    ],
)
async def test_sign_ins_of_event_streams_leave_their_lines(
    tmp_path: Path, workspace: str, changed: dict[str, Any], decision: str, error: str | None
) -> None:
    path = tmp_path / "audit.jsonl"
    async with audited(path) as desk:
        wire = await desk.wire()
        bearer = f"Host: 127.0.0.1\r\nAuthorization: Bearer {token(**changed)}"
        wire.writer.write(
            f"GET /api/v1/workspaces/{workspace}/events?pattern=Notes HTTP/1.1\r\n{bearer}\r\n\r\n".encode()
        )
        assert (await wire.reader.readline()).startswith(b"HTTP/1.1 200" if decision == "allowed" else b"HTTP/1.1 40")

    assert told(path, "kind", "decision", "error", "from") == [("session", decision, error, "127.0.0.1")]

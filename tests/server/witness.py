"""An honest pair of clients beside whoever misbehaves: it must notice nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tests.server.wire import publish

if TYPE_CHECKING:
    from tests.server.wire import Wire


class Place(Protocol):
    """Where sessions can be opened."""

    async def session(self, query: str = "") -> Wire: ...


class Witness:
    """One session publishes, the other reads, in the workspace of the misbehaving one."""

    def __init__(self, writer: Wire, reader: Wire) -> None:
        self._writer = writer
        self._reader = reader
        self._spoken = 0

    @classmethod
    async def join(cls, bus: Place) -> Witness:
        writer, reader = await bus.session("?app=witness"), await bus.session()
        await reader.subscribe("Witness")
        return cls(writer, reader)

    async def speak(self, count: int = 5) -> None:
        """Publish messages and wait until each is accepted."""
        for _ in range(count):
            self._spoken += 1
            self._writer.send(publish(self._spoken, "Witness", id=f"w{self._spoken}"))
        for _ in range(count):
            reply = await self._writer.message()
            assert reply["subtopic"] == "Accepted", reply

    async def testify(self) -> None:
        """Show that both sessions still work, and that every message came once and in order."""
        await self.speak()
        heard = [await self._reader.message() for _ in range(self._spoken)]
        assert [message["data"] for message in heard] == list(range(1, self._spoken + 1))
        offsets = [message["offset"] for message in heard]
        assert offsets == sorted(set(offsets))

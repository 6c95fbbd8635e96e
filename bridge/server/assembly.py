"""From frames to whole text messages, within the limits that `websockets` leaves to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from websockets.frames import Opcode

from bridge.protocol.errors import CloseCode

if TYPE_CHECKING:
    from websockets.frames import Frame

_BINARY = Opcode.BINARY

CONTROLS_PER_SECOND = 50
"""Pings and pongs beyond this keep the bridge busy for nothing (1008)."""


class ViolationError(Exception):
    """The client broke a rule; its connection is failed with this code."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Assembly:
    """Joins the fragments of one client's messages. Sizes are checked, and summed, by `websockets`."""

    __slots__ = ("_controls", "_fragments", "_second")

    def __init__(self) -> None:
        # The message that is being received.
        self._fragments: list[bytes | bytearray] | None = None

        # Control frames since the start of the running second.
        self._controls = 0
        self._second = float("-inf")

    def add(self, frame: Frame) -> str | None:
        """Take a data frame; return the message if it is whole.

        Raises:
            ViolationError: It is binary, or not UTF-8.
        """
        if frame.opcode is _BINARY:
            raise ViolationError(CloseCode.UNSUPPORTED_DATA, "messages are text")
        data: bytes | bytearray = frame.data  # type: ignore[assignment]  # a view only where it was compressed
        if self._fragments is None:
            if frame.fin:
                return _text(data)
            self._fragments = [data]
            return None
        self._fragments.append(data)
        if not frame.fin:
            return None
        whole, self._fragments = b"".join(self._fragments), None
        return _text(whole)

    def count_control(self, now: float) -> None:
        """Note a control frame at ``now`` seconds.

        Raises:
            ViolationError: There were too many within a second.
        """
        if now - self._second >= 1.0:
            self._second = now
            self._controls = 0
        self._controls += 1
        if self._controls > CONTROLS_PER_SECOND:
            raise ViolationError(CloseCode.POLICY, f"more than {CONTROLS_PER_SECOND} control frames a second")


def _text(data: bytes | bytearray) -> str:
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise ViolationError(CloseCode.INVALID_TEXT, f"not UTF-8 at byte {error.start}") from None

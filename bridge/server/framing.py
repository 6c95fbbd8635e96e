"""WebSocket frames that the bridge builds itself, because one frame goes to many sessions (RFC 6455 section 5.2).

Frames from a server carry no mask, so they are the same bytes for every client. Everything else about frames is left to
`websockets`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from bridge.protocol.message import encode_control

if TYPE_CHECKING:
    from bridge.protocol.address import Address

_TEXT = 0x81
_PING = 0x89
_SHORT, _MEDIUM = 126, 0x10000

_pack_short = struct.Struct("!BB").pack
_pack_medium = struct.Struct("!BBH").pack
_pack_long = struct.Struct("!BBQ").pack

PING = _pack_short(_PING, 0)
"""A ping without payload: any pong answers it."""

LOST = 1006
"""No close frame came (RFC 6455 section 7.1.5): stands in logs, never on the wire."""

MAX_REASON_BYTES = 123
"""A close frame's payload is 125 bytes at most, two of them the code (RFC 6455 section 5.5)."""


def text_frame(payload: bytes) -> bytes:
    """Frame a whole text message."""
    length = len(payload)
    if length < _SHORT:
        return _pack_short(_TEXT, length) + payload
    if length < _MEDIUM:
        return _pack_medium(_TEXT, 126, length) + payload
    return _pack_long(_TEXT, 127, length) + payload


def close_reason(reason: str) -> str:
    """Cut a reason to what a close frame can carry, between two characters."""
    return reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")


def control_prefix(address: Address) -> bytes:
    """Give the bytes with which every control message of this address begins."""
    return encode_control(address, None).payload.removesuffix(b',"data":null}')

"""Sentences of the protocol's tests: write a message as a client would, have it checked as the bridge would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.protocol import catalogue
from bridge.protocol.errors import Rejection
from bridge.protocol.message import Message, decode

if TYPE_CHECKING:
    from pydantic import BaseModel

DOCUMENTED_SAMPLE = """{   "channel": "Cisco",
    "topic": "InboundCall",
    "subtopic": "SetCONSULT",
    "data ": 
    {
        "MediaAddress ": "5069",
        "CallID": "16786021"    
    }
}
"""  # noqa: W291 the sample has these spaces
"""What the message family's documentation prints for a consult, space for space."""

CONSULT = {"MediaAddress": "5069", "toAddress": "5070", "CallID": "16786021"}


def text(address: str, data: Any = None, **fields: Any) -> str:
    """Write a message with that address, such as ``Cisco/InboundCall/SetHOLD``."""
    channel, topic, subtopic = address.split("/")
    return json.dumps({"channel": channel, "topic": topic, "subtopic": subtopic, "data": data, **fields})


def checked(written: str, *, strict: bool = False, open_channels: bool = True) -> tuple[Message, BaseModel | None]:
    """Have a message checked by all of the protocol, in the documented order."""
    message = decode(written, strict=strict)
    entry = catalogue.entry(message)
    catalogue.refuse_reserved(message, entry)
    if entry is not None:
        return message, catalogue.check_body(entry, message, strict=strict)
    if catalogue.home(message.address.channel) is not None or not open_channels:
        raise catalogue.unknown_address(message.address)
    if message.doubled:
        raise catalogue.doubled_keys(message)
    return message, None


def refused(written: str, *, strict: bool = False, open_channels: bool = True) -> Rejection:
    """Return the refusal of a message that is wrong."""
    with pytest.raises(Rejection) as caught:
        checked(written, strict=strict, open_channels=open_channels)
    return caught.value


def pointers(rejection: Rejection) -> list[str]:
    """Return where the errors of a refusal are."""
    return [error.pointer for error in rejection.errors]


def warnings(message: Message) -> list[str]:
    """Return where a message was repaired."""
    return [warning.pointer for warning in message.warnings]

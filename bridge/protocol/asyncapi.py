"""The AsyncAPI 3.0 document: the same messages as the JSON Schemas, and who answers what with which.

AsyncAPI is told from the side of the bridge: an operation that the bridge *receives* is a message from a client, with
the possible answers as its reply; one that it *sends* comes unasked. All of them share one channel, the WebSocket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.protocol import control, examples, json_schema
from bridge.protocol.catalogue import ENTRIES, Kind

if TYPE_CHECKING:
    from bridge.protocol.address import Address
    from bridge.protocol.catalogue import Entry

REF_TEMPLATE = "#/components/schemas/{model}"
CHANNEL = "workspace"
_CHANNEL_REF = {"$ref": f"#/channels/{CHANNEL}"}
_UNASKED = (control.OPENED, control.HEARTBEAT)

_DESCRIPTION = """\
A message bus for one agent's desktop. Every message is one JSON object with an address (channel, topic, subtopic) and \
data. Requests with an `id` are answered by a message whose `correlationId` is that `id`; a command is answered by \
Accepted or Rejected, and an accepted one ends in exactly one of Completed, Failed and TimedOut."""


def document() -> dict[str, Any]:
    """Give the whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "workspace-bridge",
            "version": "1.0.0",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:8765", "protocol": "ws", "description": "A bridge on this machine."}},
        "channels": {CHANNEL: _channel()},
        "operations": _operations(),
        "components": {
            "messages": _messages(),
            "schemas": _schemas(),
            "correlationIds": {
                "question": {"description": "The message's own name.", "location": "$message.payload#/id"},
                "answer": {
                    "description": "The name of the message that caused this one.",
                    "location": "$message.payload#/correlationId",
                },
            },
        },
    }


def _key(entry: Entry) -> str:
    return json_schema.name(entry).replace("/", ".")


def _channel() -> dict[str, Any]:
    names = [*map(_key, ENTRIES), "Free.publish", "Free.delivered"]
    query = {
        "type": "object",
        "properties": {
            "workspace": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$", "default": "demo"},
            "app": {"type": "string", "default": "anonymous"},
        },
    }
    return {
        "address": "/ws",
        "title": "One agent's workspace",
        "description": f"Offer the subprotocol `{control.SUBPROTOCOL}`.",
        "servers": [{"$ref": "#/servers/local"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
    }


def _messages() -> dict[str, Any]:
    messages = {_key(entry): _message(entry) for entry in ENTRIES}
    messages["Free.publish"] = _described("Free.publish", "Free message", examples.FREE, "question")
    messages["Free.delivered"] = _described("Free.delivered", "Delivered message", examples.DELIVERED, "question")
    return messages


def _message(entry: Entry) -> dict[str, Any]:
    correlation = "question" if entry.from_client else "answer"
    message = _described(_key(entry), str(entry.address), examples.message(entry), correlation)
    return message | {"summary": json_schema.summary(entry)}


def _described(key: str, title: str, example: dict[str, Any], correlation: str) -> dict[str, Any]:
    return {
        "name": key,
        "title": title,
        "correlationId": {"$ref": f"#/components/correlationIds/{correlation}"},
        "payload": {"$ref": REF_TEMPLATE.format(model=key)},
        "examples": [{"payload": example}],
    }


def _schemas() -> dict[str, Any]:
    whole = {_key(entry): json_schema.message_schema(entry, REF_TEMPLATE) for entry in ENTRIES}
    whole["Free.publish"] = json_schema.envelope_schema()
    whole["Free.delivered"] = json_schema.delivered_schema()
    return whole | json_schema.definitions((entry.body for entry in ENTRIES), REF_TEMPLATE)


def _operations() -> dict[str, Any]:
    operations = {_key(entry): _operation(entry) for entry in ENTRIES if _has_operation(entry)}
    answers = [control.ACCEPTED, control.REJECTED]
    operations["Free.publish"] = _receive("Free.publish", "Publish on a free channel.", _answers(answers))
    operations["Free.delivered"] = _send(
        "Free.delivered", "Deliver a command, or a message of a free channel, to its subscribers."
    )
    return operations


def _has_operation(entry: Entry) -> bool:
    """Say whether a message is more than an answer to another one."""
    return entry.kind is not Kind.REPLY or entry.address in _UNASKED


def _operation(entry: Entry) -> dict[str, Any]:
    key, summary = _key(entry), json_schema.summary(entry)
    return _receive(key, summary, _answers(entry.replies)) if entry.from_client else _send(key, summary)


def _receive(key: str, summary: str, answers: list[dict[str, str]]) -> dict[str, Any]:
    return _with("receive", key, summary) | {"reply": {"channel": _CHANNEL_REF, "messages": answers}}


def _send(key: str, summary: str) -> dict[str, Any]:
    return _with("send", key, summary)


def _with(action: str, key: str, summary: str) -> dict[str, Any]:
    return {"action": action, "summary": summary, "channel": _CHANNEL_REF, "messages": [_message_ref(key)]}


def _answers(addresses: tuple[Address, ...] | list[Address]) -> list[dict[str, str]]:
    return [_message_ref(_key(entry)) for entry in ENTRIES if not entry.from_client and entry.address in addresses]


def _message_ref(key: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{key}"}

"""JSON Schema 2020-12 for whole messages, made from the models that check them.

A schema describes the canonical form: what the bridge would repair with a warning, and refuses where it is ``strict``,
does not fit it. Patterns are ECMA 262 regular expressions, as JSON Schema has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import DEFAULT_REF_TEMPLATE, GenerateJsonSchema, models_json_schema

from bridge.protocol import control
from bridge.protocol.catalogue import BY_ADDRESS, Kind
from bridge.protocol.message import BRIDGE_FIELDS, Envelope, MessageId, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from bridge.protocol.catalogue import Entry

Schema = dict[str, Any]

_SENT_BY = {
    Kind.CONTROL: "Sent by clients to the bridge; answered, never delivered.",
    Kind.COMMAND: "Sent by clients; accepted or rejected, and an accepted one ends in exactly one outcome.",
    Kind.REPLY: "Sent by the bridge to one session; has no place in the workspace's stream.",
    Kind.EVENT: "Sent by the bridge to the workspace.",
}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator without titles such as "Toaddress", which it makes from the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def definitions(bodies: Iterable[type[BaseModel]], ref_template: str = DEFAULT_REF_TEMPLATE) -> dict[str, Schema]:
    """Give the schemas of ``bodies`` and of all that they consist of, by name of the model."""
    models = [(body, "validation") for body in dict.fromkeys(bodies)]
    _, found = models_json_schema(models, ref_template=ref_template, schema_generator=_Generator)  # type: ignore[arg-type]
    defs: dict[str, Schema] = found["$defs"]
    return {model: defs[model] for model in sorted(defs)}


def name(entry: Entry) -> str:
    """Name a message: its address, and ``.reply`` for an answer that shares the address of its question."""
    shared = BY_ADDRESS[entry.address] is not entry
    return f"{entry.address}.reply" if shared else str(entry.address)


def summary(entry: Entry) -> str:
    """Say what a message is for."""
    return (entry.body.__doc__ or "").strip()


def message_schema(entry: Entry, ref_template: str = DEFAULT_REF_TEMPLATE) -> Schema:
    """Describe a whole message of the catalogue; its body is a reference to the schema of ``entry.body``."""
    properties = _properties(entry.from_client) | _address(entry)
    required = ["channel", "topic", "subtopic"]
    properties["data"] = {"$ref": ref_template.format(model=entry.body.__name__)}
    if entry.from_client and not entry.needs_data:
        properties["data"] = {"anyOf": [properties["data"], {"type": "null"}]}
    else:
        required.append("data")
    if entry.kind is Kind.REPLY:
        properties = {key: properties[key] for key in properties if key not in {"source", "id", "time", "offset"}}
    elif entry.kind is Kind.EVENT:
        required += ["source", "id", "time", "offset"]
    if entry.address in control.OUTCOMES or entry.address == control.ACCEPTED:
        required.append("correlationId")
    return {
        "title": str(entry.address) if entry.kind is not Kind.REPLY else f"{entry.address} (reply)",
        "description": f"{summary(entry)}\n\n{_SENT_BY[entry.kind]}",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": not entry.from_client,
    }


def envelope_schema() -> Schema:
    """Describe what a client may send, whatever its address."""
    return {
        "title": "Message from a client",
        "description": "The envelope of every message that a client sends. On a free channel `data` is any JSON; "
        "messages of the channels Bridge, Cisco and Simulator have schemas of their own.",
        "type": "object",
        "properties": _properties(from_client=True),
        "required": ["channel", "topic", "subtopic"],
        "additionalProperties": False,
    }


def delivered_schema() -> Schema:
    """Describe what subscribers get, whatever its address."""
    return {
        "title": "Delivered message",
        "description": "A message with its place in the workspace's stream, as every subscriber gets it. "
        "Clients ignore fields that they do not know.",
        "type": "object",
        "properties": _properties(from_client=False),
        "required": ["channel", "topic", "subtopic", "source", "data", "id", "time", "offset"],
        "additionalProperties": True,
    }


def _properties(from_client: bool) -> dict[str, Schema]:  # noqa: FBT001 the two sides of the wire
    """Give the envelope's fields as a client sends them, or as the bridge does."""
    properties: dict[str, Schema] = Envelope.model_json_schema(schema_generator=_Generator)["properties"]
    if from_client:
        ignored = {"description": "Set by the bridge: what a client sends here is overwritten."}
        return properties | {field: ignored for field in ("time", "offset", "correlationId") if field in BRIDGE_FIELDS}
    return properties | {
        "source": TypeAdapter(Source).json_schema() | {"description": "Name of the app that broadcasts."},
        "data": {"description": "The body; always present."},
        "id": TypeAdapter(MessageId).json_schema() | {"description": "Names the message."},
        "time": {
            "type": "string",
            "format": "date-time",
            "description": "When the bridge accepted it: RFC 3339, UTC, milliseconds.",
        },
        "offset": {"type": "integer", "minimum": 0, "description": "Position in the workspace's stream."},
        "correlationId": {
            "type": "string",
            "description": "The `id` of the message that caused this one; absent where none did.",
        },
    }


def _address(entry: Entry) -> dict[str, Schema]:
    channel, topic, subtopic = entry.address
    spelt: Schema = {"enum": [subtopic, *entry.aliases]} if entry.aliases else {"const": subtopic}
    return {"channel": {"const": channel}, "topic": {"const": topic}, "subtopic": spelt}

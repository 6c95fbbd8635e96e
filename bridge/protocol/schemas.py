"""What stands in ``schemas/``, file by file.

One JSON Schema per message of the catalogue, complete in itself, at the place that its address names; ``envelope.json``
and ``delivered.json`` for messages of free channels; ``index.json``, which lists them all; and the AsyncAPI document.
"""

from __future__ import annotations

import json
from typing import Any

from bridge.protocol import asyncapi, examples
from bridge.protocol.catalogue import ENTRIES, Entry
from bridge.protocol.control import SUBPROTOCOL
from bridge.protocol.json_schema import (
    Schema,
    definitions,
    delivered_schema,
    envelope_schema,
    message_schema,
    name,
    summary,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID_PREFIX = "urn:workspace-bridge:v1:"
"""Names the schemas wherever they are stored; nothing is fetched from it."""

ENVELOPE = "envelope.json"
DELIVERED = "delivered.json"
INDEX = "index.json"
ASYNCAPI = "asyncapi.json"


def file_name(entry: Entry) -> str:
    """Say where the schema of a message stands below ``schemas/``."""
    return f"{name(entry)}.json"


def _file(at: str, schema: Schema, example: dict[str, Any], defs: dict[str, Schema] | None = None) -> bytes:
    head = {"$schema": DIALECT, "$id": ID_PREFIX + at.removesuffix(".json")}
    tail: Schema = {"$defs": defs} if defs else {}
    return _json(head | schema | tail | {"examples": [example]})


def _index() -> Schema:
    messages = [
        {
            "address": str(entry.address),
            "file": file_name(entry),
            "kind": entry.kind.value,
            "sender": "client" if entry.from_client else "bridge",
            "summary": summary(entry),
        }
        for entry in ENTRIES
    ]
    return {"protocol": SUBPROTOCOL, "envelope": ENVELOPE, "delivered": DELIVERED, "messages": messages}


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def files() -> dict[str, bytes]:
    """Give every file of ``schemas/`` by its name relative to that folder. The same models give the same bytes."""
    result = {
        INDEX: _json(_index()),
        ASYNCAPI: _json(asyncapi.document()),
        ENVELOPE: _file(ENVELOPE, envelope_schema(), examples.FREE),
        DELIVERED: _file(DELIVERED, delivered_schema(), examples.DELIVERED),
    }
    for entry in ENTRIES:
        at = file_name(entry)
        result[at] = _file(at, message_schema(entry), examples.message(entry), definitions([entry.body]))
    return result

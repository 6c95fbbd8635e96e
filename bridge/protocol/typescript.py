"""TypeScript types of every message's ``data``, made from the same JSON Schemas: ``sdk/messages.d.ts``."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bridge.protocol.catalogue import ENTRIES, Entry, Kind
from bridge.protocol.json_schema import Schema, definitions, name

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD = """// Generated from the catalogue by `make schemas`: do not edit.

"""
_plain = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_simple = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def module() -> str:
    """Give the whole file. The same models give the same text."""
    parts = [_interface(title, schema) for title, schema in definitions(entry.body for entry in ENTRIES).items()]
    delivered = [entry for entry in ENTRIES if entry.kind in {Kind.EVENT, Kind.COMMAND}]
    parts += [
        _table("Commands", "What may be sent with `command`, by address.", _of(Kind.COMMAND)),
        _table("Catalogue", "What subscribers get, by address: events and commands.", delivered),
        _table("Controls", "What may be asked of the bridge itself, by address.", _of(Kind.CONTROL)),
        _table("Replies", "What the bridge answers.", _of(Kind.REPLY)),
    ]
    return _HEAD + "\n".join(parts)


def _of(kind: Kind) -> list[Entry]:
    return [entry for entry in ENTRIES if entry.kind is kind]


def _table(title: str, text: str, entries: Iterable[Entry]) -> str:
    rows = []
    for entry in entries:
        rows.append(f"  {json.dumps(name(entry))}: {entry.body.__name__};\n")
        for alias in entry.aliases:
            address = "/".join((*entry.address[:2], alias))
            rows.append(f"  {json.dumps(address)}: {entry.body.__name__};\n")
    return f"/** {text} */\nexport interface {title} {{\n{''.join(rows)}}}\n"


def _interface(title: str, schema: Schema) -> str:
    about = _comment(schema, "")
    if schema.get("type") != "object" or not (schema.get("properties") or schema.get("additionalProperties", True)):
        return f"{about}export type {title} = {_type(schema)};\n"
    return f"{about}export interface {title} {_object(schema, '')}\n"


def _comment(schema: Schema, indent: str) -> str:
    text = " ".join(schema.get("description", "").replace("*/", "* /").split())
    return f"{indent}/** {text} */\n" if text else ""


def _object(schema: Schema, indent: str) -> str:
    required = schema.get("required", ())
    inner = indent + "  "
    rows = [
        f"{_comment(field, inner)}{inner}{_key(key)}{'' if key in required else '?'}: {_type(field, inner)};\n"
        for key, field in schema.get("properties", {}).items()
    ]
    more = schema.get("additionalProperties", True)
    if more:
        rows.append(f"{inner}[further: string]: {'any' if rows else _type(more, inner)};\n")
    return f"{{\n{''.join(rows)}{indent}}}" if rows else "Record<string, never>"


def _key(key: str) -> str:
    return key if _plain.fullmatch(key) else json.dumps(key)


def _type(schema: Any, indent: str = "") -> str:  # noqa: PLR0911 one for each kind of schema
    match schema:
        case {"$ref": str(reference)}:
            return reference.rpartition("/")[2]
        case {"const": value}:
            return json.dumps(value)
        case {"enum": [*values]}:
            return " | ".join(json.dumps(value) for value in values)
        case {"anyOf": [*choices]}:
            return " | ".join(dict.fromkeys(_type(each, indent) for each in choices))
        case {"type": "array", **rest}:
            return f"Array<{_type(rest.get('items'), indent)}>"
        case {"type": "object"}:
            return _object(schema, indent)
        case {"type": str(kind)}:
            return _simple[kind]
    return "any"

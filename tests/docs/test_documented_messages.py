"""Every message that the documentation shows is a real one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bridge.protocol import catalogue, schemas
from bridge.protocol.catalogue import ENTRIES, Kind
from bridge.protocol.errors import REFUSALS, Code
from bridge.protocol.message import decode

DOCS = Path(__file__).parents[2] / "docs"
FILES = schemas.files()

_block = re.compile(r"^```json message\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: Path) -> list[dict[str, Any]]:
    return [json.loads(block) for block in _block.findall(page.read_text(encoding="utf-8"))]


SHOWN = [
    pytest.param(message, id=f"{page.stem}-{number}")
    for page in sorted(DOCS.glob("**/*.md"))
    for number, message in enumerate(blocks(page), 1)
]


def schemas_for(message: dict[str, Any]) -> list[str]:
    """Name the schemas that a message may be meant to fit: by its address, else those of free channels."""
    address = tuple(message[name] for name in ("channel", "topic", "subtopic"))
    delivered = "offset" in message
    found = [schemas.file_name(entry) for entry in ENTRIES if entry.address == address]
    if not found or (delivered and not any(entry.kind is Kind.EVENT for entry in ENTRIES if entry.address == address)):
        return [schemas.DELIVERED if delivered else schemas.ENVELOPE]
    return found


@pytest.mark.parametrize("message", SHOWN)
def test_documented_message_fits_its_schema(message: dict[str, Any]) -> None:
    candidates = [Draft202012Validator(json.loads(FILES[name])) for name in schemas_for(message)]
    assert any(candidate.is_valid(message) for candidate in candidates), [
        error.message for candidate in candidates for error in candidate.iter_errors(message)
    ]


@pytest.mark.parametrize("message", SHOWN)
def test_documented_message_decodes_and_its_body_fits_the_model(message: dict[str, Any]) -> None:
    decoded = decode(json.dumps(message), strict=True)
    entry = catalogue.entry(decoded)
    if entry is not None and entry.from_client and "id" in message:
        catalogue.check_body(entry, decoded, strict=True)
    elif entry is not None:
        answers = [other for other in ENTRIES if other.address == entry.address and not other.from_client]
        answers[0].body.model_validate(message["data"])


def test_wire_protocol_shows_the_messages_that_every_client_meets() -> None:
    shown = {message["subtopic"] for message in blocks(DOCS / "wire-protocol.md")}
    assert shown >= {"Opened", "Heartbeat", "Subscribe", "Subscribed", "Accepted", "Rejected", "Completed", "Failed"}


@pytest.mark.parametrize("code", Code)
def test_page_of_a_code_shows_a_refusal_with_that_code(code: Code) -> None:
    (message,) = blocks(DOCS / "errors" / f"{code}.md")
    assert message["data"]["code"] == code
    assert message["data"]["temporary"] is REFUSALS[code].temporary
    for field in re.findall(r"`(\w+)`", _further_fields(code)):
        assert field in message["data"], f"the example lacks {field}"


def _further_fields(code: Code) -> str:
    table = (DOCS / "wire-protocol.md").read_text(encoding="utf-8")
    row = next(line for line in table.splitlines() if line.startswith(f"| [`{code}`]"))
    fields = row.split("|")[5]
    return "" if code is Code.UNKNOWN_ADDRESS else fields


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    pages = {page.stem for page in (DOCS / "errors").glob("*.md")} - {"README"}
    assert pages == {code.value for code in Code}

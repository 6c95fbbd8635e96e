"""The files in ``schemas/`` are what the models give, and each is a good schema with an example that fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bridge.protocol import catalogue, schemas
from bridge.protocol.catalogue import ENTRIES, Entry, Kind
from bridge.protocol.message import decode

FOLDER = Path(__file__).parents[2] / "schemas"
GENERATED = schemas.files()
MESSAGES = sorted(set(GENERATED) - {schemas.INDEX, schemas.ASYNCAPI})


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(GENERATED[name])
    return loaded


def test_schemas_folder_holds_exactly_what_the_models_give() -> None:
    stored = {str(file.relative_to(FOLDER)): file.read_bytes() for file in FOLDER.rglob("*") if file.is_file()}
    differing = sorted(name for name in stored.keys() | GENERATED.keys() if stored.get(name) != GENERATED.get(name))
    assert not differing, "run `workspace-bridge schemas schemas`, and look at what it changes"


def test_files_are_the_same_each_time() -> None:
    assert schemas.files() == GENERATED


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_file_is_json_in_utf8_with_a_newline_at_its_end(name: str) -> None:
    text = GENERATED[name].decode()
    assert text.endswith("}\n")
    assert isinstance(json.loads(text), dict)


@pytest.mark.parametrize("name", MESSAGES)
def test_schema_is_valid_2020_12(name: str) -> None:
    schema = read(name)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", MESSAGES)
def test_schema_is_complete_in_itself(name: str) -> None:
    references = set(_references(read(name)))
    assert all(reference.startswith("#/$defs/") for reference in references)
    assert {reference.removeprefix("#/$defs/") for reference in references} == set(read(name).get("$defs", {}))


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [found for child in value.values() for found in _references(child)]
    return [found for child in value for found in _references(child)] if isinstance(value, list) else []


@pytest.mark.parametrize("name", MESSAGES)
def test_example_fits_its_schema(name: str) -> None:
    schema = read(name)
    assert schema["examples"]
    for example in schema["examples"]:
        Draft202012Validator(schema).validate(example)


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.from_client], ids=schemas.file_name)
def test_example_of_a_client_message_is_taken_as_it_stands(entry: Entry) -> None:
    (example,) = read(schemas.file_name(entry))["examples"]
    message = decode(json.dumps(example), strict=True)
    assert catalogue.entry(message) is entry
    catalogue.check_body(entry, message, strict=True)


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if not entry.from_client], ids=schemas.file_name)
def test_example_of_a_bridge_message_fits_its_model(entry: Entry) -> None:
    (example,) = read(schemas.file_name(entry))["examples"]
    entry.body.model_validate(example["data"])


def test_every_message_of_the_catalogue_has_a_schema_of_its_own() -> None:
    titles = {read(name)["$id"] for name in MESSAGES}
    assert len(titles) == len(MESSAGES) == len(ENTRIES) + 2
    assert {schemas.file_name(entry) for entry in ENTRIES} | {schemas.ENVELOPE, schemas.DELIVERED} == set(MESSAGES)


def test_schema_of_a_message_stands_where_its_address_says() -> None:
    assert "Cisco/InboundCall/SetCONSULT.json" in GENERATED
    assert read("Cisco/InboundCall/SetCONSULT.json")["title"] == "Cisco/InboundCall/SetCONSULT"


def test_question_and_answer_with_one_address_have_two_schemas() -> None:
    assert read("Bridge/Command/Status.json")["$defs"].keys() == {"Status"}
    assert read("Bridge/Command/Status.reply.json")["$defs"].keys() == {"StatusReply"}


def test_index_lists_every_message_with_its_file_its_kind_and_its_sender() -> None:
    index = read(schemas.INDEX)
    listed = {message["file"]: message for message in index["messages"]}
    assert listed.keys() == {schemas.file_name(entry) for entry in ENTRIES}
    for entry in ENTRIES:
        message = listed[schemas.file_name(entry)]
        assert message["address"] == str(entry.address)
        assert message["kind"] == entry.kind.value
        assert message["sender"] == ("client" if entry.kind in {Kind.CONTROL, Kind.COMMAND} else "bridge")
        assert message["summary"]
    assert read(index["envelope"])["title"] == "Message from a client"
    assert read(index["delivered"])["title"] == "Delivered message"

"""The AsyncAPI document: the official parser takes it, and every message of the catalogue is in it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bridge.protocol import asyncapi, schemas
from bridge.protocol.catalogue import ENTRIES, Entry

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "schemas" / schemas.ASYNCAPI


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    assert found, "node is missing: `make` installs it"
    assert (HERE / "node_modules").is_dir(), "run `npm ci --prefix tests/schemas`, or `make`"
    return found


def parse(node: str, document: Path) -> subprocess.CompletedProcess[str]:
    command = [node, str(HERE / "parse_asyncapi.mjs"), str(document)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 our own script


def test_official_parser_takes_the_document(node: str) -> None:
    done = parse(node, DOCUMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted["messages"] == len(ENTRIES) + 2


def test_official_parser_refuses_a_document_with_a_reference_to_nothing(node: str, tmp_path: Path) -> None:
    broken = tmp_path / "asyncapi.json"
    document = asyncapi.document()
    del document["components"]["schemas"]["SetConsult"]
    broken.write_text(json.dumps(document), encoding="utf-8")
    done = parse(node, broken)
    assert done.returncode == 1
    assert "SetConsult" in done.stdout


def test_lock_file_of_the_parser_pins_contents_and_no_places() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    installed = {path: package for path, package in lock["packages"].items() if path}
    assert all("integrity" in package and "resolved" not in package for package in installed.values())


def _resolved(document: dict[str, Any], reference: str) -> Any:
    place: Any = document
    for key in reference.removeprefix("#/").split("/"):
        place = place[key]
    return place


@pytest.mark.parametrize("entry", ENTRIES, ids=schemas.file_name)
def test_every_message_of_the_catalogue_is_in_the_channel(entry: Entry) -> None:
    document = asyncapi.document()
    key = schemas.file_name(entry).removesuffix(".json").replace("/", ".")
    message = _resolved(document, document["channels"]["workspace"]["messages"][key]["$ref"])
    payload = _resolved(document, message["payload"]["$ref"])
    assert payload["title"].startswith(str(entry.address))
    assert _resolved(document, payload["properties"]["data"].get("$ref", "#/info"))


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.from_client], ids=schemas.file_name)
def test_operation_names_every_reply_that_the_catalogue_gives(entry: Entry) -> None:
    operation = asyncapi.document()["operations"][str(entry.address).replace("/", ".")]
    assert operation["action"] == "receive"
    replies = {reference["$ref"].rpartition("/")[2] for reference in operation["reply"]["messages"]}
    expected = {str(address).replace("/", ".") for address in entry.replies}
    assert {reply.removesuffix(".reply") for reply in replies} == expected

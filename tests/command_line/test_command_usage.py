"""Help, wrong usage, settings and schemas: what needs no bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme
from typer.testing import CliRunner

from bridge import __version__
from bridge.cli import app
from bridge.protocol.schemas import files

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

COMMANDS = ("serve", "listen", "publish", "consult", "explain", "token", "schemas", "finesse-simulator", "finesse-demo")


def invoke(*arguments: str, given: str | bytes | None = None, **environment: str) -> Result:
    return CliRunner().invoke(app, arguments, input=given, env=environment)


def test_version() -> None:
    assert invoke("--version").stdout == f"workspace-bridge {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_shows_an_example_of_it(command: str) -> None:
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"  Examples:\n    workspace-bridge {command}" in result.stdout


def test_help_lists_every_command_and_the_exit_codes() -> None:
    result = invoke("--help")
    assert all(f"\n  {command} " in result.stdout for command in COMMANDS)
    assert "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no connection." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("publish",), "ADDRESS"),
        (("consult", "--to", "5070"), "--call"),
        (("serve", "--port", "many"), "--port"),
        (("dance",), "dance"),
        (("publish", "Notes/Note"), "error: an address has three segments, channel/topic/subtopic; this has 2"),
        (("publish", "Notes/Note/Added", "{"), "(line 1, column 2)"),
        (
            ("publish", "Notes/Note/Added", '{"a":1,\n "b":}'),
            "error: not valid JSON: Expecting value (line 2, column 6)",
        ),
        (("publish", "Notes/Note/Added", "NaN"), "no JSON number (line 1, column 1)"),
        (("publish", "Notes/Note/Added", '{"a":{"b":1,"b":2}}'), "error: the key /a/b stands twice"),
        (("listen", "--url", "http://127.0.0.1:8765"), "write one such as ws://127.0.0.1:8765/ws"),
        (("serve", "--host", "0.0.0.0"), "HOST is 0.0.0.0: without authentication"),
        (("serve", "--adapter", "pabx"), "ADAPTER: "),
        (("serve", "--adapter", "finesse"), "ADAPTER is finesse, so FINESSE_URLS must name its nodes"),
        (("serve", "--port", "70000"), "PORT: "),
        (("serve", "--config", "/nowhere.toml"), "/nowhere.toml: No such file"),
    ],
)
def test_wrong_usage_exits_2_and_says_why(arguments: tuple[str, ...], complaint: str) -> None:
    result = invoke(*arguments)
    assert (result.exit_code, complaint in result.stderr) == (2, True), result.stderr
    assert result.stdout == ""


def test_json_from_standard_input_is_checked_alike() -> None:
    assert "(line 1, column 1)" in invoke("publish", "Notes/Note/Added", "-", given="oops").stderr
    result = invoke("publish", "Notes/Note/Added", "-", given=b"\xff")
    assert (result.exit_code, "standard input is not UTF-8" in result.stderr) == (2, True)


def test_serve_check_tells_what_would_be_served(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text('host = "::1"\ndemo_page = false\nmax_sessions = 10\n')
    result = invoke("serve", "--check", "--config", str(config), "--port", "9000")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "the settings are valid",
        "would serve ws://[::1]:9000/ws with the adapter simulator",
        "demo page: off",
        "HOST = ::1",
        "PORT = 9000",
        "MAX_SESSIONS = 10",
        "DEMO_PAGE = False",
    ]
    assert result.stderr == ""


def test_serve_check_reads_the_certificate(tmp_path: Path) -> None:
    certificate, key = tmp_path / "bridge.crt", tmp_path / "bridge.key"
    files = {"BRIDGE_TLS_CERT_FILE": str(certificate), "BRIDGE_TLS_KEY_FILE": str(key)}
    refused = invoke("serve", "--check", **files)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == f"error: TLS_CERT_FILE: {certificate}: No such file or directory\n"
    issued = trustme.CA().issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    result = invoke("serve", "--check", **files)
    assert result.exit_code == 0
    assert "would serve wss://127.0.0.1:8765/ws with the adapter simulator" in result.stdout
    assert "demo page: https://127.0.0.1:8765/" in result.stdout


def test_serve_with_an_unusable_certificate_does_not_start(tmp_path: Path) -> None:
    for name in ("bridge.crt", "bridge.key"):
        (tmp_path / name).write_text("nonsense")
    names = {"BRIDGE_TLS_CERT_FILE": f"{tmp_path}/bridge.crt", "BRIDGE_TLS_KEY_FILE": f"{tmp_path}/bridge.key"}
    result = invoke("serve", "--port", "0", **names)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: TLS_CERT_FILE: ")


@pytest.mark.parametrize(
    ("changed", "warned"),
    [({}, True), ({"BRIDGE_TRUSTED_PROXIES": '["10.0.0.1"]'}, False), ({"BRIDGE_HOST": "127.0.0.1"}, False)],
)
def test_serve_check_warns_of_tokens_that_travel_unencrypted(changed: dict[str, str], *, warned: bool) -> None:
    open_to_all = {"BRIDGE_HOST": "0.0.0.0", "BRIDGE_JWT_SECRET": "0123456789abcdef" * 2, "BRIDGE_MAX_SESSIONS": "1"}
    result = invoke("serve", "--check", **{**open_to_all, **changed})
    assert result.exit_code == 0
    assert ("tokens and calls travel unencrypted" in result.stderr) is warned


@pytest.mark.parametrize("arguments", [("--check",), ()])
def test_serve_refuses_an_audit_file_that_cannot_be_written(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    path = tmp_path / "none" / "audit.jsonl"
    refused = invoke("serve", *arguments, BRIDGE_AUDIT_FILE=str(path))
    assert (refused.exit_code, refused.stderr) == (2, f"error: AUDIT_FILE: {path}: No such file or directory\n")


def test_serve_check_warns_of_the_file_limit() -> None:
    result = invoke("serve", "--check", BRIDGE_MAX_SESSIONS=str(10**12))
    assert result.exit_code == 0
    assert "warning: this process may open" in result.stderr
    assert "would need 1000000000256" in result.stderr


def test_serve_with_an_unknown_setting_names_the_nearest() -> None:
    result = invoke("serve", "--check", BRIDGE_PROT="1")
    assert (result.exit_code, result.stderr) == (2, "error: BRIDGE_PROT is no setting; did you mean BRIDGE_PORT?\n")


def test_schemas_are_written_checked_and_repaired(tmp_path: Path) -> None:
    names = set(files())
    assert invoke("schemas", str(tmp_path)).exit_code == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")} == names
    assert "up to date" in invoke("schemas", str(tmp_path), "--check").stdout
    changed, missing = sorted(names)[:2]
    (tmp_path / changed).write_text("{}")
    (tmp_path / missing).unlink()
    (tmp_path / "old.json").write_text("{}")
    result = invoke("schemas", str(tmp_path), "--check")
    assert result.exit_code == 1
    for line in (f"{changed} differs", f"{missing} is missing", "old.json is no schema", "workspace-bridge schemas"):
        assert line in result.stderr
    assert f"wrote {changed}" in invoke("schemas", str(tmp_path)).stdout
    (tmp_path / "old.json").unlink()
    assert invoke("schemas", str(tmp_path), "--check").exit_code == 0


def test_schemas_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "index.json").mkdir()
    result = invoke("schemas", str(tmp_path))
    assert (result.exit_code, "cannot write" in result.stderr) == (1, True)


def test_typescript_types_are_written_checked_and_repaired(tmp_path: Path) -> None:
    types = tmp_path / "messages.d.ts"
    arguments = ("schemas", str(tmp_path / "schemas"), "--types", str(types))
    assert invoke(*arguments).exit_code == 0
    assert "export interface CallStateChange" in types.read_text(encoding="utf-8")
    assert "up to date" in invoke(*arguments, "--check").stdout
    types.write_text("old", encoding="utf-8")
    result = invoke(*arguments, "--check")
    assert result.exit_code == 1
    assert "messages.d.ts differs" in result.output

"""Settings: where they come from, and what is said when one is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from pathlib import Path


def test_defaults_are_those_of_the_contract() -> None:
    settings = load(environment={})
    assert (settings.host, settings.port, settings.adapter) == ("127.0.0.1", 8765, "simulator")
    assert settings.message_bytes == 65536
    assert (settings.messages_per_second, settings.messages_burst) == (50, 100)
    assert (settings.history_messages, settings.history_seconds, settings.history_bytes) == (1000, 600, 4194304)
    assert (settings.recovery_messages, settings.recovery_bytes) == (300, 524288)
    assert (settings.command_seconds, settings.dial_seconds) == (10, 30)
    assert settings.limits.max_workspaces == 100_000


def test_the_nearer_source_wins(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text('port = 1\nmessage_bytes = 2048\nopen_seconds = 3\nallowed_origins = ["https://a.example"]\n')
    environment = {"BRIDGE_PORT": "2", "BRIDGE_MESSAGE_BYTES": "4096", "PATH": "/bin"}
    settings = load(config=config, environment=environment, overrides={"port": 3, "host": None})
    assert (settings.port, settings.message_bytes, settings.open_seconds) == (3, 4096, 3)
    assert settings.allowed_origins == ("https://a.example",)


def test_list_in_the_environment_is_a_json_array() -> None:
    settings = load(environment={"BRIDGE_ALLOWED_ORIGINS": '["https://*.example.com", "null"]'})
    assert settings.allowed_origins == ("https://*.example.com", "null")
    with pytest.raises(SettingsError, match="BRIDGE_ALLOWED_ORIGINS: write a JSON array"):
        load(environment={"BRIDGE_ALLOWED_ORIGINS": "https://example.com"})


def test_unknown_name_in_the_environment_is_named_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="BRIDGE_PROT is no setting; did you mean BRIDGE_PORT"):
        load(environment={"BRIDGE_PROT": "1"})


def test_unknown_name_in_a_file_is_named_with_file_and_nearest(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text("messages_bytes = 1\n")
    with pytest.raises(SettingsError, match=r"bridge\.toml: messages_bytes is no setting; did you mean message_bytes"):
        load(config=config, environment={})


@pytest.mark.parametrize("content", [b"port = ", b"\xff = 1"])
def test_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    config = tmp_path / "bridge.toml"
    config.write_bytes(content)
    with pytest.raises(SettingsError, match=r"bridge\.toml"):
        load(config=config, environment={})


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: No such file"):
        load(config=tmp_path / "nowhere.toml", environment={})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BRIDGE_PORT", "70000"),
        ("BRIDGE_PORT", "http"),
        ("BRIDGE_MESSAGE_BYTES", "10"),
        ("BRIDGE_PING_SECONDS", "0"),
        ("BRIDGE_ADAPTER", "pabx"),
        ("BRIDGE_LOG_LEVEL", "loud"),
        ("BRIDGE_ALLOWED_ORIGINS", '["https://example.com/"]'),
    ],
)
def test_value_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.removeprefix("BRIDGE_")):
        load(environment={name: value})


def test_names_of_the_client_commands_do_not_disturb_the_bridge() -> None:
    assert load(environment={"BRIDGE_URL": "ws://127.0.0.1/ws", "BRIDGE_WORKSPACE": "x"}) == Settings()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_loopback_needs_no_authentication(host: str) -> None:
    load(environment={}, overrides={"host": host}).refuse_open_bind()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "bridge.example.com"])
def test_any_other_address_is_refused_and_says_why(host: str) -> None:
    with pytest.raises(SettingsError, match=f"HOST is {host}: without authentication"):
        load(environment={}, overrides={"host": host}).refuse_open_bind()

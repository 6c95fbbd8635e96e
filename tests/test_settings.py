"""Settings: where they come from, and what is said when one is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trustme
from typer.testing import CliRunner

from bridge.cli import app
from bridge.settings import Settings, SettingsError, load


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with an authority's certificate."""
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file


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
    settings = load(environment={"BRIDGE_FINESSE_URLS": '["https://finesse1.example.com:8445"]'})
    assert settings.finesse_urls == ("https://finesse1.example.com:8445",)
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


# Finesse

NODE = "https://finesse1.example.com:8445"
OTHER = "https://finesse2.example.com:8445"
SECRET = "s3cret-word"


def finesse(**settings: object) -> Settings:
    return load(environment={}, overrides={"adapter": "finesse", "finesse_urls": [NODE], **settings})


def test_finesse_needs_no_more_than_the_address_of_a_node() -> None:
    settings = finesse()
    assert (settings.finesse_urls, settings.finesse_xmpp_urls) == ((NODE,), ())
    assert (settings.finesse_xmpp, settings.finesse_ca_file, settings.finesse_linger_seconds) == ("auto", None, 300)


def test_finesse_is_set_by_the_environment_as_well(certificate: Path) -> None:
    environment = {
        "BRIDGE_ADAPTER": "finesse",
        "BRIDGE_FINESSE_URLS": f'["{NODE}", "{OTHER}"]',
        "BRIDGE_FINESSE_XMPP_URLS": '["wss://finesse1.example.com:7443/ws/", "xmpps://finesse2.example.com:5223"]',
        "BRIDGE_FINESSE_CA_FILE": str(certificate),
        "BRIDGE_FINESSE_LINGER_SECONDS": "60",
    }
    settings = load(environment=environment)
    assert settings.finesse_urls == (NODE, OTHER)
    assert settings.finesse_xmpp_urls == ("wss://finesse1.example.com:7443/ws/", "xmpps://finesse2.example.com:5223")
    assert (settings.finesse_ca_file, settings.finesse_linger_seconds) == (certificate, 60)


def test_the_documented_file_for_finesse_is_read(tmp_path: Path, certificate: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "finesse.md").read_text(encoding="utf-8")
    (written,) = re.findall(r'^```toml\n(adapter = "finesse"\n.*?)^```$', page, re.DOTALL | re.MULTILINE)
    config = tmp_path / "bridge.toml"
    config.write_text(re.sub(r'(?<=finesse_ca_file = ").*?(?=")', str(certificate), written))
    settings = load(config=config, environment={})
    assert (settings.adapter, len(settings.finesse_urls)) == ("finesse", 2)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"finesse_urls": []}, "ADAPTER is finesse, so FINESSE_URLS must name its nodes"),
        ({"finesse_urls": ["http://finesse1.example.com:8082"]}, "FINESSE_URLS: .* must be written https://host:port"),
        ({"finesse_urls": ["finesse1.example.com:8445"]}, "FINESSE_URLS: .* must be written https://host:port"),
        ({"finesse_urls": ["https://:8445"]}, "FINESSE_URLS: .* must be written https://host:port"),
        ({"finesse_urls": ["https://finesse1:port"]}, "FINESSE_URLS: .* must be written https://host:port"),
        ({"finesse_urls": ["https://[finesse1"]}, "FINESSE_URLS: .* must be written https://host:port"),
        ({"finesse_urls": [f"{NODE}/finesse/api"]}, "FINESSE_URLS: .* has a path"),
        ({"finesse_urls": [NODE, OTHER, "https://finesse3.example.com:8445"]}, "FINESSE_URLS: .* at most 2 nodes"),
        ({"finesse_urls": NODE}, "FINESSE_URLS: "),
        ({"finesse_xmpp_urls": ["ws://finesse1.example.com/ws/"]}, "FINESSE_XMPP_URLS: .* wss://host:port/ws/ or "),
        ({"finesse_xmpp_urls": ["xmpp://finesse1.example.com:5222"]}, "FINESSE_XMPP_URLS: .* must be written wss://"),
        (
            {"finesse_urls": [NODE, OTHER], "finesse_xmpp_urls": ["wss://finesse1.example.com:8445/ws/"]},
            "FINESSE_XMPP_URLS must have one URL for each of FINESSE_URLS",
        ),
        ({"finesse_xmpp": "bosh"}, "FINESSE_XMPP: "),
        ({"finesse_ca_file": "/nowhere/ca.pem"}, "FINESSE_CA_FILE: /nowhere/ca.pem is no file"),
        ({"finesse_linger_seconds": 0}, "FINESSE_LINGER_SECONDS: "),
    ],
)
def test_what_cannot_be_for_finesse_is_named(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        finesse(**changes)


def test_a_file_without_certificates_is_told_before_anything_is_served(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate\n")
    with pytest.raises(SettingsError, match=r"FINESSE_CA_FILE: .*ca\.pem: it holds no certificate"):
        finesse(finesse_ca_file=file)


@pytest.mark.parametrize(
    "url",
    [
        f"https://1001001:{SECRET}@finesse1.example.com:8445",
        f"http://1001001:{SECRET}@finesse1.example.com:8445",
        f"1001001:{SECRET}@finesse1.example.com:8445",
        f"https://1001001:{SECRET}@[finesse1",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="must not hold credentials") as refused:
        finesse(finesse_urls=[url])
    assert SECRET not in str(refused.value)
    with pytest.raises(SettingsError, match="must not hold credentials") as refused:
        finesse(finesse_xmpp_urls=[url])
    assert SECRET not in str(refused.value)


def test_check_tells_what_finesse_would_be_served_from(certificate: Path) -> None:
    environment = {
        "BRIDGE_FINESSE_URLS": f'["{NODE}"]',
        "BRIDGE_FINESSE_CA_FILE": str(certificate),
        "BRIDGE_MAX_SESSIONS": "100",
    }
    result = CliRunner().invoke(app, ["serve", "--check", "--adapter", "finesse"], env=environment)
    assert result.exit_code == 0, result.stderr
    assert "would serve ws://127.0.0.1:8765/ws with the adapter finesse" in result.stdout
    assert f'FINESSE_URLS = ["{NODE}"]' in result.stdout
    assert f"FINESSE_CA_FILE = {certificate}" in result.stdout


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({}, "error: ADAPTER is finesse, so FINESSE_URLS must name its nodes"),
        ({"BRIDGE_FINESSE_URLS": NODE}, "error: BRIDGE_FINESSE_URLS: write a JSON array"),
        ({"BRIDGE_FINESSE_URLS": '["http://f"]'}, "error: FINESSE_URLS: 'http://f' must be written https://host:port"),
        ({"BRIDGE_FINESSE_URLS": f'["{NODE}"]', "BRIDGE_FINESSE_CA_FILE": "/nowhere"}, "FINESSE_CA_FILE: /nowhere"),
    ],
)
def test_check_tells_what_is_wrong_with_the_settings_for_finesse(environment: dict[str, str], complaint: str) -> None:
    result = CliRunner().invoke(app, ["serve", "--check", "--adapter", "finesse"], env=environment)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr


# Authentication


SECRET = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ({"jwt_secret": SECRET[:-1]}, "JWT_SECRET: shorter than 32 bytes"),
        ({"jwt_secret": SECRET, "jwks_url": "https://issuer.example/keys"}, "exclude each other"),
        ({"jwks_url": "http://issuer.example/keys"}, "JWKS_URL: whoever is on the way could forge the keys"),
        ({"jwks_url": "https://me:secret@issuer.example/keys"}, "JWKS_URL: a URL must not hold credentials"),
        ({"jwks_url": "file:///keys"}, "JWKS_URL: 'file:///keys' must be written https://host/path"),
        ({"jwks_url": "https://issuer.example/keys", "jwt_algorithms": ["HS256"]}, "JWT_ALGORITHMS: "),
        ({"jwks_url": "https://issuer.example/keys", "jwt_algorithms": ["none"]}, "JWT_ALGORITHMS: "),
        ({"jwks_url": "https://issuer.example/keys", "jwt_algorithms": []}, "JWT_ALGORITHMS: "),
        ({"tls_cert_file": "cert.pem"}, "TLS_CERT_FILE and TLS_KEY_FILE belong together"),
        ({"trusted_proxies": ["10.0.0.0/8", "proxy"]}, "TRUSTED_PROXIES: 'proxy' is neither an address nor a network"),
    ],
)
def test_settings_of_authentication_that_would_not_hold_are_refused(
    overrides: dict[str, object], complaint: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(complaint)):
        load(environment={}, overrides=overrides)


def test_with_tokens_any_address_may_be_listened_on() -> None:
    open_to_all = load(environment={"BRIDGE_HOST": "0.0.0.0", "BRIDGE_JWT_SECRET": SECRET})
    open_to_all.refuse_open_bind()
    assert open_to_all.authentication
    with pytest.raises(SettingsError, match="Ask for tokens"):
        load(environment={"BRIDGE_HOST": "0.0.0.0"}).refuse_open_bind()


def test_the_secret_is_shown_nowhere() -> None:
    settings = load(environment={"BRIDGE_JWT_SECRET": SECRET})
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.model_dump())
    with pytest.raises(SettingsError) as refused:
        load(environment={"BRIDGE_JWT_SECRET": SECRET[:-1]})
    assert SECRET[:-1] not in str(refused.value)


def test_a_star_in_an_origin_stands_for_one_label_and_so_stands_once() -> None:
    with pytest.raises(SettingsError, match=re.escape("has more than one *")):
        load(environment={"BRIDGE_ALLOWED_ORIGINS": '["https://*.*.example.com"]'})

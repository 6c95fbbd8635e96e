"""Every setting, with its default and its reason.

A setting comes from, in this order: the command line, the environment (``BRIDGE_PORT=8765``), a TOML file
(``port = 8765``), its default. An unknown name, wherever it stands, is an error that names the nearest known one.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import os
import ssl
import tomllib
from pathlib import Path  # noqa: TC003 pydantic reads annotations when the program runs
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_origin
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge.broker.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_settings import PydanticBaseSettingsSource

PREFIX = "BRIDGE_"

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]
OffOrCount = Annotated[int, Field(ge=0)]

_limits = Limits()


MOST_NODES = 2
"""Finesse comes alone or as a pair."""

SECRET_BYTES = 32
"""A shorter secret is weaker than the hash of HS256, and can be guessed (RFC 7518 section 3.2)."""


class SettingsError(ValueError):
    """A setting is unknown or has a value that cannot be; the text names it and says what would be right."""


class Settings(BaseSettings):
    """What can be set, in the groups of the documentation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_parse_none_str="")

    host: str = Field("127.0.0.1", description="Address to listen on. Without authentication only a loopback address.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8765, description="Port; 0 takes a free one and logs it.")
    adapter: Literal["simulator", "finesse"] = Field(
        "simulator", description="What moves the calls: the built-in simulated switch, or Cisco Finesse."
    )

    message_bytes: Annotated[int, Field(ge=1024)] = Field(
        _limits.message_bytes,
        description="Bytes of one message from a client: several times the largest sensible call.",
    )
    messages_per_second: Annotated[float, Field(ge=0)] = Field(
        _limits.messages_per_second, description="Rate of one session: far more than a person causes, less than a loop."
    )
    messages_burst: Count = Field(
        _limits.messages_burst, description="Messages at once: a page that loads ten gadgets."
    )
    patterns_per_session: Count = Field(_limits.patterns_per_session, description="Subscribed patterns per session.")
    outbox_bytes: Annotated[int, Field(ge=1024)] = Field(
        1_048_576, description="Queued for one session before it is closed as slow (4410): seconds of a busy desktop."
    )

    history_messages: OffOrCount = Field(
        _limits.history_messages, description="Messages kept per workspace, for pages that reconnect."
    )
    history_seconds: Seconds = Field(
        _limits.history_seconds, description="How long they are kept: over a reload, a tunnel, a coffee."
    )
    history_bytes: OffOrCount = Field(
        _limits.history_bytes, description="How many bytes they may take together, per workspace."
    )
    recovery_messages: OffOrCount = Field(
        _limits.recovery_messages, description="Messages recovered in one answer; who missed more gets a snapshot."
    )
    recovery_bytes: OffOrCount = Field(
        _limits.recovery_bytes, description="Bytes recovered in one answer: half an outbox."
    )

    max_workspaces: Count = Field(
        _limits.max_workspaces, description="Workspaces in memory; the one idle longest makes room for a new one."
    )
    workspace_idle_seconds: Seconds = Field(
        _limits.workspace_idle_seconds,
        description="A workspace without session, call and signed-in agent is forgotten after this: a lunch break.",
    )
    max_sessions: OffOrCount = Field(_limits.max_sessions, description="Sessions of this process.")
    pending_connections: Count = Field(
        4096,
        description="Connections that have no session yet: twice what a site opens at once after a restart. When one "
        "more comes, the one that has waited longest is closed.",
    )
    sessions_per_workspace: OffOrCount = Field(
        _limits.sessions_per_workspace, description="Sessions of one workspace: ten gadgets in six tabs."
    )
    sessions_per_address: OffOrCount = Field(
        _limits.sessions_per_address,
        description="Sessions of one network address; off by default, since a whole site may stand behind one.",
    )

    open_seconds: Seconds = Field(
        10, description="Time for a whole HTTP request, a handshake, or the rest of a begun message."
    )
    ping_seconds: Seconds = Field(20, description="Between WebSocket pings: below the idle time-outs of proxies.")
    pong_seconds: Seconds = Field(20, description="A connection that does not answer a ping for so long is cut.")
    heartbeat_seconds: Count = Field(
        _limits.heartbeat_seconds, description="Between Heartbeat messages: two missed ones tell a page of a dead link."
    )
    command_seconds: Seconds = Field(10, description="Until the outcome of a command is TimedOut.")
    dial_seconds: Seconds = Field(30, description="The same for commands that dial.")
    idempotency_seconds: Seconds = Field(_limits.idempotency_seconds, description="How long an id is remembered.")
    idempotency_messages: Count = Field(
        _limits.idempotency_messages, description="How many ids are remembered, per workspace."
    )
    drain_seconds: Annotated[float, Field(ge=0)] = Field(
        10, description="Time for commands in flight at a graceful stop; then they end in TimedOut."
    )

    strict: bool = Field(default=_limits.strict, description="Refuse what would otherwise be repaired with a warning.")
    open_channels: bool = Field(default=_limits.open_channels, description="Let gadgets use channels of their own.")
    demo_page: bool = Field(default=True, description="Serve the demo page at /, and its sample gadgets.")
    allowed_origins: tuple[str, ...] = Field(
        (),
        description="Origins of pages that may connect, beside the bridge's own; https://*.example.com is one label.",
    )

    jwt_secret: SecretStr | None = Field(
        None, description="Switches authentication on: tokens are signed with this secret (HS256), of 32 bytes or more."
    )
    jwks_url: str | None = Field(
        None, description="Switches authentication on: tokens are signed with a key of this JSON Web Key Set."
    )
    jwt_algorithms: tuple[Literal["RS256", "ES256", "EdDSA"], ...] = Field(
        ("RS256", "ES256", "EdDSA"),
        min_length=1,
        description="Algorithms of the keys at JWKS_URL; what a token says of itself chooses among these alone.",
    )
    jwt_issuer: str | None = Field(None, description="Tokens must name this issuer (`iss`).")
    jwt_audience: str | None = Field(
        None,
        description="Tokens must be meant for this audience (`aud`): set it where one issuer serves many services.",
    )
    tls_cert_file: Path | None = Field(
        None, description="PEM file of the certificate and its chain; read again when it changes."
    )
    tls_key_file: Path | None = Field(None, description="PEM file of the certificate's key, without a passphrase.")
    trusted_proxies: tuple[str, ...] = Field(
        (),
        description="Addresses or networks of reverse proxies, such as 10.0.0.0/8: only these are believed from where "
        "a client comes and whether by HTTPS.",
    )
    audit_file: Path | None = Field(
        None, description="Where each command and sign-in leaves a line; without it, in the log, if there are tokens."
    )
    audit_bytes: Annotated[int, Field(ge=65536)] = Field(
        52_428_800, description="Bytes of one audit file: about 200,000 commands. A full one is renamed."
    )
    audit_files: Count = Field(10, description="Full audit files that are kept.")

    simulator_reaction_ms: Annotated[int, Field(ge=0, le=60000)] = Field(
        20, description="How long the simulated switch takes for each step: long enough to see them one by one."
    )
    finesse_urls: tuple[str, ...] = Field(
        (), description="REST base URLs of the Finesse nodes, such as https://finesse1.example.com:8445, at most two."
    )
    finesse_xmpp_urls: tuple[str, ...] = Field(
        (),
        description="URLs of the notification services, one per node in the same order: wss://host:port/ws/ or "
        "xmpps://host:port. By default found by the node's own address.",
    )
    finesse_xmpp: Literal["auto", "websocket", "tcp"] = Field(
        "auto", description="How to reach a notification service; auto: WebSocket, else TCP with TLS at port 5223."
    )
    finesse_ca_file: Path | None = Field(
        None, description="PEM file of the certificates to trust at Finesse, instead of the system's."
    )
    finesse_linger_seconds: Seconds = Field(
        300, description="How long an agent is followed without any widget: over a reload, a restarted desktop."
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Bodies only at debug.")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, else JSON."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing but what is passed in: ``load`` merges the sources, so that their order stands in one place."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @field_validator("allowed_origins")
    @classmethod
    def _origins_are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "null" and ("://" not in origin or origin.endswith("/")):
                raise ValueError(f"{origin!r} is no origin: write scheme://host[:port] without a path")
            if origin.count("*") > 1:
                raise ValueError(f"{origin!r} has more than one *: it stands for one label")
        return origins

    @field_validator("finesse_urls")
    @classmethod
    def _finesse_is_https(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            _require_url(url, "https://host:port")
            if urlsplit(url).path not in {"", "/"}:
                raise ValueError(f"{url!r} has a path: write https://host:port, the API's path is known")
        if len(urls) > MOST_NODES:
            raise ValueError(f"Finesse has at most {MOST_NODES} nodes")
        return urls

    @field_validator("finesse_xmpp_urls")
    @classmethod
    def _xmpp_is_encrypted(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            _require_url(url, "wss://host:port/ws/", "xmpps://host:port")
        return urls

    @field_validator("finesse_ca_file")
    @classmethod
    def _ca_file_is_readable(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        if not path.is_file():
            raise ValueError(f"{path} is no file")
        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:  # ssl.SSLError is one
            reason = "it holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
            raise ValueError(f"{path}: {reason}") from None
        return path

    @field_validator("jwt_secret")
    @classmethod
    def _secret_is_long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < SECRET_BYTES:
            raise ValueError(f"shorter than {SECRET_BYTES} bytes; `openssl rand -hex 32` makes a good one")
        return secret

    @field_validator("jwks_url")
    @classmethod
    def _key_set_cannot_be_forged(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if "@" in url:
            raise ValueError("a URL must not hold credentials")
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in {"https", "http"}:
            raise ValueError(f"{url!r} must be written https://host/path")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("whoever is on the way could forge the keys: write https://")
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                raise ValueError(f"{proxy!r} is neither an address nor a network such as 10.0.0.0/8") from None
        return proxies

    @model_validator(mode="after")
    def _keys_come_from_one_place(self) -> Settings:
        if self.jwt_secret is not None and self.jwks_url is not None:
            raise ValueError("JWT_SECRET and JWKS_URL exclude each other: tokens come from one issuer")
        if (self.tls_cert_file is None) is not (self.tls_key_file is None):
            raise ValueError("TLS_CERT_FILE and TLS_KEY_FILE belong together: set both")
        return self

    @model_validator(mode="after")
    def _finesse_is_complete(self) -> Settings:
        if self.adapter == "finesse" and not self.finesse_urls:
            raise ValueError("ADAPTER is finesse, so FINESSE_URLS must name its nodes")
        if self.finesse_xmpp_urls and len(self.finesse_xmpp_urls) != len(self.finesse_urls):
            raise ValueError("FINESSE_XMPP_URLS must have one URL for each of FINESSE_URLS, in the same order")
        return self

    @property
    def limits(self) -> Limits:
        """The part that the broker needs."""
        names = Limits.__dataclass_fields__
        return Limits(**{name: getattr(self, name) for name in names})

    @property
    def authentication(self) -> bool:
        """Whether clients need a token."""
        return self.jwt_secret is not None or self.jwks_url is not None

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the bridge."""
        return is_loopback(self.host)

    @property
    def unencrypted(self) -> bool:
        """Whether others reach the bridge, and neither it nor a proxy in front of it speaks TLS."""
        return not self.loopback and self.tls_cert_file is None and not self.trusted_proxies

    def refuse_open_bind(self) -> None:
        """Refuse to be reachable by others without authentication.

        Raises:
            SettingsError: ``host`` is not a loopback address.
        """
        if not self.loopback and not self.authentication:
            raise SettingsError(
                f"HOST is {self.host}: without authentication anyone who reaches it could move calls. "
                "Ask for tokens (BRIDGE_JWT_SECRET or BRIDGE_JWKS_URL), "
                "or listen on a loopback address (BRIDGE_HOST=127.0.0.1)."
            )


def is_loopback(host: str) -> bool:
    """Say whether a host's name or address is this machine's alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _require_url(url: str, *forms: str) -> None:
    """Refuse a URL that has another form, and, without quoting it, one with credentials."""
    if "@" in url:
        raise ValueError("a URL must not hold credentials: they come with the agent's sign-in")
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0 and not parts.query and not parts.fragment
    except ValueError:  # an address or a port that cannot be
        whole = False
    if not whole or parts.scheme not in {form.partition(":")[0] for form in forms}:
        raise ValueError(f"{url!r} must be written {' or '.join(forms)}")


def load(
    *,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Read settings from everywhere they may stand.

    Args:
        config: A TOML file with lower-case names at its top level.
        environment: Where ``BRIDGE_…`` names are looked up; by default the process's own.
        overrides: From the command line; they win. ``None`` values do not count.

    Raises:
        SettingsError: An unknown name, or a value that cannot be.
    """
    merged = dict(_from_file(config)) if config is not None else {}
    merged |= _from_environment(os.environ if environment is None else environment)
    merged |= {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        return Settings(**merged)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        message = detail["msg"].removeprefix("Value error, ")
        names = [f"{str(part).upper()}: " for part in detail["loc"][:1]]
        raise SettingsError("".join([*names, message])) from None


CLIENT_NAMES = frozenset(
    {"BRIDGE_URL", "BRIDGE_WORKSPACE", "BRIDGE_APP", "BRIDGE_TOKEN", "BRIDGE_TOKEN_FILE", "BRIDGE_CA_FILE"}
)
"""Read by the command line's client commands, so no error where the bridge itself is started."""


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, value in environment.items():
        if name.startswith(PREFIX) and name not in CLIENT_NAMES:
            known = _known(name.removeprefix(PREFIX).lower(), shown=lambda near: PREFIX + near.upper(), sent=name)
            found[known] = _parsed(name, known, value)
    return found


def _parsed(sent: str, name: str, value: str) -> Any:
    if get_origin(Settings.model_fields[name].annotation) is not tuple:
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise SettingsError(f'{sent}: write a JSON array, such as ["https://desk.example.com"]') from None


def _from_file(config: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{config}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{config}: {error}") from None
    return {_known(name, shown=str, sent=f"{config}: {name}"): value for name, value in values.items()}


def _known(name: str, *, shown: Any, sent: str) -> str:
    if name in Settings.model_fields:
        return name
    near = difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=0.4)
    advice = f"did you mean {shown(near[0])}?" if near else "see the list of settings in docs/operations.md"
    raise SettingsError(f"{sent} is no setting; {advice}")

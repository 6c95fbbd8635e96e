"""``workspace-bridge token``: a token for development, signed with the bridge's own secret."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import jwt

from bridge.broker.identity import Role
from bridge.broker.tokens import RefusedToken
from bridge.command_line.exits import Exit, put, say, stop
from bridge.protocol.address import Pattern
from bridge.server.auth import make_authentication
from bridge.settings import SettingsError, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bridge.broker.identity import Grant
    from bridge.settings import Settings


def token(config: Path | None, claims: Mapping[str, Any], seconds: int, *, show: bool) -> None:
    """Write a token with these claims, those that are empty left out."""
    settings = _settings(config)
    assert settings.jwt_secret is not None  # noqa: S101 checked there
    now = int(time.time())
    payload = {name: value for name, value in claims.items() if value not in (None, [])}
    payload |= {"iat": now, "exp": now + seconds}
    if settings.jwt_issuer is not None:
        payload["iss"] = settings.jwt_issuer
    if settings.jwt_audience is not None:
        payload["aud"] = settings.jwt_audience
    signed = jwt.encode(payload, settings.jwt_secret.get_secret_value(), algorithm="HS256")
    _try(signed, settings)
    if show:
        say(json.dumps(payload, indent=2))
    put(signed)


def _try(signed: str, settings: Settings) -> None:
    """Ask the bridge's own check: exit 2 where it would refuse the token; say where that is of no use."""
    verdicts: list[Grant | RefusedToken] = []
    authentication = make_authentication(settings)
    assert authentication is not None  # noqa: S101 there is a secret
    authentication.check(signed, verdicts.append)
    (verdict,) = verdicts
    if isinstance(verdict, RefusedToken):
        stop(Exit.USAGE, f"error: the bridge would refuse it: {verdict.reason}; see docs/operations.md, Tokens")
    if not verdict.workspaces and not verdict.roles & {Role.SERVER, Role.OPERATOR}:
        say("note: it opens no session: name a --workspace")
    if not (verdict.roles - {Role.HOST} or verdict.publish or verdict.subscribe):
        say("note: it allows nothing: give it a --role, --publish or --subscribe")


def check(patterns: Sequence[str], roles: Sequence[str]) -> None:
    """Exit 2 where a pattern is none, or there is no such role."""
    for pattern in patterns:
        try:
            Pattern.parse(pattern)
        except ValueError as error:
            stop(Exit.USAGE, f"error: {error}")
    known = [role.value for role in Role]
    for role in roles:
        if role not in known:
            stop(Exit.USAGE, f"error: there is no role {role!r}; the roles are {', '.join(known)}")


def _settings(config: Path | None) -> Settings:
    try:
        settings = load(config=config)
    except SettingsError as error:
        stop(Exit.USAGE, f"error: {error}")
    if settings.jwks_url is not None:
        stop(Exit.USAGE, "error: with JWKS_URL tokens come from your identity provider; its key is not known here")
    if settings.jwt_secret is None:
        stop(
            Exit.USAGE,
            "error: there is no JWT_SECRET to sign with. Give this command and `serve` the same one:",
            "  export BRIDGE_JWT_SECRET=$(openssl rand -hex 32)",
        )
    return settings

"""What a token says, once its signature was found good (wire protocol, "Tokens"; RFC 7519)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from bridge.broker.identity import Grant, Role
from bridge.broker.workspace import NAME
from bridge.protocol.address import Pattern

MOST = 256
"""Entries of one list: more than any desk has workspaces, patterns or gadgets."""


def _pattern(text: str) -> str:
    Pattern.parse(text)
    return text


def _origin(origin: str) -> str:
    if origin != "null" and ("://" not in origin or origin.endswith("/") or origin.count("*") > 1):
        raise ValueError("no origin")
    return origin


def _listed(value: Any) -> Any:
    """Take a single name for a list of one."""
    return (value,) if isinstance(value, str) else value


_Time = Annotated[float, Field(strict=True, ge=0, lt=1e12, allow_inf_nan=False)]
"""Seconds since 1970; whoever writes milliseconds is told so, instead of being trusted for millennia."""

_Name = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,128}$")]
_Workspace = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
_Pattern = Annotated[str, StringConstraints(max_length=200), AfterValidator(_pattern)]
_Origin = Annotated[str, StringConstraints(max_length=300), AfterValidator(_origin)]
_Few = Field((), max_length=MOST)


class MalformedError(ValueError):
    """A claim is not what it must be. The text names it and quotes nothing."""

    def __init__(self, claim: str) -> None:
        super().__init__(f"the claim {claim} is missing or not what it must be")
        self.claim = claim


class Claims(BaseModel):
    """The claims that the bridge looks at; an issuer may add any others."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    sub: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=256)]
    exp: _Time
    nbf: _Time = 0.0
    iat: _Time = 0.0
    workspace: Annotated[tuple[_Workspace, ...], BeforeValidator(_listed)] = _Few
    app: _Name | None = None
    extension: Annotated[str, StringConstraints(strict=True, pattern=r"^[\x21-\x7e]{1,64}$")] | None = None
    publish: tuple[_Pattern, ...] = _Few
    subscribe: tuple[_Pattern, ...] = _Few
    roles: tuple[Annotated[str, StringConstraints(max_length=256)], ...] = _Few
    apps: tuple[_Name, ...] = _Few
    origins: tuple[_Origin, ...] | None = Field(None, max_length=MOST)

    def grant(self) -> Grant:
        """Give what the bus wants to know. Roles that are none of the bridge's own are for other services."""
        return Grant(
            subject=self.sub,
            expires_at=self.exp,
            workspaces=self.workspace,
            app=self.app,
            extension=self.extension,
            publish=tuple(map(Pattern.parse, self.publish)),
            subscribe=tuple(map(Pattern.parse, self.subscribe)),
            roles=frozenset(Role(name) for name in self.roles if name in _known_roles),
            apps=frozenset(self.apps),
            origins=self.origins,
        )


_known_roles = frozenset(Role)


def read(payload: dict[str, Any]) -> Claims:
    """Read the claims of a token whose signature is good; whether its time has come, or is over, is not looked at.

    Raises:
        MalformedError: A claim is missing, or is not what it must be.
    """
    try:
        return Claims.model_validate(payload)
    except ValidationError as error:
        name = error.errors(include_url=False, include_input=False, include_context=False)[0]["loc"][0]
        raise MalformedError(str(name)) from None

"""Is this token good? Its signature, its time, its issuer and audience, its claims; by `PyJWT`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
from jwt import PyJWK

from bridge.broker.expiry import LEEWAY_SECONDS
from bridge.broker.tokens import RefusedToken
from bridge.protocol.errors import CloseCode
from bridge.server.auth.claims import MalformedError, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt.types import Options

    from bridge.broker.identity import Grant
    from bridge.server.auth.keys import Keys

TOKEN_CHARACTERS = 16_384
"""Tokens of single sign-on have some kilobytes; a longer one is not looked at."""

_malformed = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What reading anything that anyone made up may raise, beside what `PyJWT` says."""


_MALFORMED = "the token is malformed"

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.InvalidIssuerError, "the token is of another issuer"),
    (jwt.InvalidAudienceError, "the token is meant for another audience"),
    (jwt.InvalidSignatureError, "the token's signature is not good"),
    (jwt.InvalidAlgorithmError, "the token's signature is not good"),
)
"""What the client is told. The library's own texts may quote the token."""

_READ_BY_CLAIMS: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}
"""Signature, issuer and audience are the library's part. ``claims`` names the claim that is bad; time is handed in."""


def _unauthenticated(reason: str) -> RefusedToken:
    return RefusedToken(CloseCode.UNAUTHENTICATED, reason)


def _reason(error: Exception) -> str:
    """Say what is wrong with a token, without quoting it: which claim, where it is one."""
    if isinstance(error, jwt.MissingRequiredClaimError):  # iss or aud, the only ones that are left to the library
        error = MalformedError(error.claim)
    if isinstance(error, MalformedError):
        return str(error)
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), _MALFORMED)


class Authentication:
    """Checks tokens (the broker's ``Tokens``).

    ``issuer`` and ``audience`` are compared where they are given; ``now`` gives seconds since 1970.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str | None = None,
        audience: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._now = now

    @property
    def ready(self) -> bool:
        """Whether tokens can be checked now."""
        return self._keys.ready

    async def start(self) -> None:
        """Begin to look after the keys."""
        await self._keys.start()

    async def stop(self) -> None:
        """End; who waits is told to try again."""
        await self._keys.stop()

    def check(self, token: str, answer: Callable[[Grant | RefusedToken], None]) -> None:
        """Call ``answer`` once: at once where the key is known, else when it has been looked for."""
        if len(token) > TOKEN_CHARACTERS:
            answer(_unauthenticated(f"the token has more than {TOKEN_CHARACTERS} characters"))
            return
        try:
            header = jwt.get_unverified_header(token)
        except _malformed:
            answer(_unauthenticated(_MALFORMED))
            return
        if "crit" in header:  # RFC 7515 section 4.1.11: who does not understand an extension must refuse it
            answer(_unauthenticated("the token asks for an extension that is not known here"))
            return

        def found(key: PyJWK | RefusedToken) -> None:
            answer(self._verify(token, key) if isinstance(key, PyJWK) else key)

        key_id = header.get("kid")
        self._keys.find(key_id if isinstance(key_id, str) else None, found)

    def _verify(self, token: str, key: PyJWK) -> Grant | RefusedToken:
        try:
            claims = read(self._decode(token, key))
        except _malformed as error:
            return _unauthenticated(_reason(error))
        now = self._now()
        if claims.exp + LEEWAY_SECONDS <= now:
            return RefusedToken(CloseCode.TOKEN_EXPIRED, "the token has expired; come back with a new one")
        if max(claims.nbf, claims.iat) > now + LEEWAY_SECONDS:
            return _unauthenticated("the token is not valid yet")
        return claims.grant()

    def _decode(self, token: str, key: PyJWK) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=self._issuer,
            audience=self._audience,
            options={**_READ_BY_CLAIMS, "verify_aud": self._audience is not None},
        )

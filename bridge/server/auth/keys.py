"""With which keys tokens may be signed. A key brings its algorithm; what a token says of itself chooses nothing."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pydantic import SecretStr

    from bridge.broker.tokens import RefusedToken

RSA_BITS = 2048
"""Shorter keys can be factored (RFC 7518 section 3.3)."""

MOST_KEYS = 64
"""An issuer has a handful; more are not looked at."""

_ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
"""The one algorithm for which a key of each type and curve is used (RFC 7518 section 3.1, RFC 8037 section 3.1)."""

_PUBLIC = ("kty", "crv", "n", "e", "x", "y")


class Keys(Protocol):
    """Where keys come from."""

    def find(self, key_id: str | None, answer: Callable[[PyJWK | RefusedToken], None]) -> None:
        """Call ``answer`` once, now or later, with the key of this id; without an id with the only key there is."""

    @property
    def ready(self) -> bool:
        """Whether there are keys that may be used."""

    async def start(self) -> None:
        """Begin to look after the keys."""

    async def stop(self) -> None:
        """End."""


class SecretKey:
    """One secret that issuer and bridge share: HS256, and nothing else."""

    ready = True

    def __init__(self, secret: SecretStr) -> None:
        encoded = base64.urlsafe_b64encode(secret.get_secret_value().encode()).rstrip(b"=").decode()
        self._key = PyJWK({"kty": "oct", "k": encoded}, "HS256")

    def find(self, key_id: str | None, answer: Callable[[PyJWK | RefusedToken], None]) -> None:  # noqa: ARG002
        """Answer with the one key, whatever a token calls it."""
        answer(self._key)

    async def start(self) -> None:
        """Need nothing."""

    async def stop(self) -> None:
        """Need nothing."""


def read_keys(document: Any, algorithms: Collection[str]) -> dict[str | int, PyJWK]:
    """Take the keys out of a JSON Web Key Set that may sign tokens (RFC 7517), by their ids.

    A key without an id, or with one that an earlier key has, stands under a number: no token can name it, and it still
    counts where a token names none.

    Others are left out: symmetric ones, those for encryption, too short ones, those of other algorithms. Private parts,
    which have no business there, are not looked at.

    Raises:
        ValueError: It is no key set.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no JSON Web Key Set")  # noqa: TRY004 it is about the document
    found: dict[str | int, PyJWK] = {}
    for entry in entries[:MOST_KEYS]:
        if isinstance(entry, dict) and (key := _read_key(entry, algorithms)) is not None:
            key_id = entry.get("kid")
            found[key_id if isinstance(key_id, str) and key_id not in found else len(found)] = key
    return found


def _read_key(entry: dict[str, Any], algorithms: Collection[str]) -> PyJWK | None:
    kind, curve = entry.get("kty"), entry.get("crv")
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        return None
    algorithm = _ALGORITHMS.get((kind, curve))
    operations = entry.get("key_ops", ["verify"])
    if (
        algorithm not in algorithms
        or entry.get("alg", algorithm) != algorithm
        or entry.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        return None
    try:
        key = PyJWK({name: entry[name] for name in _PUBLIC if name in entry}, algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    return None if isinstance(key.key, RSAPublicKey) and key.key.key_size < RSA_BITS else key

"""An issuer for tests: keys of every kind, and tokens good and bad."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from bridge.settings import Settings, load

if TYPE_CHECKING:
    from bridge.broker.identity import Grant
    from bridge.broker.tokens import RefusedToken, Tokens

SECRET = "a secret of the tests, and of nobody else; long enough for any of the HS algorithms"


SECONDS = 86_400
"""For which a token is good: some are made long before the test that needs them."""


def claims(**changed: Any) -> dict[str, Any]:
    """Give the claims of a widget in workspace ``demo``; ``None`` leaves one out."""
    usual: dict[str, Any] = {
        "sub": "alice",
        "exp": int(time.time()) + SECONDS,
        "workspace": "demo",
        "app": "widget",
        "roles": ["widget"],
    }
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def token(**changed: Any) -> str:
    """Sign claims with the shared secret."""
    return jwt.encode(claims(**changed), SECRET, algorithm="HS256")


def settings(**changed: Any) -> Settings:
    """Give the settings of a bridge that asks for such tokens."""
    return load(environment={}, overrides={"jwt_secret": SECRET, "port": 0, **changed})


def unsigned(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    """Put a token together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def verdict(tokens: Tokens, text: str) -> Grant | RefusedToken:
    """Check a token whose key is known: the answer comes at once, and once."""
    answers: list[Grant | RefusedToken] = []
    tokens.check(text, answers.append)
    (answer,) = answers
    return answer


class Key:
    """One key pair of an issuer, under an id."""

    def __init__(self, key_id: str, algorithm: str = "RS256", bits: int = 2048) -> None:
        self.id = key_id
        self.algorithm = algorithm
        self.private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
        if algorithm == "RS256":
            self.private = rsa.generate_private_key(65537, bits)
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = ec.generate_private_key(ec.SECP384R1() if algorithm == "ES384" else ec.SECP256R1())

    def published(self, **changed: Any) -> dict[str, Any]:
        """Give the public half as it stands in a key set."""
        kind = jwt.get_algorithm_by_name(self.algorithm)
        document: dict[str, Any] = json.loads(kind.to_jwk(self.private.public_key()))
        return {"use": "sig", **document, "kid": self.id, **changed}

    def token(self, headers: dict[str, Any] | None = None, **changed: Any) -> str:
        """Sign claims."""
        return jwt.encode(
            claims(**changed), self.private, algorithm=self.algorithm, headers={"kid": self.id, **(headers or {})}
        )


def key_set(*keys: dict[str, Any]) -> bytes:
    """Write a key set."""
    return json.dumps({"keys": keys}).encode()

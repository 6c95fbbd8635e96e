"""What an agent proves itself with: a password or an SSO access token, kept in memory only."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Credentials:
    """One agent's credentials; ``bearer`` tells an SSO access token from a password."""

    username: str
    secret: SecretStr
    bearer: bool = False

    def authorization(self) -> str:
        """Give the value of HTTP's ``Authorization`` header (RFC 7617 and RFC 6750)."""
        if self.bearer:
            return f"Bearer {self.secret.get_secret_value()}"
        pair = f"{self.username}:{self.secret.get_secret_value()}"
        return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"

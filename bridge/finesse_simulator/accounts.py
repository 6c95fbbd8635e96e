"""Who the agents are, and whether somebody is who they say: passwords, access tokens, and the lock.

Five wrong passwords in a row lock an account for five minutes, for the right password too (Finesse developer guide,
"Authentication"). An access token that is not known locks nobody: it names nobody.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bridge.finesse_simulator.refusals import unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_AGENT: Final = 1001001
BAD_PASSWORDS: Final = 5
LOCKED_SECONDS: Final = 300.0
_TEAM: Final = ("1", "Demo")


@dataclass(slots=True)
class Account:
    """One agent. ``username`` is Finesse's ``loginId``; secrets do not show in ``repr``."""

    username: str
    login_name: str
    extension: str
    password: str = field(repr=False)
    token: str = field(repr=False)
    first_name: str = "Agent"
    last_name: str = ""
    team: tuple[str, str] = _TEAM
    wrong_in_a_row: int = 0
    locked_until: float = 0.0


class Accounts:
    """All agents, by name. ``clock`` gives seconds that never go back."""

    def __init__(self, agents: int, *, clock: Callable[[], float], locked_seconds: float = LOCKED_SECONDS) -> None:
        self._clock = clock
        self._locked_seconds = locked_seconds
        self._accounts = {account.username: account for account in _accounts(agents)}
        self._by_login_name = {account.login_name: account for account in self}
        # For whom credentials are refused whatever they are, a fault.
        self.refused: set[str] = set()

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def find(self, name: str) -> Account | None:
        """Return the account of that ``loginId`` or ``loginName``."""
        return self._accounts.get(name) or self._by_login_name.get(name)

    def authenticate(self, authorization: str) -> Account:
        """Say whose credentials an ``Authorization`` header holds.

        Raises:
            RefusalError: Nobody's, or the account is locked.
        """
        scheme, _, value = authorization.partition(" ")
        match scheme.lower():
            case "basic":
                account = self._by_password(*_user_and_password(value))
            case "bearer":
                account = self._by_token(value.strip())
            case _:
                raise unauthorized("")
        if account.username in self.refused:
            raise unauthorized(account.username)
        return account

    def lock(self, username: str) -> None:
        """Lock an account as five wrong passwords do."""
        self._accounts[username].locked_until = self._clock() + self._locked_seconds

    def unlock_all(self) -> None:
        """Forget all wrong passwords."""
        for account in self:
            account.wrong_in_a_row, account.locked_until = 0, 0.0

    def renew_token(self, username: str) -> str:
        """Let the agent's access token expire; return the new one."""
        account = self._accounts[username]
        account.token = secrets.token_urlsafe(24)
        return account.token

    def _by_password(self, name: str, password: str) -> Account:
        account = self.find(name)
        if account is None or self._clock() < account.locked_until:
            raise unauthorized(name)
        if not secrets.compare_digest(password.encode(), account.password.encode()):
            account.wrong_in_a_row += 1
            if account.wrong_in_a_row >= BAD_PASSWORDS:
                account.wrong_in_a_row = 0
                self.lock(account.username)
            raise unauthorized(name)
        account.wrong_in_a_row = 0
        return account

    def _by_token(self, token: str) -> Account:
        for account in self:
            if secrets.compare_digest(token.encode(), account.token.encode()):
                return account
        raise unauthorized("")


def _accounts(agents: int) -> Iterator[Account]:
    for number in range(agents):
        username = str(FIRST_AGENT + number)
        yield Account(
            username=username,
            login_name=f"agent{number + 1}",
            extension=username,
            password=secrets.token_urlsafe(12),
            token=secrets.token_urlsafe(24),
            last_name=str(number + 1),
        )


def _user_and_password(value: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise unauthorized("") from None
    return user, password

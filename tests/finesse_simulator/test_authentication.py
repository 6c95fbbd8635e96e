"""Who may ask: passwords, access tokens, the lock, and sessions that are somebody else's."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
import pytest

from bridge.finesse_simulator.accounts import Accounts
from bridge.finesse_simulator.refusals import RefusalError
from tests.finesse_simulator.desks import AgentDesk

if TYPE_CHECKING:
    from bridge.finesse_simulator.look_alike import FinesseLookAlike

A, B = "1001001", "1001002"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Door:
    """Accounts, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.accounts = Accounts(2, clock=self.clock)
        self.alice, self.bob = self.accounts

    def lets_in(self, authorization: str) -> bool:
        try:
            self.accounts.authenticate(authorization)
        except RefusalError as refusal:
            return refusal.status != HTTPStatus.UNAUTHORIZED
        return True


def test_agent_is_known_by_either_name_and_either_secret() -> None:
    door = Door()
    alice = door.alice

    for authorization in (
        basic(alice.username, alice.password),
        basic(alice.login_name, alice.password),
        f"bearer {alice.token}",
    ):
        assert door.accounts.authenticate(authorization) is alice


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic ???", "Basic Zm9v", "Bearer ", "Digest x", "Basic /w=="])
def test_what_is_no_credential_lets_nobody_in(authorization: str) -> None:
    assert not Door().lets_in(authorization)


def test_five_bad_passwords_in_a_row_lock_for_five_minutes() -> None:
    door = Door()
    right, wrong = basic(A, door.alice.password), basic(A, "wrong")
    for _ in range(4):
        assert not door.lets_in(wrong)
    assert door.lets_in(right)
    for _ in range(5):
        assert not door.lets_in(wrong)

    assert not door.lets_in(right)
    assert door.lets_in(basic(B, door.bob.password))
    door.clock.now += 299.9
    assert not door.lets_in(right)
    door.clock.now += 0.2
    assert door.lets_in(right)


def test_bad_tokens_lock_nobody() -> None:
    door = Door()
    for _ in range(10):
        assert not door.lets_in("Bearer wrong")

    assert door.lets_in(f"Bearer {door.alice.token}")


def test_secrets_do_not_show() -> None:
    alice = Door().alice

    assert alice.password not in repr(alice)
    assert alice.token not in repr(alice)


async def test_wrong_password_is_answered_with_401_and_the_lock_opens_again(finesse: FinesseLookAlike) -> None:
    desk = AgentDesk(finesse, finesse.agents[0])
    path = f"/User/{A}"
    desk.rest.auth = (A, "wrong")
    responses = [await desk.request("GET", path) for _ in range(5)]
    desk.rest.auth = (A, finesse.agents[0].password)
    locked = await desk.request("GET", path)
    await finesse.set_faults(reset=True)
    opened = await desk.request("GET", path)
    await desk.close()

    assert {response.status_code for response in responses} == {401}
    assert "<ErrorType>Authorization Failure</ErrorType>" in responses[0].text
    assert responses[0].headers["www-authenticate"].startswith("Basic")
    assert (locked.status_code, opened.status_code) == (401, 200)


async def test_agent_signs_in_with_a_token_everywhere(finesse: FinesseLookAlike) -> None:
    account = finesse.agents[0]
    desk = AgentDesk(finesse, account)
    desk.rest.auth = httpx.Auth()  # adds nothing
    desk.rest.headers["authorization"] = f"Bearer {account.token}"
    try:
        await desk.connect(password=account.token)
        await desk.sign_in()
    finally:
        await desk.close()

    assert finesse.dialogs()[A]["state"] == "NOT_READY"


async def test_expired_token_is_of_no_use_and_the_new_one_is(finesse: FinesseLookAlike) -> None:
    account = finesse.agents[0]
    old = account.token
    desk = AgentDesk(finesse, account)
    desk.rest.auth = httpx.Auth()  # adds nothing
    answer = await finesse.set_faults(expire_tokens=[A])
    new = answer["tokens"][A]
    found = []
    for token in (old, new):
        desk.rest.headers["authorization"] = f"Bearer {token}"
        found.append((await desk.request("GET", f"/User/{A}")).status_code)
    with pytest.raises(ConnectionRefusedError):
        await desk.connect(password=old)
    await desk.disconnect()
    await desk.connect(password=new)
    await desk.close()

    assert found == [401, 200]


async def test_who_is_not_signed_in_has_no_calls_to_act_on(finesse: FinesseLookAlike) -> None:
    desk = AgentDesk(finesse, finesse.agents[0])
    found = [
        await desk.act("16786021", "ANSWER"),
        await desk.dial("5070"),
        await desk.state("READY"),
        await desk.request("GET", f"/User/{A}/Dialogs"),
        await desk.request("GET", f"/User/{A}"),
    ]
    await desk.close()

    assert [response.status_code for response in found] == [401, 401, 401, 200, 200]
    assert "<state>LOGOUT</state>" in found[-1].text


async def test_session_of_another_agent_is_noticed(finesse: FinesseLookAlike) -> None:
    alice, bob = AgentDesk(finesse, finesse.agents[0]), AgentDesk(finesse, finesse.agents[1])
    session = (await alice.request("GET", f"/User/{A}")).cookies["JSESSIONID"]
    mixed = await bob.request("GET", f"/User/{B}", cookie=f"JSESSIONID={session}")
    own = await alice.request("GET", f"/User/{A}", cookie=f"JSESSIONID={session}")
    await alice.close()
    await bob.close()

    assert (mixed.status_code, own.status_code) == (401, 200)
    assert "Invalid Authorization User Specified" in mixed.text

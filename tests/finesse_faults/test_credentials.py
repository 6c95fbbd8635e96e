"""Passwords and access tokens that are wrong, or were right."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import SecretStr

from bridge.calls.adapter import SignIn
from bridge.calls.finesse.adapter import FinesseAdapter
from tests.calls.finesse.finesse_server import AUTHORITY, raw_server
from tests.finesse_faults.centre import FAST, Desktop, contact_centre, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bridge.calls.adapter import AdapterEvents, Change, Failure


async def is_refused(desk: Desktop, **secret: str) -> str:
    failed = await desk.sign_in(**secret)
    assert (failed["subtopic"], failed["data"]["errorType"]) == ("Failed", "Authorization Failure")
    return str(failed["data"]["message"])


async def test_wrong_password_is_tried_once_and_locks_nobody() -> None:
    async with contact_centre() as centre, centre.desktop() as desk:
        assert "password" in await is_refused(desk, password="wrong")
        assert desk.account.wrong_in_a_row == 1
        assert desk.statuses == ["signed_out"]
        assert centre.sign_ons(desk.account.username) == 0
        refused = await desk.do("Cisco/Agent/SetReadyState", {})
        assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "not_signed_in")
        await desk.is_signed_in()
        assert desk.account.wrong_in_a_row == 0
        await centre.checks_out()


async def test_new_password_that_is_wrong_leaves_the_session_as_it_is() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        assert "password" in await is_refused(desk, password="wrong")
        assert desk.account.wrong_in_a_row == 1
        await desk.completes("SetHOLD", call)
        assert desk.statuses == ["signed_out", "connected"]
        await centre.checks_out()


async def test_five_wrong_passwords_of_a_person_lock_the_account_and_the_right_one_is_told_so() -> None:
    async with contact_centre() as centre, centre.desktop() as desk:
        for _ in range(5):
            await is_refused(desk, password="wrong")
        told = await is_refused(desk, password=desk.account.password)
        assert "lock" in told
        assert centre.entries() == []
        await centre.goes_wrong(reset=True)
        await desk.is_signed_in()
        await centre.checks_out()


async def test_password_that_was_changed_meanwhile_ends_the_session_at_the_next_command() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        old, desk.account.password = desk.account.password, "changed"
        failed = await desk.act("SetHOLD", call)
        assert (failed["subtopic"], failed["data"]["errorType"]) == ("Failed", "Authorization Failure")
        assert "password" in str(await desk.is_signed_out())
        assert desk.account.wrong_in_a_row == 1
        assert centre.entries("HOLD") == []
        assert centre.entries("LOGOUT") == []
        refused = await desk.act("SetHOLD", call)
        assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "not_signed_in")
        desk.account.password = old
        await desk.is_signed_in()
        await desk.sees(lambda: desk.state_of(call) == "active")
        await centre.checks_out()


async def test_credentials_that_are_refused_while_blind_end_the_session_after_one_try() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        await centre.goes_wrong(refusing=[0], refused_users=[desk.account.username])
        await desk.goes_blind()
        assert "password" in str(await desk.is_signed_out())
        await centre.goes_wrong(refusing=[], refused_users=[])
        assert centre.sign_ons(desk.account.username) == 1
        await desk.is_signed_in()
        await centre.checks_out()


async def test_access_token_that_expired_and_a_fresh_one_with_the_same_calls() -> None:
    async with contact_centre() as centre, centre.desktop() as desk:
        done = await desk.sign_in(token=desk.account.token)
        assert done["subtopic"] == "Completed"
        call = await desk.is_talking()
        consult = await desk.is_consulting(call)
        fresh = (await centre.goes_wrong(expire_tokens=[desk.account.username]))["tokens"][desk.account.username]
        failed = await desk.act("SetCONFERENCE", call)
        assert (failed["subtopic"], failed["data"]["errorType"]) == ("Failed", "Authorization Failure")
        assert "token" in str(await desk.is_signed_out())
        assert centre.entries("CONFERENCE") == []
        assert centre.entries("LOGOUT") == []
        assert (await desk.sign_in(token=fresh))["subtopic"] == "Completed"
        await desk.has_calls(call, consult)
        await desk.completes("SetCONFERENCE", call)
        await centre.checks_out()


async def test_question_with_an_expired_access_token_ends_the_session_too() -> None:
    async with contact_centre() as centre, centre.desktop() as desk:
        assert (await desk.sign_in(token=desk.account.token))["subtopic"] == "Completed"
        fresh = (await centre.goes_wrong(expire_tokens=[desk.account.username]))["tokens"][desk.account.username]
        failed = await desk.do("Cisco/Agent/GetAgentState", {})
        assert (failed["subtopic"], failed["data"]["errorType"]) == ("Failed", "Authorization Failure")
        assert "token" in str(await desk.is_signed_out())
        assert (await desk.sign_in(token=fresh))["subtopic"] == "Completed"
        await centre.checks_out()


async def test_fresh_access_token_in_time_signs_nobody_out() -> None:
    async with contact_centre() as centre, centre.desktop() as desk:
        assert (await desk.sign_in(token=desk.account.token))["subtopic"] == "Completed"
        call = await desk.is_talking()
        fresh = (await centre.goes_wrong(expire_tokens=[desk.account.username]))["tokens"][desk.account.username]
        assert (await desk.sign_in(token=fresh))["subtopic"] == "Completed"
        await desk.completes("SetHOLD", call)
        assert desk.statuses == ["signed_out", "connected"]
        assert len(centre.entries("LOGIN")) == 1
        assert centre.sign_ons(desk.account.username) == 1
        # The line too is made with the fresh one.
        await centre.goes_wrong(cut=[{}])
        await desk.goes_blind()
        await desk.sees_again()
        await centre.checks_out()


async def test_fresh_access_token_that_is_none_changes_nothing() -> None:
    async with contact_centre() as centre, centre.desktop() as desk:
        assert (await desk.sign_in(token=desk.account.token))["subtopic"] == "Completed"
        call = await desk.is_talking()
        assert "token" in await is_refused(desk, token="no-token")
        assert desk.statuses == ["signed_out", "connected"]
        await desk.completes("SetHOLD", call)
        await centre.checks_out()


@pytest.mark.parametrize("secret", ["password", "token"])
async def test_two_who_sign_in_as_the_same_agent_at_two_workspaces(secret: str) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk, centre.desktop(1) as other:
        who = {"username": desk.account.username, "extension": desk.account.extension}
        given = {secret: getattr(desk.account, secret)}
        refused = await other.do("Cisco/Agent/SetUserInfo", who | given)
        assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "illegal_state")
        assert len(centre.entries("LOGIN")) == 1
        await other.is_signed_in()
        await centre.checks_out()


async def test_commands_that_wait_in_line_do_not_try_a_refused_password_again() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        old, desk.account.password = desk.account.password, "changed"
        commands = [await desk.begin("SetHOLD", call)]
        commands += [await desk.send("Cisco/Agent/GetAgentState", {}) for _ in range(5)]
        assert {(await desk.outcome(command))["subtopic"] for command in commands} == {"Failed"}
        assert desk.account.wrong_in_a_row == 1
        desk.account.password = old
        await desk.is_signed_in()
        await centre.checks_out()


async def test_fresh_access_token_right_after_the_refusal_begins_anew() -> None:
    async with contact_centre() as centre, centre.desktop() as desk:
        assert (await desk.sign_in(token=desk.account.token))["subtopic"] == "Completed"
        call = await desk.is_talking()
        fresh = (await centre.goes_wrong(expire_tokens=[desk.account.username]))["tokens"][desk.account.username]
        assert (await desk.act("SetHOLD", call))["subtopic"] == "Failed"
        assert (await desk.sign_in(token=fresh))["subtopic"] == "Completed"
        assert desk.statuses == ["signed_out", "connected"] * 2
        await centre.checks_out()


async def test_late_refusal_of_an_old_access_token_does_not_end_a_session_with_a_fresh_one() -> None:
    async with contact_centre() as centre, centre.desktop() as desk:
        assert (await desk.sign_in(token=desk.account.token))["subtopic"] == "Completed"
        call = await desk.is_talking()
        rest = centre.adapter._site.nodes.all[0].rest
        session = centre.adapter._sessions[desk.account.username]
        send, renewed = rest.send, asyncio.Event()

        async def send_late(*request: Any) -> None:
            await renewed.wait()
            await send(*request)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rest, "send", send_late)
            hold = await desk.begin("SetHOLD", call)
            await until(lambda: not session._dispatch.idle)
            fresh = (await centre.goes_wrong(expire_tokens=[desk.account.username]))["tokens"][desk.account.username]
            who = (desk.account.username, desk.account.username, desk.account.extension)
            # As if from another desk: this one's commands wait in line.
            session.renew(SignIn("renewal", *who, token=SecretStr(fresh)))
            await until(lambda: session._credentials.secret.get_secret_value() == fresh)
            renewed.set()
            assert (await desk.outcome(hold))["subtopic"] == "Failed"
        await desk.completes("SetHOLD", call)
        assert desk.statuses == ["signed_out", "connected"]


class Ear:
    """Hears a refusal."""

    def __init__(self) -> None:
        self.refusal: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()

    def refused(self, _request: str, failure: Failure) -> None:
        self.refusal.set_result(failure)

    def changed(self, _changes: Sequence[Change]) -> None:
        pass

    taken = unanswered = reread = changed


async def test_first_sign_in_without_an_answer_does_not_try_its_password_on_and_on(tmp_path: Path) -> None:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    info = b"<SystemInfo><status>IN_SERVICE</status><xmppDomain>localhost</xmppDomain></SystemInfo>"
    tries: list[bytes] = []

    async def answer_but_for_the_agent(writer: asyncio.StreamWriter, _number: int) -> None:
        if b"SystemInfo" in server.got[-1]:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(info), info))
        else:
            tries.append(server.got[-1])
            writer.transport.abort()

    async with raw_server(answer_but_for_the_agent) as server:
        adapter = FinesseAdapter([f"https://localhost:{server.port}"], ca_file=tmp_path / "ca.pem", pace=FAST)
        ear = Ear()
        adapter.start(cast("AdapterEvents", ear))
        adapter.submit(SignIn("1", "1001001", "1001001", "1001001", password=SecretStr("s3cret")))
        assert (await ear.refusal).error_type == "Service Unavailable"
        await adapter.stop()
    # A GET whose connection is lost is sent once more, since the server may have closed it before.
    assert len(tries) <= 2

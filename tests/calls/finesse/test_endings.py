"""What a problem means for a session: it goes on blind, it ends, or it is a fault of ours."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bridge.calls.adapter import Failure
from bridge.calls.finesse.credentials import Credentials
from bridge.calls.finesse.endings import Interrupted, Over, gravest, judge
from bridge.calls.finesse.failures import read_error_body
from bridge.calls.finesse.rest import Refused, Unanswered, Unreachable
from bridge.calls.finesse.xmpp import XmppConflict, XmppLost, XmppRefused, XmppUnreachable

PASSWORD = Credentials("1001001", SecretStr("s3cret"))
TOKEN = Credentials("1001001", SecretStr("t0ken"), bearer=True)


@pytest.mark.parametrize(
    "problem",
    [
        XmppLost("cut"),
        XmppUnreachable("nobody listens"),
        XmppRefused("temporary-auth-failure"),
        Unreachable("nobody listens"),
        Unanswered("lost"),
        Refused(Failure("Internal Server Error", "RUNTIME_EXCEPTION"), 500),
        Refused(Failure("Service Unavailable", "SERVER_OUT_OF_SERVICE"), 503),
    ],
    ids=repr,
)
def test_trouble_that_passes_interrupts(problem: Exception) -> None:
    assert isinstance(judge(problem, PASSWORD), Interrupted)


@pytest.mark.parametrize(
    "problem", [XmppRefused("not-authorized"), Refused(Failure("Authorization Failure", "UNAUTHORIZED"), 401)], ids=repr
)
@pytest.mark.parametrize(("credentials", "word"), [(PASSWORD, "password"), (TOKEN, "access token")], ids=["P", "T"])
def test_refused_credentials_end_it_and_are_named_by_kind_only(
    problem: Exception, credentials: Credentials, word: str
) -> None:
    over = judge(problem, credentials)
    assert isinstance(over, Over)
    assert word in str(over.reason)
    assert over.failure.error_type == "Authorization Failure"
    assert credentials.secret.get_secret_value() not in f"{over!r}{over.failure}"


def test_takeover_ends_it_without_a_fight() -> None:
    over = judge(XmppConflict("replaced"), PASSWORD)
    assert isinstance(over, Over)
    assert "taken over" in str(over.reason)


def test_refused_sign_in_ends_it_with_the_failure_of_finesse() -> None:
    failure = Failure("Invalid Device", "CF_INVALID_LOGON_DEVICE_SPECIFIED (260)")
    over = judge(Refused(failure, 400), PASSWORD)
    assert isinstance(over, Over)
    assert over.failure is failure


def test_what_is_not_foreseen_is_nothing() -> None:
    assert judge(ValueError("a fault of ours"), PASSWORD) is None


def test_of_several_problems_the_end_counts_before_an_interruption() -> None:
    over = Over("logged out")
    group = BaseExceptionGroup("", [XmppLost("cut"), BaseExceptionGroup("", [over])])
    assert gravest(group, PASSWORD) is over
    assert isinstance(gravest(BaseExceptionGroup("", [XmppLost("cut")]), PASSWORD), Interrupted)


def test_fault_among_them_is_never_hidden() -> None:
    group = BaseExceptionGroup("", [Over("logged out"), ValueError("a fault of ours")])
    assert gravest(group, PASSWORD) is group


def test_page_that_is_not_there_yet_interrupts_but_an_agent_who_is_unknown_ends_it() -> None:
    no_page = Refused(read_error_body(404, b"<html>Not found</html>"), 404)
    assert isinstance(judge(no_page, PASSWORD), Interrupted)
    nobody = b"<ApiErrors><ApiError><ErrorType>User Not Found</ErrorType><ErrorMessage>UNKNOWN_USER</ErrorMessage>"
    unknown = Refused(read_error_body(404, nobody + b"</ApiError></ApiErrors>"), 404)
    assert isinstance(judge(unknown, PASSWORD), Over)

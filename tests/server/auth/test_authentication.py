"""What makes a token good, and every way in which one may be bad."""

from __future__ import annotations

import json
import time
import traceback
from typing import Any

import jwt
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bridge.broker.identity import Grant, Role
from bridge.broker.tokens import RefusedToken
from bridge.protocol.address import Pattern
from bridge.protocol.errors import CloseCode
from bridge.server.auth import make_authentication
from bridge.server.auth.authentication import TOKEN_CHARACTERS, Authentication
from bridge.server.auth.claims import Claims
from bridge.server.auth.keys import SecretKey
from bridge.settings import load
from tests.server.auth.tokens import SECRET, claims, settings, token, unsigned, verdict


def authentication(**changed: Any) -> Authentication:
    made = make_authentication(settings(**changed))
    assert made is not None
    return made


def granted(text: str, **changed: Any) -> Grant:
    found = verdict(authentication(**changed), text)
    assert isinstance(found, Grant), found
    return found


def refused(text: str, **changed: Any) -> tuple[CloseCode, str]:
    found = verdict(authentication(**changed), text)
    assert isinstance(found, RefusedToken), found
    return found.code, found.reason


def test_without_secret_and_key_set_there_is_no_authentication() -> None:
    assert make_authentication(load(environment={})) is None


def test_every_claim_is_read() -> None:
    grant = granted(
        token(
            exp=4_000_000_000,
            workspace=["5069", "5070"],
            app="desk",
            extension="5069",
            publish=["Notes", "Cisco/*/SetHOLD"],
            subscribe=["*"],
            roles=["host", "admin"],
            apps=["notes", "weather"],
            origins=["https://*.example.com", "null"],
        )
    )

    assert grant == Grant(
        subject="alice",
        expires_at=4_000_000_000,
        workspaces=("5069", "5070"),
        app="desk",
        extension="5069",
        publish=(Pattern.parse("Notes"), Pattern.parse("Cisco/*/SetHOLD")),
        subscribe=(Pattern.parse("*"),),
        roles=frozenset({Role.HOST}),
        apps=frozenset({"notes", "weather"}),
        origins=("https://*.example.com", "null"),
    )


def test_a_token_that_says_little_grants_nothing() -> None:
    grant = granted(token(workspace=None, app=None, roles=None))

    assert grant == Grant(subject="alice", expires_at=grant.expires_at)


NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"exp": NOW - 4.9}, None),
        ({"exp": NOW - 5}, "the token has expired; come back with a new one"),
        ({"exp": NOW + 60, "nbf": NOW + 5, "iat": NOW + 5}, None),
        ({"exp": NOW + 60, "nbf": NOW + 5.1}, "the token is not valid yet"),
        ({"exp": NOW + 60, "iat": NOW + 5.1}, "the token is not valid yet"),
    ],
)
def test_clocks_may_differ_by_five_seconds(times: dict[str, float], expected: str | None) -> None:
    at_that_time = Authentication(SecretKey(SecretStr(SECRET)), now=lambda: float(NOW))

    found = verdict(at_that_time, token(**times))

    if expected is None:
        assert isinstance(found, Grant)
        assert found.expires_at == times["exp"]
    else:
        expired = "expired" in expected
        assert found == RefusedToken(CloseCode.TOKEN_EXPIRED if expired else CloseCode.UNAUTHENTICATED, expected)


def test_the_clock_is_that_of_the_world() -> None:
    assert refused(token(exp=int(time.time()) - 60))[0] is CloseCode.TOKEN_EXPIRED
    assert refused(token(nbf=int(time.time()) + 60))[0] is CloseCode.UNAUTHENTICATED


def test_an_expired_token_of_another_issuer_need_not_be_renewed() -> None:
    stranger = token(exp=1, iss="https://other.example")

    assert refused(stranger, jwt_issuer="https://issuer.example")[0] is CloseCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a",
        "a.b.c",
        "....",
        "é" * 10,
        "\ud800.\ud800.\ud800",
        unsigned({"alg": "none"}, claims()),
        unsigned({"alg": "None"}, claims()),
        unsigned({"alg": "HS256"}, claims()),
        unsigned({}, claims()),
        unsigned({"alg": ["HS256"]}, claims()),
        unsigned({"alg": "HS256", "kid": 7}, claims()),
        jwt.encode(claims(), SECRET + "!", algorithm="HS256"),
        jwt.encode(claims(), SECRET, algorithm="HS512"),
        jwt.encode(claims(), SECRET, algorithm="HS256", headers={"crit": ["b64"], "b64": False}),
        jwt.encode(claims(), SECRET, algorithm="HS256", headers={"crit": ["exp"]}),
        token() + "x",
        token().rpartition(".")[0] + ".",
        token(exp=None),
        token(sub=None),
        "x" * (TOKEN_CHARACTERS + 1),
    ],
    ids=lambda _: "token",
)
def test_what_is_no_good_token_opens_nothing(bad: str) -> None:
    code, reason = refused(bad)

    assert code is CloseCode.UNAUTHENTICATED
    assert len(bad) < 10 or bad not in reason


def well_signed(header: dict[str, Any]) -> str:
    """Sign by HS256 and the right secret, whatever the header says."""
    signing_input = unsigned(header, claims()).rpartition(".")[0]
    signature = jwt.get_algorithm_by_name("HS256").sign(signing_input.encode(), SECRET.encode())
    return unsigned(header, claims(), signature)


@pytest.mark.parametrize("said", ["HS512", "RS256", "none", "hs256"])
def test_an_algorithm_that_the_key_has_not_is_refused_even_over_a_good_signature(said: str) -> None:
    assert granted(well_signed({"alg": "HS256"})).subject == "alice"
    assert refused(well_signed({"alg": said})) == (CloseCode.UNAUTHENTICATED, "the token's signature is not good")


def test_an_extension_of_the_format_is_refused_even_if_the_library_knows_it() -> None:
    assert refused(well_signed({"alg": "HS256", "crit": ["b64"], "b64": True})) == (
        CloseCode.UNAUTHENTICATED,
        "the token asks for an extension that is not known here",
    )


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("sub", None),
        ("sub", ""),
        ("sub", 7),
        ("sub", "x" * 257),
        ("exp", None),
        ("exp", "tomorrow"),
        ("exp", "4000000000"),
        ("exp", True),
        ("exp", -1),
        ("exp", 1e300),
        ("exp", float("inf")),
        ("exp", float("nan")),
        ("exp", 10**400),
        ("exp", 1_700_000_000_000),
        ("nbf", "yesterday"),
        ("nbf", float("inf")),
        ("iat", []),
        ("iat", 10**400),
        ("workspace", "a b"),
        ("workspace", ["ok", "*"]),
        ("workspace", {"a": 1}),
        ("workspace", ["w"] * 257),
        ("app", "grün"),
        ("app", "x" * 129),
        ("app", 7),
        ("extension", 5069),
        ("extension", "50 69"),
        ("publish", "Notes"),
        ("publish", ["a/b/c/d"]),
        ("publish", [""]),
        ("subscribe", ["Notes\n"]),
        ("subscribe", {"Notes": True}),
        ("roles", "widget"),
        ("roles", [1]),
        ("apps", ["\n"]),
        ("origins", ["desk.example.com"]),
        ("origins", ["https://desk.example.com/"]),
        ("origins", ["https://*.*.example.com"]),
    ],
)
def test_a_claim_that_is_not_what_it_must_be_is_named(claim: str, value: Any) -> None:
    assert refused(token(**{claim: value})) == (
        CloseCode.UNAUTHENTICATED,
        f"the claim {claim} is missing or not what it must be",
    )


@pytest.mark.parametrize("name", ["iss", "aud", "jti", "scope", "cnf"])
@pytest.mark.parametrize("value", [7, [], {"a": [1]}, "other"], ids=str)
def test_what_the_bridge_is_not_told_to_look_at_is_the_issuers_own_affair(name: str, value: Any) -> None:
    payload = json.dumps(claims(**{name: value})).encode()

    assert granted(jwt.api_jws.encode(payload, SECRET, algorithm="HS256")).subject == "alice"


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b'"text"', b"{", b"\xff", b"[" * 4000, b'{"exp":' + b"9" * 5000 + b"}"]
)
def test_claims_that_are_no_object_are_malformed(payload: bytes) -> None:
    signed = jwt.api_jws.encode(payload, SECRET, algorithm="HS256")

    assert refused(signed) == (CloseCode.UNAUTHENTICATED, "the token is malformed")


def test_issuer_and_audience_are_compared_where_that_is_asked_for() -> None:
    both = {"jwt_issuer": "https://issuer.example", "jwt_audience": "bridge"}
    good = token(iss="https://issuer.example", aud=["bridge", "other"])

    assert granted(good, **both).subject == "alice"
    assert granted(good).subject == "alice"
    assert refused(token(iss="https://other.example", aud="bridge"), **both)[1] == "the token is of another issuer"
    assert refused(token(iss="https://issuer.example", aud="other"), **both)[1].endswith("another audience")
    for name, without in (("iss", token(aud="bridge")), ("aud", token(iss="https://issuer.example"))):
        assert refused(without, **both) == (
            CloseCode.UNAUTHENTICATED,
            f"the claim {name} is missing or not what it must be",
        )


@given(
    st.one_of(st.text(st.characters(), max_size=200), st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
)
def test_any_text_is_answered_once_and_never_raises(text: str) -> None:
    assert isinstance(verdict(authentication(), text), RefusedToken)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from([*Claims.model_fields, "iss", "aud", "jti"]),
        json_values,
        max_size=6,
    )
)
def test_any_claims_are_answered_once_and_never_raise(strange: dict[str, Any]) -> None:
    payload = jwt.api_jws.encode(json.dumps({**claims(), **strange}).encode(), SECRET, algorithm="HS256")

    assert isinstance(verdict(authentication(), payload), Grant | RefusedToken)


def test_no_token_and_no_secret_shows_in_any_text() -> None:
    made = authentication()

    for text in (repr(made), str(vars(made)), repr(vars(made._keys)), repr(settings()), str(settings().model_dump())):
        assert SECRET not in text


MARK = "not-for-the-eyes-of-others"


@pytest.mark.parametrize(
    "bad",
    [
        MARK,
        f"{MARK}.{MARK}.{MARK}",
        unsigned({"alg": MARK, "kid": MARK}, claims(sub=MARK)),
        unsigned({"alg": "HS256", MARK: MARK}, {MARK: MARK}),
        jwt.encode(claims(sub=MARK), SECRET + "!", algorithm="HS256"),
        token(sub=MARK, exp=1),
        token(sub=MARK, nbf=4_000_000_000),
        token(sub=MARK, exp=[MARK]),
        token(sub=MARK, iat=MARK),
        token(sub=MARK, iss=MARK, aud=MARK),
        token(sub=[MARK]),
        token(workspace=[f"{MARK} {MARK}"]),
        token(publish=[f"{MARK}/a/b/c/d"]),
        token(origins=[MARK]),
        token(app=f"{MARK}\n"),
    ],
    ids=lambda _: "token",
)
def test_a_refusal_shows_nothing_of_the_token_in_reason_or_log(bad: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with structlog.testing.capture_logs() as lines:
        found = refused(bad, jwt_issuer="https://issuer.example", jwt_audience="bridge")

    for part in filter(None, (MARK, *bad.split("."))):
        assert part not in f"{found} {lines} {caplog.text}"


def test_a_fault_on_the_way_shows_nothing_of_the_token_in_its_traceback() -> None:
    class BrokenError(Exception):
        pass

    def broken(_answer: Grant | RefusedToken) -> None:
        raise BrokenError

    text = token(sub=MARK)
    with pytest.raises(BrokenError) as caught:
        authentication().check(text, broken)

    shown = "".join(traceback.format_exception(caught.value))
    assert "BrokenError" in shown
    assert not any(part in shown for part in (MARK, SECRET, *text.split(".")))

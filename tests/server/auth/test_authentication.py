"""What makes a token good, and every way in which one may be bad."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.broker.identity import Grant, Role
from bridge.broker.tokens import RefusedToken
from bridge.protocol.address import Pattern
from bridge.protocol.errors import CloseCode
from bridge.server.auth import make_authentication
from bridge.server.auth.authentication import TOKEN_CHARACTERS
from bridge.settings import load
from tests.server.auth.tokens import SECRET, claims, settings, token, unsigned, verdict

if TYPE_CHECKING:
    from bridge.server.auth.authentication import Authentication


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


def test_clocks_may_differ_by_five_seconds() -> None:
    now = int(time.time())

    assert granted(token(exp=now - 3)).subject == "alice"
    assert granted(token(nbf=now + 3, iat=now + 3)).subject == "alice"
    assert refused(token(exp=now - 7))[0] is CloseCode.TOKEN_EXPIRED
    assert refused(token(nbf=now + 9)) == (CloseCode.UNAUTHENTICATED, "the token is not valid yet")


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a",
        "a.b.c",
        "....",
        "é" * 10,
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


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("sub", ""),
        ("sub", "x" * 257),
        ("exp", 1e300),
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
    ],
)
def test_a_claim_that_is_not_what_it_must_be_is_named(claim: str, value: Any) -> None:
    assert refused(token(**{claim: value})) == (
        CloseCode.UNAUTHENTICATED,
        f"the claim {claim} is missing or not what it must be",
    )


def test_issuer_and_audience_are_compared_where_that_is_asked_for() -> None:
    both = {"jwt_issuer": "https://issuer.example", "jwt_audience": "bridge"}
    good = token(iss="https://issuer.example", aud=["bridge", "other"])

    assert granted(good, **both).subject == "alice"
    assert granted(good).subject == "alice"
    assert refused(token(iss="https://other.example", aud="bridge"), **both)[1] == "the token is of another issuer"
    assert refused(token(iss="https://issuer.example", aud="other"), **both)[1].endswith("another audience")
    assert refused(token(aud="bridge"), **both)[0] is CloseCode.UNAUTHENTICATED
    assert refused(token(iss="https://issuer.example"), **both)[0] is CloseCode.UNAUTHENTICATED


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))))
def test_any_text_is_answered_once_and_never_raises(text: str) -> None:
    assert isinstance(verdict(authentication(), text), RefusedToken)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["sub", "exp", "nbf", "iat", "iss", "aud", "workspace", "app", "extension", "roles", "origins"]
        ),
        json_values,
        max_size=6,
    )
)
def test_any_claims_are_answered_once_and_never_raise(strange: dict[str, Any]) -> None:
    payload = jwt.api_jws.encode(json.dumps({**claims(), **strange}).encode(), SECRET, algorithm="HS256")

    assert isinstance(verdict(authentication(), payload), Grant | RefusedToken)


def test_no_token_and_no_secret_shows_in_any_text() -> None:
    made = authentication()

    for text in (repr(made), str(vars(made)), repr(vars(made._keys))):
        assert SECRET not in text

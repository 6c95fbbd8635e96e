"""Tokens on the command line: issued, taken from files, asked about, and never shown."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jwt
import pytest
import trustme

from bridge.command_line.access import access
from tests.command_line.terminal import Finished, run, run_on_a_terminal, serving
from tests.server.auth.tokens import SECRET

SIGNED = {"BRIDGE_JWT_SECRET": SECRET}
OFFER = ("publish", "Simulator/Call/Offer", '{"fromAddress":"+15550100"}', "--wait")


async def issue(*options: str, **environment: str) -> Finished:
    return await run("token", *options, **{**SIGNED, **environment})


def read(text: str, **options: Any) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(text.strip(), SECRET, algorithms=["HS256"], **options)
    return claims


async def test_a_token_says_what_the_options_say() -> None:
    done = await issue(
        *("--workspace", "5069", "--workspace", "5070", "--subject", "jdoe", "--app", "notes", "--extension", "5069"),
        *("--role", "gadget", "--role", "host", "--publish", "Notes", "--subscribe", "Cisco/InboundCall"),
        *("--apps", "weather", "--origin", "https://desk.example.com", "--ttl", "60", "--show"),
    )

    claims = read(done.out)
    assert done.out.count("\n") == 1
    assert claims.pop("exp") - claims.pop("iat") == 60
    assert claims == {
        "sub": "jdoe",
        "workspace": ["5069", "5070"],
        "app": "notes",
        "extension": "5069",
        "roles": ["gadget", "host"],
        "publish": ["Notes"],
        "subscribe": ["Cisco/InboundCall"],
        "apps": ["weather"],
        "origins": ["https://desk.example.com"],
    }
    assert json.loads(done.err)["sub"] == "jdoe"
    assert SECRET not in done.err


async def test_issuer_and_audience_are_those_of_the_bridge(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text(f'jwt_secret = "{SECRET}"\njwt_issuer = "https://issuer.example"\njwt_audience = "bridge"\n')

    done = await run("token", "--config", str(config))

    claims = read(done.out, audience="bridge", issuer="https://issuer.example")
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("developer", 28_800)


@pytest.mark.parametrize(
    ("options", "environment", "complaint"),
    [
        ((), {"BRIDGE_JWT_SECRET": ""}, "JWT_SECRET"),
        ((), {"BRIDGE_JWT_SECRET": "short"}, "JWT_SECRET: shorter than 32 bytes"),
        (("--role", "boss"), {}, "there is no role 'boss'; the roles are widget, gadget, host"),
        (("--publish", "a/b/c/d"), {}, "a pattern has at most three segments"),
        (("--ttl", "0"), {}, "--ttl"),
        (("--ttl", "9999999999999"), {}, "the bridge would refuse it: the claim exp is"),
        (("--app", "grün"), {}, "the claim app is"),
        (("--workspace", "a b"), {}, "the claim workspace is"),
        (("--extension", ""), {}, "the claim extension is"),
        (("--subject", ""), {}, "the claim sub is"),
        (("--origin", "desk.example.com"), {}, "the claim origins is"),
        (("--apps", "weather") * 257, {}, "the claim apps is"),
    ],
)
async def test_what_cannot_be_issued_is_told(
    options: tuple[str, ...], environment: dict[str, str], complaint: str
) -> None:
    done = await issue(*options, **environment)

    assert (done.code, done.out) == (2, "")
    assert complaint in " ".join(done.err.split())
    assert SECRET not in done.err


@pytest.mark.parametrize(
    ("options", "notes"),
    [
        ((), ["it opens no session: name a --workspace", "it allows nothing: give it a --role"]),
        (("--role", "widget"), ["it opens no session"]),
        (("--workspace", "5069", "--role", "host"), ["it allows nothing"]),
        (("--workspace", "5069", "--subscribe", "Notes"), []),
        (("--role", "server"), []),
        (("--role", "operator"), []),
    ],
)
async def test_a_token_that_is_of_no_use_is_issued_with_a_note(options: tuple[str, ...], notes: list[str]) -> None:
    done = await issue(*options)

    assert (done.code, read(done.out)["sub"]) == (0, "developer")
    said = done.err.splitlines()
    assert len(said) == len(notes)
    assert all(note in line for note, line in zip(notes, said, strict=True))


async def test_without_a_secret_it_is_told_how_to_make_one() -> None:
    done = await run("token")
    assert done.code == 2
    assert "export BRIDGE_JWT_SECRET=$(openssl rand -hex 32)" in done.err
    keys = await run("token", BRIDGE_JWKS_URL="https://issuer.example/keys")
    assert "tokens come from your identity provider" in keys.err


async def test_the_commands_take_the_token_from_a_file_or_the_environment(tmp_path: Path) -> None:
    token = (await issue("--workspace", "5070", "--role", "widget")).out
    file = tmp_path / "desk.token"
    file.write_text(token)
    async with serving(settings={"BRIDGE_OPEN_SECONDS": "1", **SIGNED}) as (_, url):
        without = await run(*OFFER, "--url", url)
        assert without.code == 3
        assert "4408 open timeout: no token came within OPEN_SECONDS" in without.err
        from_file = await run(*OFFER, "--url", url, "--token-file", str(file))
        assert (from_file.code, from_file.replies[-1]["subtopic"]) == (0, "Completed")
        from_environment = await run(*OFFER, "--url", url, BRIDGE_TOKEN=token.strip())
        assert from_environment.code == 0
        wrong = await run(*OFFER, "--url", url, "--token-file", str(file), "--workspace", "5071")
        assert wrong.code == 3
        assert "4403 forbidden: the token is not for this workspace" in wrong.err
        assert token.strip() not in without.err + from_file.out + from_file.err + wrong.err


def test_the_file_is_read_anew_for_each_token(tmp_path: Path) -> None:
    file = tmp_path / "desk.token"
    file.write_text("one\n")
    token = access("ws://127.0.0.1/ws", None, "test", file, None).token
    assert callable(token)
    assert token() == "one"
    file.write_text("two\n")
    assert token() == "two"
    file.write_text("")
    with pytest.raises(ValueError, match="that is no token"):
        token()


def test_a_pipe_gives_its_token_once() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one\n")
    os.close(writing)
    try:
        assert access("ws://127.0.0.1/ws", None, "test", Path(f"/dev/fd/{reading}"), None).token == "one"
    finally:
        os.close(reading)


async def test_a_file_without_a_token_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    (tmp_path / "words").write_text("not a token")
    for path, complaint in (
        (empty, "holds no token"),
        (tmp_path / "words", "holds no token"),
        (tmp_path / "none", "No such file"),
    ):
        done = await run("listen", "--token-file", str(path))
        assert done.code == 2
        assert complaint in done.err
        assert "not a token" not in done.err
    certificates = await run("listen", "--ca-file", str(empty))
    assert (certificates.code, "no certificate in PEM form" in certificates.err) == (2, True)


async def test_explain_tells_which_rule_decides(tmp_path: Path) -> None:
    file = tmp_path / "notes.token"
    file.write_text((await issue("--workspace", "5069", "--app", "notes", "--role", "gadget")).out)
    async with serving(settings=SIGNED) as (_, url):
        own = await run("explain", "publish", "notes/a/b", "--url", url, "--token-file", str(file))
        assert (own.code, own.replies[0]["rule"]) == (0, "gadget-own-channel")
        other = await run("explain", "subscribe", "Cisco", "--url", url, "--token-file", str(file))
        assert (other.code, other.replies[0]["allowed"], other.replies[0]["tried"][-1]) == (1, False, "default")
        nonsense = await run("explain", "publish", "Cisco", "--url", url, "--token-file", str(file))
        assert (nonsense.code, nonsense.out) == (2, "")
        assert "three segments" in nonsense.err


async def test_explain_marks_the_deciding_rule_for_a_person(tmp_path: Path) -> None:
    file = tmp_path / "notes.token"
    file.write_text((await issue("--workspace", "5069", "--subscribe", "Cisco/InboundCall")).out)
    async with serving(settings=SIGNED) as (_, url):
        way = ("--url", url, "--token-file", str(file))
        allowed = await run_on_a_terminal("explain", "subscribe", "Cisco/InboundCall", *way)
        refused = await run_on_a_terminal("explain", "subscribe", "Cisco", *way)
    first, *rules, last, where = allowed.out.splitlines()
    assert (allowed.code, allowed.err) == (0, "")
    assert first == "subscribe Cisco/InboundCall: allowed by the rule granted"
    assert rules
    assert all(rule.startswith("    ") and rule.endswith(": no opinion") for rule in rules)
    assert last == "  > granted: allows it"
    assert "docs/operations.md" in where
    assert (refused.code, refused.out.splitlines()[0]) == (1, "subscribe Cisco: refused by the rule default")
    assert refused.out.splitlines()[-3:-1] == ["    granted: no opinion", "  > default: refuses it"]


async def test_a_bridge_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    settings = {"BRIDGE_TLS_CERT_FILE": str(tmp_path / "cert.pem"), "BRIDGE_TLS_KEY_FILE": str(tmp_path / "key.pem")}
    async with serving(settings=settings) as (_, url):
        assert url.startswith("wss://")
        trusting = await run(*OFFER, "--url", url, "--ca-file", str(tmp_path / "ca.pem"))
        assert trusting.code == 0
        mistaken = await run(*OFFER, "--url", url.replace("wss", "ws"), "--ca-file", str(tmp_path / "ca.pem"))
        assert mistaken.code == 2
        assert "nothing is encrypted with ws://" in mistaken.err
        doubting = await run(*OFFER, "--url", url)
        assert doubting.code == 3
        assert "TLS failed" in doubting.err

"""The stream without sockets: what it says in which order, and that no server can make it stumble."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.finesse.xml import Element, parse
from bridge.calls.finesse.xmpp import XmppConflict, XmppError, XmppLost, XmppRefused
from tests.calls.finesse.xmpp.played import (
    CLIENT,
    CLOSE,
    JID,
    OPEN,
    PASSWORD,
    SASL,
    STANZA_ERRORS,
    STEPS,
    STREAMS,
    WIRES,
    Played,
    Wire,
    good_answers,
    message,
    negotiate,
    new_stream,
    sent,
    stream_error,
)

if TYPE_CHECKING:
    from bridge.calls.finesse.xmpp.stream import Stream

on_both_wires = pytest.mark.parametrize("wire", WIRES)

HUGE = f"<message {CLIENT}><body>{'x' * 1_100_000}</body></message>"
DEEP = "<a>" * 1000 + "</a>" * 1000

HOSTILE = {
    "a stream error": (stream_error("system-shutdown"), XmppLost, "system-shutdown"),
    "a conflict": (stream_error("conflict"), XmppConflict, "resource"),
    "a stream error that names nothing": (f"<stream:error {STREAMS}/>", XmppLost, "undefined-condition"),
    "XML that does not match": ("<a><b></a></b>", XmppLost, "cannot be read"),
    "a document type": ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", XmppLost, "cannot be read"),
    "a processing instruction": ("<?php evil ?>", XmppLost, "cannot be read"),
    "an unknown entity": ("<message>&nbsp;</message>", XmppLost, "cannot be read"),
    "too much": (HUGE, XmppLost, "bytes"),
    "too deep": (DEEP, XmppLost, "deep"),
    "no XML": ("\x00\xff\x00", XmppLost, "cannot be read"),
    "a control character": ("<message>\x01</message>", XmppLost, "cannot be read"),
}


def ready_stream(wire: Wire) -> Stream:
    stream = new_stream(wire)
    assert negotiate(stream, Played(wire)) == []
    assert stream.ready
    return stream


@on_both_wires
def test_a_stream_opens_signs_in_opens_again_binds_and_announces_presence(wire: Wire) -> None:
    stream, played = new_stream(wire), Played(wire)
    negotiate(stream, played)
    assert (stream.ready, stream.ended, stream.jid) == (True, None, JID)
    opening, auth, again, bind, session, presence = played.heard
    assert opening == again
    assert 'to="localhost"' in opening
    assert (
        auth == f'<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">{plain("1001001", PASSWORD)}</auth>'
    )
    assert "<resource>bridge</resource>" in bind
    assert "urn:ietf:params:xml:ns:xmpp-session" in session
    assert presence == '<presence xmlns="jabber:client"/>'


def plain(username: str, password: str) -> str:
    return base64.b64encode(f"\0{username}\0{password}".encode()).decode()


@on_both_wires
@pytest.mark.parametrize("session", ["", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>"])
def test_a_session_that_is_not_needed_is_not_asked_for(wire: Wire, session: str) -> None:
    features = f"<stream:features {STREAMS}><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>{session}</stream:features>"
    stream, played = new_stream(wire), Played(wire, {"features": features})
    negotiate(stream, played)
    assert stream.ready
    assert not any("xmpp-session" in text for text in played.heard)


def test_every_websocket_message_that_is_sent_is_a_document_of_its_own_and_declares_its_namespace() -> None:
    stream, played = new_stream("websocket"), Played("websocket")
    negotiate(stream, played)
    stream.ping()
    stream.goodbye()
    roots = [parse(text) for text in played.heard + sent(stream)]
    framing, sasl, client = "urn:ietf:params:xml:ns:xmpp-framing", "urn:ietf:params:xml:ns:xmpp-sasl", "jabber:client"
    assert [(root.name, root.namespace) for root in roots] == [
        ("open", framing),
        ("auth", sasl),
        ("open", framing),
        ("iq", client),
        ("iq", client),
        ("presence", client),
        ("iq", client),
        ("presence", client),
        ("close", framing),
    ]


def test_a_tcp_stream_is_ended_with_its_root() -> None:
    stream = ready_stream("tcp")
    stream.goodbye()
    assert sent(stream) == ['<presence xmlns="jabber:client" type="unavailable"/>', "</stream:stream>"]


def test_the_address_a_server_binds_is_ours_even_if_it_is_not_what_was_asked_for() -> None:
    stream = new_stream("tcp")
    negotiate(stream, Played("tcp", {"bound": good_answers("tcp")["bound"].replace("bridge", "x91")}))
    assert stream.jid == "1001001@localhost/x91"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 200])
def test_over_tcp_answers_in_pieces_of_any_size_give_the_same_stream(size: int) -> None:
    def cut(text: str) -> list[bytes]:
        data = text.encode()
        return [data[start : start + size] for start in range(0, len(data), size)]

    stream, played = new_stream("tcp"), Played("tcp")
    negotiate(stream, played, cut=cut)
    assert stream.ready
    whole = Played("tcp")
    negotiate(new_stream("tcp"), whole)
    assert played.heard == whole.heard


def test_a_message_cut_at_every_byte_is_one_message() -> None:
    data = message("\u00e4&amp;&#x1F600;").encode()
    for place in range(len(data)):
        stream = ready_stream("tcp")
        (whole,) = stream.feed(data[:place]) + stream.feed(data[place:])
        assert whole.value("body") == "\u00e4&\U0001f600"


@on_both_wires
@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("step", [*STEPS, "ready"])
def test_a_hostile_answer_at_any_step_ends_the_stream_with_a_documented_error(wire: Wire, kind: str, step: str) -> None:
    text, expected, words = HOSTILE[kind]
    if wire == "tcp" and step.startswith("open"):
        expected, words = XmppLost, "cannot be read"  # whatever it is, it is no root of a stream
    stream, played = new_stream(wire), Played(wire, {step: text})
    stanzas = negotiate(stream, played)
    if step == "ready":
        assert stream.ready
        stanzas = stream.feed(text)
    assert stanzas == []
    assert isinstance(stream.ended, expected)
    assert words in str(stream.ended)


@on_both_wires
@pytest.mark.parametrize("step", [*STEPS, "ready"])
def test_a_server_may_close_at_any_step(wire: Wire, step: str) -> None:
    ending = (OPEN[wire] if "open" in step and wire == "tcp" else "") + CLOSE[wire]
    stream = new_stream(wire)
    negotiate(stream, Played(wire, {step: ending}))
    if step == "ready":
        stream.feed(ending)
    assert isinstance(stream.ended, XmppLost)
    assert str(stream.ended) == "the server closed the stream"


@on_both_wires
def test_stanzas_before_a_conflict_are_told_and_nothing_after_it(wire: Wire) -> None:
    stream = ready_stream(wire)
    parts = [message("1"), message("2"), stream_error("conflict"), message("3")]
    stanzas = stream.feed("".join(parts)) if wire == "tcp" else [each for part in parts for each in stream.feed(part)]
    assert [each.value("body") for each in stanzas] == ["1", "2"]
    assert isinstance(stream.ended, XmppConflict)


@on_both_wires
@pytest.mark.parametrize(
    "condition", ["not-authorized", "account-disabled", "temporary-auth-failure", "credentials-expired"]
)
def test_credentials_are_tried_once_and_the_condition_of_the_refusal_is_told(wire: Wire, condition: str) -> None:
    failure = f"<failure {SASL}><text xml:lang='en'>{PASSWORD}</text><{condition}/></failure>"
    stream, played = new_stream(wire), Played(wire, {"success": failure})
    negotiate(stream, played)
    assert isinstance(stream.ended, XmppRefused)
    assert stream.ended.condition == condition
    assert stream.ended.passing == (condition == "temporary-auth-failure")
    assert str(stream.ended) == f"the notification service refused the credentials: {condition}"
    assert [text.startswith("<auth") for text in played.heard] == [False, True]


@on_both_wires
@pytest.mark.parametrize("text", ["", "<Weird-Name/>", f"<{'x' * 65}/>", "<not-authorized xmlns='urn:other'/>"])
def test_a_refusal_that_names_no_condition_is_a_refusal(wire: Wire, text: str) -> None:
    stream = new_stream(wire)
    negotiate(stream, Played(wire, {"success": f"<failure {SASL}>{text}</failure>"}))
    assert isinstance(stream.ended, XmppRefused)
    assert stream.ended.condition == "undefined-condition"


@on_both_wires
@pytest.mark.parametrize(
    "mechanisms",
    [
        "",
        f"<mechanisms {SASL}/>",
        f"<mechanisms {SASL}><mechanism>SCRAM-SHA-1</mechanism><mechanism>plain</mechanism></mechanisms>",
        "<mechanisms xmlns='urn:other'><mechanism>PLAIN</mechanism></mechanisms>",
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>",
    ],
)
def test_no_password_goes_to_a_server_that_does_not_offer_plain(wire: Wire, mechanisms: str) -> None:
    features = f"<stream:features {STREAMS}>{mechanisms}</stream:features>"
    stream, played = new_stream(wire), Played(wire, {"mechanisms": features})
    negotiate(stream, played)
    assert isinstance(stream.ended, XmppLost)
    assert str(stream.ended) == "the server does not offer SASL PLAIN"
    assert len(played.heard) == 1


@on_both_wires
@pytest.mark.parametrize(
    "wrong", ["<mechanism>PLAIN</mechanism>", message(), f"<challenge {SASL}/>", f"<success {SASL}/>"]
)
def test_a_server_that_speaks_out_of_turn_is_left(wire: Wire, wrong: str) -> None:
    stream, played = new_stream(wire), Played(wire, {"mechanisms": wrong})
    negotiate(stream, played)
    assert isinstance(stream.ended, XmppLost)
    assert str(stream.ended) == "the server spoke out of turn, in step MECHANISMS"
    assert len(played.heard) == 1


def test_what_comes_with_the_success_belongs_to_no_stream() -> None:
    stream = new_stream("tcp")
    negotiate(stream, Played("tcp", {"success": f"<success {SASL}/>{message()}"}))
    assert isinstance(stream.ended, XmppLost)
    assert str(stream.ended) == "the server spoke out of turn, in step REOPENING"


@on_both_wires
@pytest.mark.parametrize(
    ("step", "answer", "told"),
    [
        ("features", f"<stream:features {STREAMS}/>", "the server does not offer to bind a resource"),
        ("bound", f"<iq {CLIENT} type='result' id='bind'/>", "the server bound a resource and did not say which"),
        (
            "bound",
            f"<iq {CLIENT} type='result' id='x'/>",
            "the server answered something else when asked to bind the resource",
        ),
        (
            "bound",
            f"<iq {CLIENT} type='error' id='bind'><error type='cancel'><not-allowed {STANZA_ERRORS}/></error></iq>",
            "the server refused to bind the resource: not-allowed",
        ),
        (
            "bound",
            f"<iq {CLIENT} type='error' id='bind'/>",
            "the server refused to bind the resource: undefined-condition",
        ),
        (
            "session",
            f"<iq {CLIENT} type='error' id='session'><error type='wait'><forbidden {STANZA_ERRORS}/></error></iq>",
            "the server refused to begin a session: forbidden",
        ),
        ("open", "<stream:stream xmlns:stream='urn:other' version='1.0'>", None),
        ("open", "<html>", None),
    ],
)
def test_a_server_that_cannot_do_what_is_needed_is_left_and_it_is_said_why(
    wire: Wire, step: str, answer: str, told: str | None
) -> None:
    stream = new_stream(wire)
    negotiate(stream, Played(wire, {step: answer}))
    assert isinstance(stream.ended, XmppLost)
    assert told is None or str(stream.ended) == told


@on_both_wires
@pytest.mark.parametrize("version", ["", "version='0.9'", "version='2.0'"])
def test_a_server_of_another_version_is_left(wire: Wire, version: str) -> None:
    stream = new_stream(wire)
    negotiate(stream, Played(wire, {"open": OPEN[wire].replace("version='1.0' from", f"{version} from")}))
    assert isinstance(stream.ended, XmppLost)
    assert str(stream.ended) == "the server does not speak XMPP 1.0"


@on_both_wires
def test_a_resource_that_another_session_keeps_is_a_conflict(wire: Wire) -> None:
    error = f"<iq {CLIENT} type='error' id='bind'><error type='cancel'><conflict {STANZA_ERRORS}/></error></iq>"
    stream = new_stream(wire)
    negotiate(stream, Played(wire, {"bound": error}))
    assert isinstance(stream.ended, XmppConflict)


def test_a_websocket_server_that_names_another_address_is_not_followed() -> None:
    stream = new_stream("websocket")
    elsewhere = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://evil.example/ws'/>"
    negotiate(stream, Played("websocket", {"mechanisms": elsewhere}))
    assert isinstance(stream.ended, XmppLost)
    assert str(stream.ended) == "the server closed the stream and named another address"


def test_a_second_open_and_an_unknown_frame_are_refused() -> None:
    for frame in (OPEN["websocket"], "<hello xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"):
        stream = ready_stream("websocket")
        stream.feed(frame)
        assert isinstance(stream.ended, XmppLost)


def test_a_binary_message_is_refused_and_an_empty_one_does_no_harm() -> None:
    stream = ready_stream("websocket")
    assert stream.feed("") == stream.feed(" \n") == []
    assert stream.ended is None
    stream.feed(message().encode())
    assert str(stream.ended) == "the server sent what cannot be read: a binary message (RFC 7395 section 3.2)"


def test_a_websocket_stanza_may_lack_its_namespace() -> None:
    stream = ready_stream("websocket")
    assert [each.name for each in stream.feed("<message/>") + stream.feed("<presence/>")] == ["message", "presence"]


@on_both_wires
def test_stanzas_of_another_namespace_and_unknown_elements_are_passed_over(wire: Wire) -> None:
    stream = ready_stream(wire)
    for text in (message(namespace="jabber:server"), "<a xmlns='urn:xmpp:sm:3'/>", f"<stream:features {STREAMS}/>"):
        assert stream.feed(text) == []
    assert (stream.ended, sent(stream)) == (None, [])


@on_both_wires
def test_a_ping_from_the_server_is_answered(wire: Wire) -> None:
    stream = ready_stream(wire)
    stream.feed(f"<iq {CLIENT} type='get' id='p&lt;1' from='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert sent(stream) == ['<iq xmlns="jabber:client" type="result" id="p&lt;1" to="localhost"/>']


@on_both_wires
@pytest.mark.parametrize("kind", ["get", "set"])
def test_any_other_request_is_answered_with_service_unavailable(wire: Wire, kind: str) -> None:
    stream = ready_stream(wire)
    assert stream.feed(f"<iq {CLIENT} type='{kind}' id='r1'><query xmlns='jabber:iq:roster'/></iq>") == []
    (answer,) = (parse(text) for text in sent(stream))
    assert answer.attributes == {"type": "error", "id": "r1"}
    error = answer.child("error")
    assert error is not None
    assert [(each.name, each.namespace) for each in error.children] == [
        ("service-unavailable", "urn:ietf:params:xml:ns:xmpp-stanzas")
    ]


@on_both_wires
@pytest.mark.parametrize("kind", ["result", "error", "", "strange"])
def test_answers_that_were_not_asked_for_are_passed_over(wire: Wire, kind: str) -> None:
    stream = ready_stream(wire)
    stream.ping()
    sent(stream)
    stream.feed(f"<iq {CLIENT} type='{kind}' id='ping-7'/>")
    assert sent(stream) == []
    assert stream.pinging


@on_both_wires
@pytest.mark.parametrize("kind", ["result", "error"])
def test_our_ping_goes_to_the_server_and_any_answer_to_it_is_a_sign_of_life(wire: Wire, kind: str) -> None:
    stream = ready_stream(wire)
    stream.ping()
    (ping,) = (parse(text) for text in sent(stream))
    assert ping.attributes == {"type": "get", "id": "ping-1", "to": "localhost"}
    assert ping.child("ping") is not None
    assert stream.pinging
    stream.feed(f"<iq {CLIENT} type='{kind}' id='ping-1'/>")
    assert not stream.pinging


@pytest.mark.parametrize(("username", "password"), [("a", "b\0c"), ("a\0", "b"), ("a", ""), ("", "b"), ("a", "\ud800")])
def test_what_plain_cannot_carry_is_refused_before_any_server_is_asked(username: str, password: str) -> None:
    with pytest.raises(XmppRefused) as refused:
        new_stream("tcp", username=username, password=password)
    assert refused.value.condition == "malformed-request"


@pytest.mark.parametrize("resource", ["", "desktop"])
def test_a_resource_is_needed_and_finesses_own_is_not_taken(resource: str) -> None:
    with pytest.raises(ValueError, match="'desktop'"):
        new_stream("tcp", resource=resource)


@on_both_wires
def test_the_password_is_in_no_repr_and_is_forgotten_when_it_was_sent(wire: Wire) -> None:
    stream = new_stream(wire)
    assert PASSWORD not in repr(stream)
    negotiate(stream, Played(wire))
    held = [getattr(stream, name) for name in stream.__slots__]
    assert PASSWORD not in repr(held)
    assert not any(hasattr(each, "get_secret_value") for each in held)


VOCABULARY = [
    *good_answers("tcp").values(),
    *good_answers("websocket").values(),
    *CLOSE.values(),
    *(text for text, _, _ in HOSTILE.values() if len(text) < 1000),
    message(),
    message(namespace="urn:other"),
    f"<failure {SASL}><not-authorized/></failure>",
    f"<iq {CLIENT} type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    f"<iq {CLIENT} type='result' id='ping-1'/>",
    f"<iq {CLIENT} type='error' id='bind'><error><conflict {STANZA_ERRORS}/></error></iq>",
    "<iq/>",
    " ",
]

pieces = st.lists(
    st.one_of(
        st.sampled_from(VOCABULARY),
        st.tuples(st.sampled_from(VOCABULARY), st.integers(0, 200)).map(lambda pair: pair[0][: pair[1]]),
        st.text(max_size=20),
        st.binary(max_size=20),
    ),
    max_size=20,
)


@on_both_wires
@given(good=st.integers(0, 9), data=pieces)
def test_whatever_arrives_nothing_is_raised_and_the_password_is_sent_at_most_once(
    wire: Wire, good: int, data: list[str | bytes]
) -> None:
    stream = new_stream(wire)
    stream.begin()
    told: list[Element] = []
    for piece in [*list(good_answers(wire).values())[:good], *data]:
        ready = stream.ready
        ended = stream.ended
        stanzas = stream.feed(piece)
        assert not stanzas or ready or stream.ready
        assert ended is None or (stream.ended is ended and not stanzas)
        told += stanzas
    outgoing = sent(stream)
    assert stream.ended is None or isinstance(stream.ended, XmppError)
    assert sum(text.startswith("<auth") for text in outgoing) <= 1
    assert {each.name for each in told} <= {"message", "presence"}
    assert plain("1001001", PASSWORD) not in str(stream.ended)
    for text in outgoing:
        assert text.startswith("<?xml") or parse(text).name in {"open", "auth", "iq", "presence"}


@given(data=st.data())
def test_over_tcp_any_split_of_a_whole_life_gives_the_same_stanzas(data: st.DataObject) -> None:
    def cut(text: str) -> list[bytes]:
        whole = text.encode()
        places = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=6)))
        return [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]

    stream = new_stream("tcp")
    negotiate(stream, Played("tcp"), cut=cut)
    assert stream.ready
    live = "".join(message(str(number)) for number in range(5)) + stream_error("conflict")
    stanzas = [each for piece in cut(live) for each in stream.feed(piece)]
    # Limits count per stanza, so what is told never depends on the pieces; only an error takes its own piece with it.
    assert [each.value("body") for each in stanzas] == list("01234")
    assert isinstance(stream.ended, XmppConflict)
    assert re.fullmatch(r".*resource", str(stream.ended))

"""The XML reader under all that hypothesis thinks of: what was written is read, and only ``XmlError`` is raised."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.calls.finesse.notifications import read_notices
from bridge.calls.finesse.xml import Element, Limits, StreamClosed, StreamOpened, StreamParser, XmlError, parse
from bridge.calls.finesse.xml import element as write
from tests.calls.finesse.shapes import fixture_bytes, fixture_names

if TYPE_CHECKING:
    from bridge.calls.finesse.xml import Markup, StreamEvent

LIMITS = Limits(bytes=50_000, depth=12, elements=400)

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True).filter(lambda name: name.lower() != "xmlns")
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff", min_codepoint=32), max_size=20
)
texts |= st.sampled_from(
    ["", " ", "\t\r\n", "\r", "]]>", "<![CDATA[", "&amp;", "&lt;a&gt;", "<!-- -->", "<?a?>", "é🙂"]
)


def trees() -> st.SearchStrategy[Element]:
    def make(children: st.SearchStrategy[list[Element]]) -> st.SearchStrategy[Element]:
        return st.builds(
            Element,
            name=names,
            attributes=st.dictionaries(names.filter(lambda name: name != "namespace"), texts, max_size=3),
            children=children,
            text=texts,
        )

    return st.recursive(make(st.builds(list)), lambda children: make(st.lists(children, max_size=3)), max_leaves=12)


def written(tree: Element) -> Markup:
    return write(tree.name, tree.text, *map(written, tree.children), **tree.attributes)


@given(trees())
def test_what_was_written_is_read(tree: Element) -> None:
    document = written(tree)

    assert parse(document) == tree
    assert parse(document.encode()) == tree


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def fed(pieces: list[bytes], limits: Limits = LIMITS) -> list[StreamEvent]:
    stream = StreamParser(limits)
    return [event for piece in pieces for event in stream.feed(piece)]


@given(st.lists(trees(), max_size=4), st.lists(st.integers(0, 10_000), max_size=20))
def test_stream_is_read_the_same_however_it_is_cut(stanzas: list[Element], places: list[int]) -> None:
    data = ("<?xml version='1.0'?><s id='1'>" + " ".join(map(written, stanzas)) + "</s>").encode()

    assert fed(cut(data, places)) == [StreamOpened("s", "", {"id": "1"}), *stanzas, StreamClosed()]


CORPUS = [fixture_bytes(name) for name in fixture_names()]
PARTS = [
    b"<!DOCTYPE a [<!ENTITY x 'y'>]>",
    b"<!ENTITY % x SYSTEM 'file:///x'>%x;",
    b"&x;",
    b"&#0;",
    b"&#x10FFFF;",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"-->",
    b"<?xml version='1.0' encoding='utf-16'?>",
    b"<?x?>",
    b"\0",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xed\xa0\x80",
    b"<",
    b">",
    b"</",
    b"/>",
    b"'",
    b'"',
    b"<a" * 50,
    b"<a>" * 50,
    b"</a>" * 50,
    b"<a a='" + b"x" * 20_000,
    b"x" * 60_000,
    b"<x xmlns:p='u'><p:x p:p='1'/></x>",
    b"<a xmlns='\x1f'/>",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """One of the fixtures, with bytes cut out, put in, doubled or moved."""
    data = draw(st.sampled_from(CORPUS))
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        middle = draw(st.one_of(st.sampled_from(PARTS), st.binary(max_size=8), st.just(data[start:end] * 2)))
        data = data[:start] + middle + data[end:]
    return data


documents = st.one_of(mutated(), st.binary(max_size=200), st.lists(st.sampled_from(PARTS)).map(b"".join))


def deepest(tree: Element) -> int:
    """Measure without recursion how deep a tree is."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for element in level for child in element.children]
    return depth


def holds_limits(tree: Element) -> bool:
    elements, waiting = 0, [tree]
    while waiting:
        elements += 1
        waiting += waiting.pop().children
    return elements <= LIMITS.elements and deepest(tree) <= LIMITS.depth


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(documents)
def test_document_is_read_or_refused_and_nothing_else(document: bytes) -> None:
    try:
        tree = parse(document, LIMITS)
    except XmlError as refusal:
        assert len(str(refusal)) < 120  # noqa: PT017 whether it is raised is up to the document
    else:
        assert holds_limits(tree)
        try:
            text = document.decode()
        except UnicodeDecodeError:
            pytest.fail("what is no UTF-8 was read")
        assert parse(text, LIMITS) == tree


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(documents, st.booleans(), st.lists(st.integers(0, 100_000), max_size=6))
def test_stream_is_read_or_refused_and_nothing_else(data: bytes, opened: bool, places: list[int]) -> None:  # noqa: FBT001
    stream = StreamParser(LIMITS)
    told: list[StreamEvent] = stream.feed(b"<s>") if opened else []
    try:
        for piece in cut(data, places):
            told += stream.feed(piece)
    except XmlError:
        with pytest.raises(XmlError):
            stream.feed(b" ")
    assert all(holds_limits(event) for event in told if isinstance(event, Element))
    assert not any(isinstance(event, StreamOpened) for event in told[1:])


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.one_of(mutated(), texts.map(str.encode)))
def test_notification_of_anything_is_read_or_refused(payload: bytes) -> None:
    text = payload.decode(errors="replace")
    notification = Element("notification", text=text)
    message = Element("message", children=[wrapped("event", wrapped("items", wrapped("item", notification)))])
    try:
        notices = read_notices(message)
    except XmlError as refusal:
        assert len(str(refusal)) < 120  # noqa: PT017
    else:
        assert isinstance(notices, tuple)


def wrapped(name: str, child: Element) -> Element:
    return Element(name, children=[child])

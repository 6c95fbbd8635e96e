"""The XML reader: what it reads, what it refuses, and that it holds its bounds."""

from __future__ import annotations

import contextlib
import gc
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from bridge.calls.finesse.xml import Element, Limits, Markup, StreamClosed, StreamOpened, StreamParser, XmlError, parse
from bridge.calls.finesse.xml import element as write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SECRET = "hunter2"

SMALL = Limits(bytes=20_000, depth=5, elements=100)


def test_element_has_names_attributes_children_and_text() -> None:
    root = parse(
        '<?xml version="1.0" encoding="UTF-8"?>\n<a xmlns="urn:a" x="1"> one <b>two</b><!-- not --> three </a>\n'
    )

    assert root == Element("a", "urn:a", {"x": "1"}, [Element("b", "urn:a", text="two")], " one  three ")


def test_prefixes_are_read_as_what_they_stand_for() -> None:
    root = parse('<p:a xmlns:p="urn:p" xmlns:q="urn:q" y="0" q:y="1" xml:lang="en"><q:a/></p:a>')

    assert (root.name, root.namespace) == ("a", "urn:p")
    assert root.attributes == {"y": "0", "{urn:q}y": "1", "{http://www.w3.org/XML/1998/namespace}lang": "en"}
    assert root.children == [Element("a", "urn:q")]


def test_children_are_found_by_name() -> None:
    root = parse("<a><b> 1 </b><c/><b>2</b><B>3</B></a>")

    assert root.child("c") == Element("c")
    assert root.child("d") is None
    assert [child.text for child in root.named("b")] == [" 1 ", "2"]
    assert [child.text for child in root.any_case("b")] == [" 1 ", "2", "3"]
    assert (root.value("b"), root.value("c"), root.value("d"), root.value("d", "x")) == ("1", "", "", "x")


def test_text_is_unescaped_once() -> None:
    assert parse("<a>&lt;b&gt;&amp;amp;&#65;<![CDATA[<c>]]></a>").text == "<b>&amp;A<c>"


def test_encoding_that_text_declares_is_past_and_ignored() -> None:
    assert parse('<?xml version="1.0" encoding="UTF-16"?><a>é</a>').text == "é"


def test_byte_order_mark_is_no_content() -> None:
    assert parse(b"\xef\xbb\xbf<a>1</a>").text == "1"


BILLION_LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "'
    + "&a;" * 10
    + '"><!ENTITY c "'
    + "&b;" * 10
    + '"><!ENTITY d "'
    + "&c;" * 10
    + '">]><l>'
    + "&d;" * 1000
    + "</l>"
)

REFUSED: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "no element found"),
    "white space": (" \n", "no element found"),
    "no XML": (SECRET, "syntax error"),
    "an HTML page": (f"<html><body><p>{SECRET}<br></body></html>", "mismatched tag"),
    "unclosed": (f"<a>{SECRET}", "no element found"),
    "cut off in a tag": (f"<a {SECRET}", "unclosed token"),
    "two roots": (f"<a/><{SECRET}/>", "junk after document element"),
    "an attribute twice": (f'<a {SECRET}="" {SECRET}=""/>', "duplicate attribute"),
    "an unbound prefix": (f"<{SECRET}:a/>", "unbound prefix"),
    "a document type": (f'<!DOCTYPE {SECRET} SYSTEM "file:///etc/hostname"><a/>', "a document type"),
    "billion laughs": (BILLION_LAUGHS, "a document type"),
    "an external entity": ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>', "a document type"),
    "a parameter entity": ('<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/">%x;]><a/>', "a document type"),
    "an unknown entity": (f"<a>&{SECRET};</a>", "undefined entity"),
    "an unknown entity in an attribute": (f'<a b="&{SECRET};"/>', "undefined entity"),
    "a processing instruction": (f"<a><?{SECRET} x?></a>", "a processing instruction"),
    "a style sheet": ('<?xml-stylesheet href="x"?><a/>', "a processing instruction"),
    "a null byte": (b"<a>\0</a>", "not well-formed"),
    "a null as a reference": ("<a>&#0;</a>", "reference to invalid character number"),
    "a control character": ("<a>\x1f</a>", "not well-formed"),
    "half a surrogate pair": ("<a>\ud800</a>", "a character that XML 1.0 cannot hold"),
    "broken UTF-8": (b"<a>\xc3(</a>", "not well-formed"),
    "Latin-1": (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>', "an encoding other than UTF-8"),
    "an encoding that Python decodes": (b'<?xml version="1.0" encoding="idna"?><a/>', "an encoding other than UTF-8"),
    "an encoding nobody knows": (b'<?xml version="1.0" encoding="x-none"?><a/>', "an encoding other than UTF-8"),
    "UTF-16 with a mark": ("<a/>".encode("utf-16"), "an encoding other than UTF-8"),
    "UTF-16 without a mark": ("<a/>".encode("utf-16-be"), "an encoding other than UTF-8"),
    "UTF-7": (b"+ADw-a/+AD4-", "not well-formed"),
    "too deep": ("<a>" * 33 + "</a>" * 33, "more than 32 deep"),
    "very deep": ("<a>" * 300_000, "more than 32 deep"),
    "too many elements": ("<a>" + "<b/>" * 20_000 + "</a>", "more than 20000 elements"),
    "too many bytes": ("<a>" + "b" * 1_048_576 + "</a>", "more than 1048576 bytes"),
    "too many bytes, few characters": ("<a>" + "é" * 600_000 + "</a>", "more than 1048576 bytes"),
    "an endless tag": ("<a " + " " * 500_000 + "/>", "a tag or comment of more than 16384 bytes"),
    "an endless attribute": ('<a b="' + "c" * 500_000 + '"/>', "a tag or comment of more than 16384 bytes"),
    "an endless comment": ("<a><!--" + "c" * 500_000 + "--></a>", "a tag or comment of more than 16384 bytes"),
    "too many names": ("<a>" + "".join(f"<a{n}/>" for n in range(10_000)) + "</a>", "too many different names"),
}


@pytest.mark.parametrize(("document", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_document_is_refused_with_a_reason_and_a_place_and_without_its_content(
    document: str | bytes, reason: str
) -> None:
    with pytest.raises(XmlError, match=reason) as refusal:
        parse(document)

    assert SECRET not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert len(str(refusal.value)) < 120


def test_what_just_fits_is_read() -> None:
    assert parse("<a>" * 32 + "</a>" * 32).name == "a"
    assert len(parse("<a>" + "<b/>" * 19_999 + "</a>").children) == 19_999
    assert len(parse("<a>" + "b" * 1_048_569 + "</a>").text) == 1_048_569


def test_repr_tells_no_content() -> None:
    root = parse(f'<a b="{SECRET}"><c>{SECRET}</c>{SECRET}</a>')
    (opened,) = StreamParser().feed(f"<stream id='{SECRET}'>".encode())

    assert repr(root) == "<Element a with 1 children>"
    assert SECRET not in repr(opened)


def test_reading_leaves_no_work_for_the_cycle_collector() -> None:
    def read(document: str) -> None:
        with contextlib.suppress(XmlError):
            parse(document)

    read("<a><b/></a>")
    read("<a><b></a>")
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(20):
            read("<a><b/></a>")
            read("<a><b></a>")
        assert len(gc.get_objects()) - before < 20
    finally:
        gc.enable()


# Streams.

STREAMS = "http://etherx.jabber.org/streams"
OPEN = f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='{STREAMS}' id='7'>".encode()


def feed_all(stream: StreamParser, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        stream.feed(piece)


def test_stream_tells_its_beginning_each_stanza_and_its_end() -> None:
    stream = StreamParser()

    assert stream.feed(OPEN + b" <iq/>") == [
        StreamOpened("stream", STREAMS, {"id": "7"}),
        Element("iq", "jabber:client"),
    ]
    assert stream.feed(b"\n<message><body>hel") == []
    assert stream.feed(b"lo</body></message>") == [
        Element("message", "jabber:client", children=[Element("body", "jabber:client", text="hello")])
    ]
    assert stream.feed(b"</stream:stream> ") == [StreamClosed()]


def test_stanza_is_told_with_its_last_byte() -> None:
    stream = StreamParser()
    stream.feed(OPEN)
    stanza = b"<message><body>" + b"x" * 5000 + b"</body></message>"

    told = [stream.feed(stanza[i : i + 1]) for i in range(len(stanza))]

    assert not any(told[:-1])
    assert len(told[-1]) == 1


@pytest.mark.parametrize("wrong", ["<!-- -->", "<?x y?>", "text", "<!DOCTYPE a>", "<a></b>", "\0", "&lt;"])
def test_stream_with_what_streams_must_not_have_is_over(wrong: str) -> None:
    stream = StreamParser()
    stream.feed(OPEN)

    with pytest.raises(XmlError):
        stream.feed(wrong.encode())
    with pytest.raises(XmlError, match="nothing can be read behind an error"):
        stream.feed(b"<iq/>")


def test_document_type_before_a_stream_is_refused_however_it_is_cut() -> None:
    data = BILLION_LAUGHS.encode()
    for size in (1, 7, 100_000):
        with pytest.raises(XmlError, match="a document type"):
            feed_all(StreamParser(), (data[i : i + size] for i in range(0, len(data), size)))


def test_limits_are_those_of_each_stanza() -> None:
    stream = StreamParser(SMALL)
    stream.feed(OPEN)
    fitting = b"<a>" + b"<b>text</b>" * 99 + b"</a>"

    for _ in range(100):
        assert len(stream.feed(fitting)) == 1
    with pytest.raises(XmlError, match="more than 100 elements"):
        stream.feed(b"<a>" + b"<b/>" * 100)


def test_depth_is_counted_from_the_stanza() -> None:
    stream = StreamParser(SMALL)
    stream.feed(OPEN)

    assert len(stream.feed(b"<a>" * 5 + b"</a>" * 5)) == 1
    with pytest.raises(XmlError, match="more than 5 deep"):
        stream.feed(b"<a>" * 6)


def test_white_space_that_keeps_a_connection_alive_costs_nothing_for_ever() -> None:
    stream = StreamParser(SMALL)
    stream.feed(OPEN)

    assert not any(stream.feed(b" " * 1000) for _ in range(1000))
    assert stream.feed(b"<iq/>") == [Element("iq", "jabber:client")]


def endless(unit: bytes, start: bytes = b"") -> Iterator[bytes]:
    yield OPEN + start
    for n in range(1_000_000):
        yield unit.replace(b"%d", str(n).encode())


ENDLESS: dict[str, Iterator[bytes]] = {
    "text": endless(b"text" * 100, b"<a>"),
    "one element": endless(b"<b>1</b>" * 10, b"<a>"),
    "names": endless(b"<a%d/>"),
    "attribute names": endless(b"<a a%d=''/>"),
    "prefixes": endless(b"<a xmlns:p%d='u'/>"),
    "prefixes of names": endless(b"<p%d:a xmlns:p%d='u'/>"),
    "namespaces": endless(b"<a xmlns='u%d'/>"),
    "an attribute": endless(b"c" * 100, b"<a b='"),
    "attributes": endless(b"a%d='' ", b"<a "),
    "a tag": endless(b" " * 100, b"<a"),
    "a name": endless(b"a" * 100, b"<a"),
    "character data": endless(b"x" * 100, b"<a><![CDATA["),
    "white space in a tag's end": endless(b" " * 100, b"<a></a"),
    "depth": endless(b"<a>"),
    "a reference": endless(b"0" * 100, b"<a>&#"),
}


@pytest.mark.parametrize("pieces", ENDLESS.values(), ids=ENDLESS.keys())
def test_endless_stream_is_given_up_soon_with_little_memory(pieces: Iterator[bytes]) -> None:
    stream = StreamParser(SMALL)
    tracemalloc.start()
    begun = time.process_time()
    try:
        with pytest.raises(XmlError):
            feed_all(stream, pieces)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2_000_000
    assert time.process_time() - begun < 5


def test_tag_that_comes_byte_by_byte_takes_no_quadratic_time() -> None:
    stream = StreamParser()
    stream.feed(OPEN)
    begun = time.process_time()

    with pytest.raises(XmlError, match="a tag or comment"):
        feed_all(stream, (bytes((byte,)) for byte in b"<a b='" + b">" * 1_000_000))

    assert time.process_time() - begun < 5


# Writing.


def test_element_is_written_with_everything_escaped() -> None:
    assert write("a") == "<a/>"
    assert write("a", "<&>\"'\r\n") == "<a>&lt;&amp;&gt;\"'&#13;\n</a>"
    assert write("a", b="<&>\"'\r\n\t") == '<a b="&lt;&amp;&gt;&quot;\'&#13;&#10;&#9;"/>'
    assert write("a", write("b", "1"), " & ", write("c")) == "<a><b>1</b> &amp; <c/></a>"
    assert write("p:a", namespace="urn:a", **{"xml:lang": "en", "id": None}) == '<p:a xmlns="urn:a" xml:lang="en"/>'


def test_only_what_was_written_here_is_not_escaped_again() -> None:
    inner = write("b")

    assert isinstance(inner, Markup)
    assert write("a", str(inner.lower())) == "<a>&lt;b/&gt;</a>"


@pytest.mark.parametrize("character", ["\0", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_character_that_xml_cannot_hold_is_not_written(character: str) -> None:
    with pytest.raises(XmlError, match="a character that XML"):
        write("a", character)
    with pytest.raises(XmlError, match="a character that XML"):
        write("a", b=character)


@pytest.mark.parametrize("name", ["", " ", "a b", "a>", "1", "a:b:c", ":a", "a/", "é", "a\n"])
def test_only_names_are_written_as_names(name: str) -> None:
    with pytest.raises(XmlError, match="not a name"):
        write(name)
    with pytest.raises(XmlError, match="not a name"):
        write("a", **{name: ""})

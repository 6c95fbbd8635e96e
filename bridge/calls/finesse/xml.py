"""XML, read safely and within bounds, and written correctly.

What comes from the network is XML that anyone might have made, so the reader knows less than XML allows:

* No document type, hence no entities but the five of XML itself, and nothing is ever fetched. No processing
  instructions. A stream has no comments either (RFC 6120 section 11.1 forbids all of these there); a document's are
  skipped.
* UTF-8 only (RFC 6120 section 11.6). What the declaration of a ``str`` says about its encoding means nothing any more
  and is ignored.
* Bytes, depth and number of elements are limited: in a stream for each stanza, and what the parser remembers beyond a
  stanza is limited too. Nothing here recurses.
* Whatever is wrong, ``XmlError`` is raised and nothing else. It says what and where and never quotes the content, which
  may hold a password or a customer's data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE = 16_384
"""Bytes given to expat at once. It starts anew at the beginning of an unfinished tag, so a tag may not be longer."""

_NAMES_BYTES = 262_144
"""Room for different names: expat keeps each for as long as it lives, and a stream lives for days."""

_NAME_OVERHEAD = 64
"""What a name costs beyond its characters, about."""

_SEPARATOR = "\x1f"
"""Between namespace, local name and prefix: a character that no XML 1.0 document can hold."""

_WHITE_SPACE = " \t\r\n"
_UTF_16 = (b"\x00", b"\xfe", b"\xff")  # one of these is in any beginning of UTF-16, none in UTF-8
_ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})

_NAME = re.compile(r"[A-Za-z_][\w.-]*(:[A-Za-z_][\w.-]*)?", re.ASCII)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_IN_ATTRIBUTE = {**_IN_TEXT, ord('"'): "&quot;", ord("\t"): "&#9;", ord("\n"): "&#10;"}


class XmlError(ValueError):
    """What was read is no XML, or more of it than is allowed; or what should be written cannot be XML."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much XML is read: of a whole document, or of each stanza of a stream."""

    bytes: int = 1_048_576
    depth: int = 32
    elements: int = 20_000


@dataclass(slots=True, repr=False)
class Element:
    """One element. Names are local names; an attribute that has a namespace is named ``{namespace}local``."""

    name: str
    namespace: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""
    """All character data directly inside, joined."""

    def __repr__(self) -> str:
        """Tell the name, never the content."""
        return f"<Element {self.name} with {len(self.children)} children>"

    def child(self, name: str) -> Element | None:
        """Return the first child with that local name, or ``None``."""
        for child in self.children:  # asked most of all, and half the time of ``next`` with a generator
            if child.name == name:
                return child
        return None

    def named(self, name: str) -> list[Element]:
        """Return all children with that local name."""
        return [child for child in self.children if child.name == name]

    def any_case(self, name: str) -> list[Element]:
        """Return all children with that local name, whichever of its letters are capitals."""
        lowered = name.lower()
        return [child for child in self.children if child.name.lower() == lowered]

    def value(self, name: str, default: str = "") -> str:
        """Return the text of the first child with that local name, stripped; ``default`` where there is none."""
        child = self.child(name)
        return default if child is None else child.text.strip()


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The start tag of the stream's root has come."""

    name: str
    namespace: str
    attributes: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """The end tag of the stream's root has come."""


StreamEvent = StreamOpened | Element | StreamClosed


class _Reader:
    """What documents and streams have in common: expat, told to refuse, and trees built under limits.

    An element with ``base`` elements around it is a whole result: a document itself, a stanza of a stream. ``found``
    collects these when they are complete, and of a stream its beginning and its end.
    """

    def __init__(self, limits: Limits, base: int) -> None:
        self.found: list[StreamEvent] = []
        self._limits = limits
        self._base = base
        self._depth = 0
        self._open: list[tuple[Element, list[str]]] = []
        self._elements = 0
        self._began = 0
        self._begun = False
        self._names: dict[str, tuple[str, str]] = {}
        self._names_left = _NAMES_BYTES
        self._heard = False
        self._silent = 0
        self._over = False
        # No interning by pyexpat: its table of names would grow for as long as the parser lives.
        self._parser = expat.ParserCreate("utf-8", _SEPARATOR, None)
        self._parser.namespace_prefixes = True
        self._parser.buffer_text = True
        if hasattr(self._parser, "SetReparseDeferralEnabled"):  # expat 2.6 would hold back a stanza that is complete
            self._parser.SetReparseDeferralEnabled(False)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartNamespaceDeclHandler = self._prefix
        self._parser.StartDoctypeDeclHandler = self._refuser("a document type")
        self._parser.ProcessingInstructionHandler = self._refuser("a processing instruction")

    def refuse_encodings(self) -> None:
        """Refuse a declaration of any encoding that is not UTF-8."""
        self._parser.XmlDeclHandler = self._declared

    def refuse_comments(self) -> None:
        """Refuse comments; they are skipped otherwise."""
        self._parser.CommentHandler = self._refuser("a comment")

    def read(self, data: bytes) -> None:
        """Read on.

        Raises:
            XmlError: Something is wrong, and this reader is of no more use.
        """
        position = 0
        while position < len(data):
            end = position + _PIECE
            if not self._begun:
                # Tag by tag until the root: expat would read on behind a document type that was just refused, and
                # expand its entities. So it is never given both.
                closed = data.find(b">", position, end)
                end = end if closed < 0 else closed + 1
            self._give(data[position:end], last=False)
            position = end

    def finish(self) -> None:
        """Note that no more will come.

        Raises:
            XmlError: There should have been more.
        """
        self._give(b"", last=True)
        self._close()

    def _give(self, piece: bytes, *, last: bool) -> None:
        if self._over:
            raise XmlError("nothing can be read behind an error")
        self._heard = False
        try:
            if not self._begun and any(byte in piece for byte in _UTF_16):
                raise self._wrong("an encoding other than UTF-8")
            self._parser.Parse(piece, last)
            self._silent = 0 if self._heard else self._silent + len(piece)
            if self._silent > _PIECE:
                raise self._wrong(f"a tag or comment of more than {_PIECE} bytes")
        except expat.ExpatError as error:
            self._close()
            raise XmlError(f"{expat.ErrorString(error.code)} at line {error.lineno}, column {error.offset}") from None
        except XmlError:
            self._close()
            raise

    def _close(self) -> None:
        """Let go of everything: parser and reader know each other, which else the cycle collector had to find out."""
        self._over = True
        self._open.clear()
        self._names.clear()
        del self._parser

    def _wrong(self, what: str) -> XmlError:
        parser = self._parser
        return XmlError(f"{what} at line {parser.CurrentLineNumber}, column {parser.CurrentColumnNumber}")

    def _refuser(self, what: str) -> Callable[..., NoReturn]:
        def refuse(*_ignored: object) -> NoReturn:
            raise self._wrong(f"{what}, which is not allowed,")

        return refuse

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self._heard = True
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise self._wrong("an encoding other than UTF-8")

    def _prefix(self, prefix: str | None, _uri: str) -> None:
        if prefix is not None:
            self._name(f"xmlns:{prefix}")

    def _name(self, raw: str) -> tuple[str, str]:
        """Split expat's name into namespace and local name; count those that are new."""
        known = self._names.get(raw)
        if known is None:
            self._names_left -= len(raw) + _NAME_OVERHEAD
            if self._names_left < 0:
                raise self._wrong("too many different names")
            parts = raw.split(_SEPARATOR)
            known = self._names[raw] = (parts[0], parts[1]) if len(parts) > 1 else ("", raw)
        return known

    def _start(self, raw: str, raw_attributes: dict[str, str]) -> None:
        self._heard = self._begun = True
        namespace, name = self._names.get(raw) or self._name(raw)
        attributes = {}
        if raw_attributes:
            for key, value in raw_attributes.items():
                of, local = self._name(key)
                attributes[f"{{{of}}}{local}" if of else local] = value
        self._depth += 1
        if self._depth <= self._base:
            self.found.append(StreamOpened(name, namespace, attributes))
            return
        element = Element(name, namespace, attributes, [])
        if self._open:
            self._elements += 1
            self._open[-1][0].children.append(element)
        else:
            self._elements = 1
            self._began = self._parser.CurrentByteIndex
        if self._elements > self._limits.elements:
            raise self._wrong(f"more than {self._limits.elements} elements")
        if self._depth - self._base > self._limits.depth:
            raise self._wrong(f"elements more than {self._limits.depth} deep")
        if self._base:
            self._check_bytes()
        self._open.append((element, []))

    def _end(self, _raw: str) -> None:
        self._heard = True
        self._depth -= 1
        if not self._open:
            self.found.append(StreamClosed())
            return
        if self._base:
            self._check_bytes()
        element, parts = self._open.pop()
        element.text = "".join(parts)
        if not self._open:
            self.found.append(element)

    def _characters(self, data: str) -> None:
        self._heard = True
        if self._open:
            if self._base:
                self._check_bytes()
            self._open[-1][1].append(data)
        elif data.strip(_WHITE_SPACE):
            raise self._wrong("text between stanzas")

    def _check_bytes(self) -> None:
        """See whether a stanza is too large. A whole document was measured before it was read."""
        if self._parser.CurrentByteIndex - self._began > self._limits.bytes:
            raise self._wrong(f"more than {self._limits.bytes} bytes")


def parse(document: str | bytes, limits: Limits = Limits()) -> Element:
    """Read a whole document.

    Raises:
        XmlError: It is not well-formed, holds what is not allowed, or is larger than the limits.
    """
    if len(document) > limits.bytes:
        raise XmlError(f"more than {limits.bytes} bytes")
    reader = _Reader(limits, base=0)
    if isinstance(document, str):
        try:
            document = document.encode()
        except UnicodeEncodeError:
            raise XmlError("a character that XML 1.0 cannot hold") from None
        if len(document) > limits.bytes:  # its characters were fewer
            raise XmlError(f"more than {limits.bytes} bytes")
    else:
        reader.refuse_encodings()
    reader.read(document)
    reader.finish()
    (root,) = reader.found
    assert isinstance(root, Element)  # noqa: S101
    return root


class StreamParser:
    """Reads an XML stream (RFC 6120 section 4): the root's start tag, each of its children when complete, the end tag.

    Bytes may come in any pieces. White space between stanzas, which keeps connections alive, is skipped.
    """

    def __init__(self, limits: Limits = Limits()) -> None:
        self._reader = _Reader(limits, base=1)
        self._reader.refuse_encodings()
        self._reader.refuse_comments()

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Read on and return what is complete.

        Raises:
            XmlError: Something is wrong: the stream has ended, and what the same bytes held before is not told.
        """
        self._reader.read(data)
        found, self._reader.found = self._reader.found, []
        return found


class Markup(str):
    """XML that ``element`` wrote: as the content of another element it is not escaped again."""

    __slots__ = ()


def element(name: str, /, *content: str, namespace: str = "", **attributes: str | None) -> Markup:
    """Write one element; ``content`` is text, escaped here, and other elements.

    ``namespace`` becomes the default namespace of the element and its children. An attribute that is ``None`` is left
    out. Where an attribute's name is no Python name, give it as ``**{"xml:lang": "en"}``.

    Raises:
        XmlError: A name, or a character in text or an attribute, cannot be in XML 1.0.
    """
    _check_name(name)
    inside = "".join(part if isinstance(part, Markup) else _escaped(part, _IN_TEXT) for part in content)
    tag = [name]
    if namespace:
        tag.append(f'xmlns="{_escaped(namespace, _IN_ATTRIBUTE)}"')
    for key, value in attributes.items():
        if value is not None:
            _check_name(key)
            tag.append(f'{key}="{_escaped(value, _IN_ATTRIBUTE)}"')
    start = " ".join(tag)
    return Markup(f"<{start}>{inside}</{name}>" if inside else f"<{start}/>")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise XmlError("not a name that is written here")


def _escaped(text: str, escapes: dict[int, str]) -> str:
    if _FORBIDDEN.search(text):
        raise XmlError("a character that XML 1.0 cannot hold")
    return text.translate(escapes)

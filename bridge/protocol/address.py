"""Addresses of messages, and patterns that match them."""

from __future__ import annotations

import re
from typing import NamedTuple

SEGMENT = r"[A-Za-z0-9_.\-](?:[A-Za-z0-9 _.\-]{0,62}[A-Za-z0-9_.\-])?"
"""One part of an address: 1-64 of ASCII letters, digits, space, ``_``, ``-``, ``.``; no space at either end."""

SEGMENTS = 3
ANY = "*"

_segment = re.compile(SEGMENT)
_not_letters_or_digits = re.compile(r"[ _\-]")


class Address(NamedTuple):
    """Where a message goes: written ``Cisco/InboundCall/SetCONSULT``."""

    channel: str
    topic: str
    subtopic: str

    def __str__(self) -> str:
        return "/".join(self)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``channel/topic/subtopic``.

        Raises:
            ValueError: It has not three segments, or one of them is not of the allowed form.
        """
        segments = text.split("/")
        if len(segments) != SEGMENTS:
            raise ValueError(f"an address has three segments, channel/topic/subtopic; this has {len(segments)}")
        for segment in segments:
            if not _segment.fullmatch(segment):
                raise ValueError(f"{segment!r} is no segment of an address")
        return cls(*segments)


class Pattern(NamedTuple):
    """Matches addresses. ``None`` in a place matches any segment there."""

    channel: str | None
    topic: str | None
    subtopic: str | None

    def __str__(self) -> str:
        segments = [ANY if segment is None else segment for segment in self]
        while len(segments) > 1 and segments[-1] == ANY:
            segments.pop()
        return "/".join(segments)

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read one to three segments, ``*`` for any; missing ones at the end mean any.

        Raises:
            ValueError: More than three segments, or one that is neither ``*`` nor of the allowed form.
        """
        segments = text.split("/")
        if len(segments) > SEGMENTS:
            raise ValueError(f"a pattern has at most three segments; this has {len(segments)}")
        for segment in segments:
            if segment != ANY and not _segment.fullmatch(segment):
                raise ValueError(f"{segment!r} is neither * nor a segment of an address")
        places = [None if segment == ANY else segment for segment in segments]
        return cls(*places, *[None] * (SEGMENTS - len(places)))

    def matches(self, address: Address) -> bool:
        """Say whether a message at that address is meant."""
        return all(mine is None or mine == theirs for mine, theirs in zip(self, address, strict=True))

    def contains(self, other: Pattern) -> bool:
        """Say whether every address that ``other`` matches is matched by this one too."""
        return all(mine is None or mine == theirs for mine, theirs in zip(self, other, strict=True))


def patterns_matching(address: Address) -> tuple[Pattern, ...]:
    """Give the eight patterns that match an address: what makes routing independent of how many patterns there are."""
    channel, topic, subtopic = address
    return (
        Pattern(channel, topic, subtopic),
        Pattern(channel, topic, None),
        Pattern(channel, None, subtopic),
        Pattern(channel, None, None),
        Pattern(None, topic, subtopic),
        Pattern(None, topic, None),
        Pattern(None, None, subtopic),
        Pattern(None, None, None),
    )


def folded(name: str) -> str:
    """Give what remains of a name without case, spaces, ``_`` and ``-``: how look-alike channels are found."""
    return _not_letters_or_digits.sub("", name).casefold()

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.protocol.address import Address, Pattern, folded, patterns_matching

segments = st.from_regex(r"[A-Za-z0-9_.\-]([A-Za-z0-9 _.\-]{0,6}[A-Za-z0-9_.\-])?", fullmatch=True)
few = st.sampled_from(["a", "b"])
addresses = st.builds(Address, few, few, few)
patterns = st.builds(Pattern, few | st.none(), few | st.none(), few | st.none())
every_address = [Address(*names) for names in product("abz", repeat=3)]
"""``z`` stands for all names of which no pattern knows."""


@pytest.mark.parametrize(
    "text",
    ["Cisco/InboundCall/SetCONSULT", "a/b/c", "Team/Set BARGE CALL/x.y", "_/-/.", f"{'a' * 64}/b/c", "1/2/3"],
)
def test_address_that_is_one_reads_and_writes_the_same(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Cisco",
        "Cisco/InboundCall",
        "Cisco/InboundCall/SetCONSULT/",
        "Cisco/InboundCall/SetCONSULT/now",
        "Cisco//SetCONSULT",
        "Cisco/*/SetCONSULT",
        " Cisco/InboundCall/SetCONSULT",
        "Cisco /InboundCall/SetCONSULT",
        "Cisco/InboundCall/SetCONSULT\n",
        "Cisco/Inbound\tCall/SetCONSULT",
        "Zürich/b/c",
        f"{'a' * 65}/b/c",
    ],
)
def test_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="segment"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("text", "shortest"),
    [
        ("Cisco", "Cisco"),
        ("Cisco/*", "Cisco"),
        ("Cisco/*/*", "Cisco"),
        ("Cisco/InboundCall", "Cisco/InboundCall"),
        ("Cisco/InboundCall/*", "Cisco/InboundCall"),
        ("Cisco/*/SetCONSULT", "Cisco/*/SetCONSULT"),
        ("*", "*"),
        ("*/*/*", "*"),
        ("*/InboundCall", "*/InboundCall"),
        ("*/*/SetCONSULT", "*/*/SetCONSULT"),
    ],
)
def test_pattern_is_written_without_trailing_stars(text: str, shortest: str) -> None:
    assert str(Pattern.parse(text)) == shortest


def test_patterns_compare_after_removing_trailing_stars() -> None:
    assert Pattern.parse("Cisco") == Pattern.parse("Cisco/*") == Pattern.parse("Cisco/*/*")


@pytest.mark.parametrize("text", ["a/b/c/d", "*/*/*/*", "a/b/c/"])
def test_pattern_with_four_segments_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most three segments; this has 4"):
        Pattern.parse(text)


@pytest.mark.parametrize("text", ["", "/", "a/", "/a", "a//c", "**", "Ci*", "a/ b", "a/b\n", "ä", f"{'a' * 65}"])
def test_pattern_with_a_segment_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither \\* nor a segment"):
        Pattern.parse(text)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("Cisco", True),
        ("Cisco/InboundCall", True),
        ("Cisco/InboundCall/SetCONSULT", True),
        ("*/*/SetCONSULT", True),
        ("*", True),
        ("cisco", False),
        ("Cisco/OutboundCall", False),
        ("Cisco/*/SetDROP", False),
    ],
)
def test_pattern_matches_by_segment_and_case(pattern: str, *, matches: bool) -> None:
    assert Pattern.parse(pattern).matches(Address("Cisco", "InboundCall", "SetCONSULT")) is matches


@given(addresses, patterns)
def test_patterns_matching_names_all_that_match_and_no_other(address: Address, pattern: Pattern) -> None:
    assert (pattern in patterns_matching(address)) is pattern.matches(address)


@given(patterns, patterns)
def test_contains_says_whether_all_that_the_other_matches_is_matched(one: Pattern, other: Pattern) -> None:
    assert one.contains(other) is all(one.matches(address) for address in every_address if other.matches(address))


@given(st.lists(segments | st.just("*"), min_size=1, max_size=3))
def test_pattern_reads_back_what_it_writes(parts: list[str]) -> None:
    pattern = Pattern.parse("/".join(parts))

    assert Pattern.parse(str(pattern)) == pattern


@pytest.mark.parametrize("name", ["cisco", "CISCO", "Cis-co", "CIS_CO", "C i s c o"])
def test_folded_removes_case_spaces_underscores_and_hyphens(name: str) -> None:
    assert folded(name) == "cisco"


@pytest.mark.parametrize("name", ["Cis.co", "Ciscos", "Cisc"])
def test_folded_keeps_everything_else(name: str) -> None:
    assert folded(name) != "cisco"

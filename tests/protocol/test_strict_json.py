from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.protocol import strict_json
from bridge.protocol.strict_json import MalformedError, canonical, read, write


def malformed(text: str) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        read(text)
    return caught.value


def place(error: MalformedError) -> tuple[int, int]:
    return error.line, error.column


@pytest.mark.parametrize("text", ['{"a":[1,2.5,-3,1e2,true,false,null,"x"]}', "[]", "{}", '"x"', "7", " \t\r\n{} \n"])
def test_read_json(text: str) -> None:
    assert read(text) == (json.loads(text), ())


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 400 + ".0"])
def test_read_number_that_json_does_not_have(number: str) -> None:
    error = malformed('{"a":\n  ' + number + "}")

    assert place(error) == (2, 3)
    assert str(error) == f"{number[:24]} is no JSON number"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_read_number_that_stands_in_a_string_before(number: str) -> None:
    assert place(malformed(f'{{"{number}":"{number}","\\"{number}":{number}}}')) == (
        1,
        len(f'{{"{number}":"{number}","\\"{number}":') + 1,
    )


def test_read_number_of_sixty_thousand_digits_makes_no_pattern_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_json, "re", None)  # compiling them takes a third of a second
    assert place(malformed('{"a":1.' + "9" * 60_000 + "e999}")) == (1, 6)


def test_read_number_that_is_followed_by_rubbish() -> None:
    assert place(malformed('{"a":NaN-}')) == (1, 6)


@pytest.mark.parametrize("number", ["1e308", "1e-999", "-0.0", "12345678901234567890.5"])
def test_read_number_within_the_range_of_a_double(number: str) -> None:
    assert read(number)[0] == float(number)


@pytest.mark.parametrize("digits", ["9" * 5000, "-" + "9" * 5000])
def test_read_integer_of_five_thousand_digits(digits: str) -> None:
    error = malformed(f'{{"name":"{"9" * 4500}",\n"a": {digits}}}')

    assert place(error) == (2, 6)
    assert str(error) == "an integer has too many digits"


@pytest.mark.parametrize("integer", [2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400, 10**4299])
def test_huge_integer_is_kept_exactly(integer: int) -> None:
    value, _ = read(f'{{"a":{integer}}}')

    assert value == {"a": integer}
    assert read(write(value).decode())[0] == value


@pytest.mark.parametrize(
    ("text", "doubled"),
    [
        ('{"a":1,"a":1}', (("a",),)),
        ('{"a":1,"b":2,"a":3,"b":4,"c":5}', (("a",), ("b",))),
        ('{"a":1,"a":2,"a":3}', (("a",),)),
        ('{"a":{"b":{"c":1,"c":2}}}', (("a", "b", "c"),)),
        ('[0,{"a":[{"b":1,"b":2}]}]', ((1, "a", 0, "b"),)),
        ('{"a":{"x":1,"x":2},"b":[{"y":1,"y":2}]}', (("a", "x"), ("b", 0, "y"))),
        ('{"":1,"":2}', (("",),)),
        ('{"a":1,"\\u0061":2}', (("a",),)),
    ],
)
def test_read_finds_doubled_keys_at_every_depth(text: str, doubled: tuple[tuple[str | int, ...], ...]) -> None:
    assert read(text)[1] == doubled


@pytest.mark.parametrize("depth", range(1, 65))
def test_read_finds_a_doubled_key_as_deep_as_objects_nest(depth: int) -> None:
    text = '{"a":' * (depth - 1) + '{"b":1,"b":2}' + "}" * (depth - 1)

    assert read(text)[1] == (("a",) * (depth - 1) + ("b",),)


@pytest.mark.parametrize("text", ['{"a":1,"A":2}', '{"a":{"b":1},"c":{"b":1}}', '{"a":1,"a ":1}'])
def test_read_takes_keys_that_differ_or_stand_in_different_objects(text: str) -> None:
    assert read(text)[1] == ()


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (r'"\ud800"', 2),
        (r'"\uDFFF"', 2),
        (r'{"\ud800":1}', 3),
        (r'["\ud83d\ude00","\ude00"]', 18),
        (r'"\ud83d \ude00"', 2),
        (r'"\ud83d\ud83d\ude00"', 2),
        (r'"\ud83d\u0041"', 2),
        (r'"\\\ud800"', 4),
        (r'{"a":"\ud800","a":1}', 7),
    ],
)
def test_read_lone_surrogate(text: str, column: int) -> None:
    error = malformed(text)

    assert place(error) == (1, column)
    assert str(error) == "a surrogate stands alone"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud83d\ude00"', "😀"),
        (r'"\uD83D\uDE00\u00e4"', "😀ä"),
        (r'"\\ud800"', r"\ud800"),
        (r'"\\\\udfff"', r"\\udfff"),
        ('"😀"', "😀"),
    ],
)
def test_read_surrogates_that_make_a_pair_or_are_none(text: str, value: str) -> None:
    assert read(text)[0] == value


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_read_nesting_of_64(opening: str, closing: str) -> None:
    times = 64 // (opening.count("[") + opening.count("{"))

    read(opening * times + "1" + closing * times)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_read_nesting_of_65(opening: str, closing: str) -> None:
    error = malformed(opening * 65 + "1" + closing * 65)

    assert str(error) == "nesting over 64"
    assert place(error) == (1, 64 * len(opening) + 1)


def test_read_nesting_of_thirty_thousand() -> None:
    assert str(malformed("[" * 30_000)) == "nesting over 64"


@pytest.mark.parametrize("string", ["[" * 100, "{" * 100, '\\"' + "[" * 100, "\\\\" + "{[" * 100, "]" * 5 + "[" * 100])
def test_read_does_not_count_brackets_in_strings(string: str) -> None:
    assert read(f'{{"a":"{string}"}}')[0] == {"a": json.loads(f'"{string}"')}


def test_read_does_not_count_brackets_in_keys_but_those_behind_them() -> None:
    assert str(malformed('{"[[": ' + "[" * 64 + "]" * 64 + "}")) == "nesting over 64"


def test_read_many_brackets_beside_each_other() -> None:
    assert read("[" + ",".join(["[{}]"] * 500) + "]")[0] == [[{}]] * 500


def test_read_string_that_never_ends() -> None:
    assert place(malformed('{"a":"' + "[" * 100)) == (1, 6)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", (1, 1)),
        (" ", (1, 2)),
        ("\ufeff{}", (1, 1)),
        ("{} {}", (1, 4)),
        ('{"a":1}x', (1, 8)),
        ('{"a":1,}', (1, 8)),
        ("[1,]", (1, 4)),
        ("{'a':1}", (1, 2)),
        ("{a:1}", (1, 2)),
        ('{"a":01}', (1, 7)),
        ('{"a":+1}', (1, 6)),
        ('{"a":.5}', (1, 6)),
        ('{"a":undefined}', (1, 6)),
        ('{"a"\n:\n1 2}', (3, 3)),
        ('{"a":"tab\there"}', (1, 10)),
        ('{"a":"line\nhere"}', (1, 11)),
        ('{"a":"\x00"}', (1, 7)),
        ('{"a":"\\x"}', (1, 7)),
        ('{"a":1 /* why */}', (1, 8)),
        ("\u00a0{}", (1, 1)),
        ('{"a":“x”}', (1, 6)),
    ],
)
def test_read_text_that_is_no_json(text: str, where: tuple[int, int]) -> None:
    assert place(malformed(text)) == where


def test_write_keeps_text_as_utf8_without_spaces() -> None:
    assert write({"a": ["ä", 1, None, True]}) == '{"a":["ä",1,null,true]}'.encode()


def test_write_integer_beyond_64_bits_the_same_way() -> None:
    assert write({"a": ["ä", 2**80]}) == f'{{"a":["ä",{2**80}]}}'.encode()


@pytest.mark.parametrize("big", [1, 2**80])
def test_canonical_does_not_depend_on_the_order_of_keys(big: int) -> None:
    one: Any = {"b": {"y": 1, "x": big}, "a": [1, 2]}
    other: Any = {"a": [1, 2], "b": {"x": big, "y": 1}}

    assert canonical(one) == canonical(other)
    assert canonical(one) != canonical({**one, "a": [2, 1]})


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (0, None), ("1", 1), ({}, []), (2**80, str(2**80)), ("ä", "\\u00e4")]
)
def test_canonical_tells_kinds_apart(one: Any, other: Any) -> None:
    assert canonical(one) != canonical(other)

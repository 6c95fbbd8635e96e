from __future__ import annotations

import json
import time
from typing import Annotated, Any

import pytest
from pydantic import Field, SecretStr, StringConstraints, ValidationError, field_validator

from bridge.protocol import catalogue
from bridge.protocol.errors import FieldError, Rejection
from bridge.protocol.message import decode
from bridge.protocol.model import Body, field_errors, string_fields, too_many_fields


class Sample(Body):
    text: str
    short: Annotated[str, StringConstraints(min_length=2, max_length=3)] = "ab"
    digits: Annotated[str, StringConstraints(pattern="^[0-9]+$")] = "1"
    number: Annotated[int, Field(ge=1)] = 1
    flag: bool = False
    names: list[str] = Field([])
    open: dict[Annotated[str, StringConstraints(min_length=1)], str] = Field({})
    even: int = 2

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("even is even")
        return value


class Strings(Body):
    plain: str
    limited: Annotated[str, StringConstraints(max_length=3)]
    optional: Annotated[str, StringConstraints(max_length=3)] | None = None
    secret: SecretStr | None = None
    number: int = 0
    several: list[str] = Field([])
    by_name: dict[str, str] = Field({})


def errors(**data: Any) -> tuple[FieldError, ...]:
    with pytest.raises(ValidationError) as caught:
        Sample.model_validate({"text": "x"} | data)
    return field_errors(caught.value, at=("data",), known=Sample.model_fields)


@pytest.mark.parametrize(
    ("field", "value", "code", "sentence"),
    [
        ("text", 1, "wrong_type", "text must be a string"),
        ("text", None, "wrong_type", "text must be a string"),
        ("number", "1", "wrong_type", "number must be an integer"),
        ("number", 1.5, "wrong_type", "number must be an integer"),
        ("number", True, "wrong_type", "number must be an integer"),
        ("number", 0, "wrong_value", "number: input should be greater than or equal to 1"),
        ("flag", 1, "wrong_type", "flag must be true or false"),
        ("names", "x", "wrong_type", "names must be an array"),
        ("open", [], "wrong_type", "open must be an object"),
        ("short", "a", "too_short", "short: string should have at least 2 characters"),
        ("short", "abcd", "too_long", "short: string should have at most 3 characters"),
        ("digits", "x", "wrong_format", "digits: string should match pattern '^[0-9]+$'"),
        ("even", 1, "wrong_format", "even is even"),
    ],
)
def test_field_errors_says_what_is_wrong_in_the_protocols_words(
    field: str, value: Any, code: str, sentence: str
) -> None:
    (error,) = errors(**{field: value})

    assert error[:3] == (f"/data/{field}", code, sentence)


def test_field_errors_points_into_lists_and_open_objects() -> None:
    told = errors(names=["a", 5], open={"a/b": 1})

    assert [error.pointer for error in told] == ["/data/names/1", "/data/open/a~1b"]


def test_field_errors_points_to_a_wrong_key_of_an_open_object() -> None:
    assert [error.pointer for error in errors(open={"": "x"})] == ["/data/open/"]


def test_field_errors_points_to_a_value_whose_key_looks_like_the_mark_of_a_wrong_key() -> None:
    assert [error.pointer for error in errors(open={"[key]": 5})] == ["/data/open/[key]"]


def test_field_errors_of_the_whole_body() -> None:
    with pytest.raises(ValidationError) as caught:
        Sample.model_validate("text")

    told = field_errors(caught.value, at=("data",), known=Sample.model_fields)

    hint = "send the object itself, not a string that contains JSON"
    assert told == (FieldError("/data", "wrong_type", "data must be an object", hint),)


def test_field_errors_tells_sixteen_at_most() -> None:
    assert len(errors(**{f"field{number}": 1 for number in range(30)})) == 16


def test_field_errors_suggests_the_nearest_field() -> None:
    (error,) = errors(flags=True)

    assert error == FieldError("/data/flags", "unknown", "flags is no field of this message", "did you mean flag?")


def test_field_errors_of_a_body_without_fields() -> None:
    class Empty(Body):
        pass

    with pytest.raises(ValidationError) as caught:
        Empty.model_validate({"a": 1})

    assert field_errors(caught.value, at=("data",), known=Empty.model_fields)[0].hint == "this message has no fields"


def test_field_errors_compares_the_beginning_of_an_endless_name_only() -> None:
    started = time.process_time()

    (error,) = errors(**{"x" * 60_000: 1})

    assert time.process_time() - started < 0.2
    assert error.code == "unknown"


@pytest.mark.parametrize("data", [{"text": 12345}, {"short": "geheim"}, {"digits": "geheim"}, {"number": "geheim"}])
def test_field_errors_never_repeats_a_value(data: dict[str, Any]) -> None:
    (value,) = data.values()

    assert not any(str(value) in str(error) for error in errors(**data))


def test_too_many_fields() -> None:
    assert too_many_fields(("data",)) == FieldError("/data", "too_many", "more than 32 fields")


def test_string_fields_are_those_that_hold_one_string() -> None:
    assert string_fields(Strings) == {"plain", "limited", "optional", "secret"}


def test_body_cannot_be_changed() -> None:
    body = Sample(text="x")

    with pytest.raises(ValidationError, match="frozen"):
        body.text = "y"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("message", "the body goes in data"),
        ("payload", "the body goes in data"),
        ("ResponseUrl", "this is the outer packet"),
        ("type", "there is no type"),
    ],
)
def test_envelope_with_the_field_of_another_bus_gets_a_hint(field: str, hint: str) -> None:
    text = json.dumps({"channel": "Cisco", "topic": "InboundCall", "subtopic": "SetHOLD", field: {}})
    with pytest.raises(Rejection) as refused:
        decode(text)
    (error,) = refused.value.errors
    assert error.pointer == f"/{field}"
    assert str(error.hint).startswith(hint)


def test_body_that_was_encoded_twice_gets_a_hint() -> None:
    message = decode('{"channel":"Cisco","topic":"InboundCall","subtopic":"SetHOLD","data":"{}"}')
    found = catalogue.entry(message)
    assert found is not None
    with pytest.raises(Rejection) as refused:
        catalogue.check_body(found, message, strict=False)
    assert refused.value.errors[0].hint == "send the object itself, not a string that contains JSON"

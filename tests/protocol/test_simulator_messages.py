from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.wire import checked, pointers, refused, text


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("Simulator/Call/Offer", {"fromAddress": "+15550100", "variables": {"callVariable1": "gold"}}),
        ("Simulator/Call/Offer", {"fromAddress": "+15550100"}),
        ("Simulator/Party/Answer", {"address": "5070"}),
        ("Simulator/Party/Drop", {"address": "5070"}),
        ("Simulator/Party/Drop", {"address": "5070", "CallID": "16786021"}),
    ],
)
def test_message_that_is_right(address: str, data: dict[str, Any]) -> None:
    assert checked(text(address, data), strict=True)[0].data == data


@pytest.mark.parametrize(
    ("address", "data", "pointer"),
    [
        ("Simulator/Call/Offer", {}, "/data/fromAddress"),
        ("Simulator/Call/Offer", {"fromAddress": "1", "variables": {"a": 1}}, "/data/variables/a"),
        ("Simulator/Call/Offer", {"fromAddress": "1", "toAddress": "2"}, "/data/toAddress"),
        ("Simulator/Party/Answer", {"address": ""}, "/data/address"),
        ("Simulator/Party/Answer", {"address": "5070", "CallID": "1"}, "/data/CallID"),
        ("Simulator/Party/Drop", {"CallID": "1"}, "/data/address"),
        ("Simulator/Party/Drop", {"address": "5070", "CallID": "a b"}, "/data/CallID"),
    ],
)
def test_message_that_is_wrong(address: str, data: dict[str, Any], pointer: str) -> None:
    assert pointers(refused(text(address, data))) == [pointer]

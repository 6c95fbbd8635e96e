from __future__ import annotations

import time
from typing import Any

import pytest

from bridge.protocol import control
from bridge.protocol.errors import Code
from tests.protocol.wire import checked, pointers, refused, text

SUBSCRIBE = "Bridge/Subscription/Subscribe"
UNSUBSCRIBE = "Bridge/Subscription/Unsubscribe"
STATUS = "Bridge/Command/Status"


def test_subscribe_with_everything() -> None:
    data = {"patterns": ["Cisco", "a/*"], "echo": True, "recover": {"epoch": "e1", "offset": 17}}

    _, body = checked(text(SUBSCRIBE, data), strict=True)

    assert isinstance(body, control.Subscribe)
    assert body.model_dump() == data


def test_subscribe_with_patterns_only() -> None:
    _, body = checked(text(SUBSCRIBE, {"patterns": ["Cisco"]}))

    assert isinstance(body, control.Subscribe)
    assert (body.echo, body.recover) == (None, None)


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({}, "/data/patterns"),
        ({"patterns": []}, "/data/patterns"),
        ({"patterns": "Cisco"}, "/data/patterns"),
        ({"patterns": {"a": 1}}, "/data/patterns"),
        ({"patterns": ["a", 5]}, "/data/patterns/1"),
        ({"patterns": [None]}, "/data/patterns/0"),
        ({"patterns": ["a"], "echo": 1}, "/data/echo"),
        ({"patterns": ["a"], "echo": "true"}, "/data/echo"),
        ({"patterns": ["a"], "recover": 5}, "/data/recover"),
        ({"patterns": ["a"], "recover": {}}, "/data/recover/epoch"),
        ({"patterns": ["a"], "recover": {"epoch": 5, "offset": 1}}, "/data/recover/epoch"),
        ({"patterns": ["a"], "recover": {"epoch": "e"}}, "/data/recover/offset"),
        ({"patterns": ["a"], "recover": {"epoch": "e", "offset": -1}}, "/data/recover/offset"),
        ({"patterns": ["a"], "recover": {"epoch": "e", "offset": "1"}}, "/data/recover/offset"),
        ({"patterns": ["a"], "recover": {"epoch": "e", "offset": 1.5}}, "/data/recover/offset"),
        ({"patterns": ["a"], "recover": {"epoch": "e", "offset": True}}, "/data/recover/offset"),
        ({"patterns": ["a"], "recover": {"epoch": "e", "offset": 1, "x": 1}}, "/data/recover/x"),
        ({"patterns": ["a"], "snapshot": True}, "/data/snapshot"),
    ],
)
def test_subscribe_that_is_wrong(data: Any, pointer: str) -> None:
    rejection = refused(text(SUBSCRIBE, data))

    assert rejection.code is Code.INVALID_DATA
    assert pointers(rejection)[0] == pointer


def test_subscribe_without_patterns_hints_at_what_they_look_like() -> None:
    assert refused(text(SUBSCRIBE, {})).errors[0].hint == 'a list such as ["Cisco/InboundCall"]'


@pytest.mark.parametrize("address", [SUBSCRIBE, UNSUBSCRIBE])
def test_thousands_of_patterns_that_are_none_are_answered_quickly(address: str) -> None:
    started = time.process_time()

    rejection = refused(text(address, {"patterns": [1] * 20_000}))

    assert time.process_time() - started < 0.3
    assert pointers(rejection) == ["/data/patterns/0"]


@pytest.mark.parametrize("data", [{}, {"patterns": []}, {"patterns": ["a"], "echo": True}])
def test_unsubscribe_that_is_wrong(data: Any) -> None:
    assert refused(text(UNSUBSCRIBE, data)).code is Code.INVALID_DATA


@pytest.mark.parametrize("data", [{}, {"id": ""}, {"id": "a" * 65}, {"id": "\n"}, {"id": None}, {"id": -1}])
def test_status_of_what_is_no_id(data: Any) -> None:
    assert pointers(refused(text(STATUS, data))) == ["/data/id"]


def test_opened_is_as_documented() -> None:
    opened = control.Opened(
        protocol="workspace-bridge.v1",
        session="s",
        workspace="demo",
        identity=control.Identity(subject=None, app="widget", extension="5069"),
        heartbeatSeconds=25,
        limits=control.Limits(messageBytes=65536, messagesPerSecond=50, subscriptions=128),
        server=control.Server(version="1", adapter="simulator"),
        expiresInSeconds=28800,
    )

    assert opened.model_dump() == {
        "protocol": "workspace-bridge.v1",
        "session": "s",
        "workspace": "demo",
        "identity": {"subject": None, "app": "widget", "extension": "5069"},
        "heartbeatSeconds": 25,
        "limits": {"messageBytes": 65536, "messagesPerSecond": 50, "subscriptions": 128},
        "server": {"version": "1", "adapter": "simulator"},
        "expiresInSeconds": 28800,
    }


def test_models_of_what_the_bridge_sends_leave_room_for_fields_to_come() -> None:
    assert control.Heartbeat.model_validate({"epoch": "e", "offset": 1, "later": True}).model_dump()["later"] is True

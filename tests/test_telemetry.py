"""What the log and the metrics tell, and what they never tell."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from bridge.broker.broker import Broker
from bridge.broker.identity import Identity
from bridge.calls.service import CallService
from bridge.calls.simulator.adapter import SimulatorAdapter
from bridge.telemetry import REFUSAL_LINES_PER_SECOND, Telemetry, configure_logging
from tests.calls.world import Recorder, VirtualTime

if TYPE_CHECKING:
    from collections.abc import Iterator


class Scene:
    """A bus with telemetry, in virtual time, and its log."""

    def __init__(self, log: io.StringIO) -> None:
        self.log = log
        self.time = VirtualTime()
        self.telemetry = Telemetry(self.time.monotonic)
        adapter = SimulatorAdapter(call_later=self.time.call_later, now=self.time.timestamp)
        self.calls = CallService(
            adapter=adapter, clock=self.time, call_later=self.time.call_later, observer=self.telemetry
        )
        self.broker = Broker(clock=self.time, gate=self.calls, observer=self.telemetry)
        self.calls.start(self.broker)
        self.recorder = Recorder()
        identity = Identity(app="softphone", address="127.0.0.1")
        self.session = self.broker.open("alice", identity, self.recorder)

    def send(self, address: str, data: Any, **more: Any) -> None:
        channel, topic, subtopic = address.split("/")
        message = {"channel": channel, "topic": topic, "subtopic": subtopic, "data": data, **more}
        self.broker.receive(self.session, json.dumps(message))

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if event is None or line["event"] == event]

    def metrics(self) -> str:
        return self.telemetry.exposition().decode()


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    handlers = logging.getLogger().handlers[:]
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


@pytest.fixture
def scene(_logging_as_before: None) -> Scene:
    log = io.StringIO()
    configure_logging("debug", "json", log)
    return Scene(log)


def test_session_has_a_line_when_it_opens_and_one_that_tells_its_story(scene: Scene) -> None:
    scene.send("Widgets/Weather/Changed", {"degrees": 21})
    scene.time.advance(12.5)
    scene.broker.close(scene.session, 4410, "slow")
    (opened,) = scene.lines("session_opened")
    assert (opened["app"], opened["workspace"], opened["from"]) == ("softphone", "alice", "127.0.0.1")
    (closed,) = scene.lines("session_closed")
    assert closed.items() >= {"seconds": 12.5, "code": 4410, "reason": "slow", "received": 1}.items()
    assert closed["last"] == "Widgets/Weather/Changed"
    assert 'bridge_sessions_closed_total{code="4410"} 1.0' in scene.metrics()


def test_refusal_tells_code_and_place_but_no_body(scene: Scene) -> None:
    scene.send("Cisco/InboundCall/SetHOLD", {"MediaAddress": "5069", "CallID": "a secret body"})
    (refused,) = scene.lines("refused")
    assert (refused["code"], refused["pointers"]) == ("invalid_data", ["/data/CallID"])
    assert "a secret body" not in scene.log.getvalue()
    assert 'bridge_refusals_total{code="invalid_data"} 1.0' in scene.metrics()


def test_outcome_has_one_line_and_is_counted(scene: Scene) -> None:
    sign_in = {"username": "alice", "password": "hunter22", "extension": "6001"}
    scene.send("Cisco/Agent/SetUserInfo", sign_in, id="s1")
    scene.time.advance(1)
    (outcome,) = scene.lines("outcome")
    assert outcome.items() >= {"outcome": "Completed", "id": "s1", "address": "Cisco/Agent/SetUserInfo"}.items()
    assert 'bridge_outcomes_total{address="Cisco/Agent/SetUserInfo",outcome="Completed"} 1.0' in scene.metrics()
    assert "hunter22" not in scene.log.getvalue() + scene.metrics()


def test_flood_of_refusals_does_not_flood_the_log(scene: Scene) -> None:
    scene.session.bucket._rate = 0
    for _ in range(1000):
        scene.send("Cisco/Nothing/AtAll", None)
    assert len(scene.lines("refused")) == REFUSAL_LINES_PER_SECOND
    scene.time.advance(2)
    scene.send("Cisco/Nothing/AtAll", None)
    (left_out,) = scene.lines("refusals_not_logged")
    assert left_out["count"] == 1000 - REFUSAL_LINES_PER_SECOND
    assert 'bridge_refusals_total{code="unknown_address"} 1001.0' in scene.metrics()


def test_addresses_that_gadgets_make_up_share_one_label(scene: Scene) -> None:
    scene.session.bucket._rate = 0
    for number in range(50):
        scene.send(f"Gadget{number}/Any/Thing", None)
    metrics = scene.metrics()
    assert 'bridge_messages_total{address="free"} 50.0' in metrics
    assert "Gadget7" not in metrics


def test_fault_is_logged_with_its_traceback_and_without_local_variables(scene: Scene) -> None:
    def fault(password: str) -> None:
        raise RuntimeError(f"a fault of {len(password)}")

    try:
        fault(f"hunter-{20 + 2}")
    except RuntimeError as error:
        scene.telemetry.failed("message", error, session="x")
    (line,) = scene.lines("fault")
    assert "RuntimeError: a fault of 9" in line["exception"]
    assert "hunter-22" not in scene.log.getvalue()


def test_library_warnings_take_the_same_form(scene: Scene) -> None:
    logging.getLogger("uvicorn.error").warning("odd request")
    (line,) = scene.lines("odd request")
    assert line["level"] == "warning"


def test_gauge_is_asked_when_prometheus_asks(scene: Scene) -> None:
    scene.telemetry.gauge("bridge_sessions", "Open sessions", lambda: scene.broker.sessions)
    assert "bridge_sessions 1.0" in scene.metrics()
    scene.broker.close(scene.session, 1000, "")
    assert "bridge_sessions 0.0" in scene.metrics()


def test_certificate_is_told_when_it_changed_and_when_it_cannot_be_used(scene: Scene) -> None:
    scene.telemetry.certificate_read(None)
    scene.telemetry.certificate_read("TLS_KEY_FILE: no key")
    assert [line["level"] for line in scene.lines("certificate_changed")] == ["info"]
    assert [(line["level"], line["problem"]) for line in scene.lines("certificate_refused")] == [
        ("error", "TLS_KEY_FILE: no key")
    ]
    assert 'bridge_certificates_read_total{result="used"} 1.0' in scene.metrics()
    assert 'bridge_certificates_read_total{result="refused"} 1.0' in scene.metrics()


def test_start_in_the_open_is_a_warning(scene: Scene) -> None:
    scene.telemetry.unencrypted("0.0.0.0")
    (line,) = scene.lines("unencrypted")
    assert (line["level"], line["host"]) == ("warning", "0.0.0.0")


ODD = "a\x1b[31m\x7f\x85\x9b31m\u2028\u2029é"


def test_no_text_from_outside_ends_a_line_or_commands_a_terminal(scene: Scene) -> None:
    scene.telemetry.limited("sessions", app=ODD)
    (line,) = scene.lines("limited")
    assert line["app"] == ODD
    assert set(scene.log.getvalue()) & set(ODD) == set("a[31mé")


@pytest.mark.usefixtures("_logging_as_before")
def test_the_same_in_the_log_for_people() -> None:
    log = io.StringIO()
    configure_logging("debug", "console", log)
    Telemetry().limited("sessions", app=ODD, subject="a\nb")
    assert log.getvalue().splitlines(keepends=True) == [log.getvalue()]
    assert set(log.getvalue()) & set(ODD) == set("a[31mé")
    assert "\\u2028" in log.getvalue()


class FullDisk(io.StringIO):
    """Takes nothing."""

    def write(self, text: str) -> int:
        raise OSError(28, f"No space left on device, for {len(text)} characters")


@pytest.mark.usefixtures("_logging_as_before")
def test_a_log_on_a_full_disk_holds_up_nobody() -> None:
    configure_logging("debug", "json", FullDisk())
    scene = Scene(io.StringIO())
    scene.send("Widgets/Weather/Changed", {"degrees": 21}, id="m1")
    scene.send("Cisco/Nothing/AtAll", None)
    assert [message["subtopic"] for message in scene.recorder.messages] == ["Opened", "Accepted", "Rejected"]

"""Logs and metrics: what happened, told once, without bodies and without secrets."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, TextIO

import orjson
import structlog
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    from bridge.broker.gate import Command
    from bridge.broker.identity import Identity
    from bridge.broker.session import Session
    from bridge.broker.tokens import RefusedToken
    from bridge.calls.adapter import Failure
    from bridge.protocol.address import Address
    from bridge.protocol.catalogue import Entry
    from bridge.protocol.errors import CloseCode, Rejection
    from bridge.protocol.message import Message
    from bridge.server.opening import Applicant

log = structlog.get_logger("bridge")

REFUSAL_LINES_PER_SECOND = 20
"""A client that floods the bridge shall not flood the log too; what is left out is counted and told."""

FREE = "free"
"""Label for all messages outside the catalogue: gadgets may make up any number of addresses."""

LINE_ENDS = re.compile("[\x7f-\x9f\u2028\u2029]")
"""What JSON leaves as it is, though some readers end a line there, and terminals obey."""

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""The same, where there is no JSON."""

COMMAND_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
NOTIFICATION_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1)


def configure_logging(level: str, log_format: Literal["auto", "json", "console"], stream: TextIO | None = None) -> None:
    """Send the process's log to ``stream`` (default: standard error), one line per happening."""
    out = stream or sys.stderr
    console = log_format == "console" or (log_format == "auto" and out.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Plain tracebacks: the richer ones show local variables, and with them bodies and secrets.
    plain = structlog.dev.plain_traceback
    render: list[Any] = (
        [_escape_controls, structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=plain)]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    )
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: Printer(out),
        cache_logger_on_first_use=False,
    )
    _route_library_logs(shared, render, out)


def _json(event: dict[str, Any], **_: Any) -> str:
    ordered = {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event}
    text = orjson.dumps(ordered | event, default=str).decode()
    return text if text.isascii() else LINE_ENDS.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _escape_controls(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let no text from outside end a line, or tell a terminal what to do."""
    return {name: CONTROLS.sub(_escaped, text) if isinstance(text, str) else text for name, text in event.items()}


class Printer:
    """Prints the log's lines, and says of each whether it could: a full disk must not stop the bridge."""

    def __init__(self, out: TextIO) -> None:
        self._print = structlog.PrintLogger(out).msg

    def msg(self, line: str) -> bool:
        """Print a line."""
        try:
            self._print(line)
        except (OSError, ValueError):
            return False
        return True

    debug = info = warning = error = critical = msg


def _route_library_logs(shared: list[Any], render: list[Any], out: TextIO) -> None:
    """Give warnings of uvicorn and asyncio the same form as our own lines."""
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove_meta, *render])
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


class Telemetry(Collector):
    """Listens to broker, call control and server; counts, and writes the log.

    Counting on the way of a message is one increment in a dict; Prometheus' objects are made when it asks.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self._counters: dict[str, tuple[str, Callable[[], float]]] = {}

        # Counters by label.
        self._published: Counter[Address] = Counter()
        self._published_free = 0
        self._delivered = 0
        self._refused: Counter[str] = Counter()
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._closed: Counter[int] = Counter()
        self._limited: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._sign_ins: Counter[str] = Counter()
        self._opened = 0
        self._certificates: Counter[str] = Counter()

        self._command_seconds = Histogram(
            "bridge_command_seconds",
            "From a command's acceptance to its outcome",
            ["outcome"],
            buckets=COMMAND_BUCKETS,
            registry=self.registry,
        )
        self._notification_seconds = Histogram(
            "bridge_notification_seconds",
            "From a notification's arrival from the switch to its events, queued for their sessions",
            buckets=NOTIFICATION_BUCKETS,
            registry=self.registry,
        )
        self._loop_lag = Histogram(
            "bridge_loop_lag_seconds",
            "How late the once-a-second tick came: above some milliseconds the process is overloaded",
            buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1),
            registry=self.registry,
        )

        # The log's budget for refusals in the present second.
        self._second = 0
        self._lines = 0

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Report a figure that is asked for when Prometheus asks."""
        self._gauges[name] = (text, value)

    def counter(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Report a count that somebody else keeps; it only grows."""
        self._counters[name] = (text, value)

    def exposition(self) -> bytes:
        """Give everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Make Prometheus' objects out of the counters."""
        for name, (text, value) in self._gauges.items():
            yield GaugeMetricFamily(name, text, value())
        for name, (text, value) in self._counters.items():
            yield CounterMetricFamily(name, text, value())
        published = {(str(address),): count for address, count in self._published.items()}
        if self._published_free:
            published[FREE,] = self._published_free
        yield _counter("bridge_messages", "Messages published, by address", ["address"], published)
        yield _counter("bridge_deliveries", "Messages queued for sessions", [], {(): self._delivered})
        refused = {(code,): count for code, count in self._refused.items()}
        yield _counter("bridge_refusals", "Messages refused, by code", ["code"], refused)
        yield _counter(
            "bridge_outcomes", "Commands ended, by address and outcome", ["address", "outcome"], self._outcomes
        )
        yield _counter("bridge_sessions_opened", "Sessions opened", [], {(): self._opened})
        sign_ins = {(result,): count for result, count in self._sign_ins.items()}
        yield _counter("bridge_sign_ins", "Tokens that opened a session, or did not", ["result"], sign_ins)
        closed = {(str(code),): count for code, count in self._closed.items()}
        yield _counter("bridge_sessions_closed", "Sessions ended, by close code", ["code"], closed)
        limited = {(what,): count for what, count in self._limited.items()}
        yield _counter("bridge_limited", "What a limit did, by limit", ["limit"], limited)
        faults = {(where,): count for where, count in self._faults.items()}
        yield _counter("bridge_faults", "Unexpected exceptions of the bridge, by place", ["where"], faults)
        labels = ["method", "route", "status"]
        yield _counter("bridge_http_requests", "HTTP requests answered", labels, self._requests)
        read = {(result,): count for result, count in self._certificates.items()}
        yield _counter("bridge_certificates_read", "Changed TLS certificates, by result", ["result"], read)

    # From the broker

    def session_opened(self, session: Session) -> None:
        """Count and log."""
        self._opened += 1
        log.info("session_opened", session=session.id, workspace=session.workspace.name, **_who(session.identity))

    def session_closed(self, session: Session, code: int, reason: str, seconds: float) -> None:
        """Count and log: who, how long, why, and what came last."""
        self._closed[code] += 1
        log.info(
            "session_closed",
            session=session.id,
            workspace=session.workspace.name,
            **_who(session.identity),
            code=code,
            reason=reason,
            seconds=round(seconds, 3),
            received=session.received,
            last=str(session.last_address) if session.last_address else None,
        )

    def published(self, address: Address, entry: Entry | None, recipients: int) -> None:
        """Count."""
        if entry is not None:
            self._published[address] += 1
        else:
            self._published_free += 1
        self._delivered += recipients

    def rejected(self, workspace: str, identity: Identity, rejection: Rejection, message: Message | None) -> None:
        """Count and log, so many lines a second."""
        del message  # bodies do not belong in the log
        self._refused[rejection.code.value] += 1
        if not self._may_log():
            return
        log.info(
            "refused",
            workspace=workspace,
            **_who(identity),
            code=rejection.code.value,
            address=rejection.address,
            id=rejection.correlation_id,
            rule=rejection.details.get("rule"),
            pointers=[error.pointer for error in rejection.errors] or None,
        )

    def refreshed(self, session: Session, refusal: RefusedToken | None) -> None:
        """Log."""
        log.info(
            "session_refreshed" if refusal is None else "session_refresh_refused",
            session=session.id,
            workspace=session.workspace.name,
            **_who(session.identity),
            reason=refusal.reason if refusal is not None else None,
        )

    def _may_log(self) -> bool:
        second = int(self._monotonic())
        if second != self._second:
            left_out = self._lines - REFUSAL_LINES_PER_SECOND
            self._second, self._lines = second, 0
            if left_out > 0:
                log.warning("refusals_not_logged", count=left_out)
        self._lines += 1
        return self._lines <= REFUSAL_LINES_PER_SECOND

    # From call control

    def settled(self, command: Command, outcome: str, seconds: float, failure: Failure | None) -> None:
        """Count and log."""
        self._outcomes[str(command.address), outcome] += 1
        self._command_seconds.labels(outcome).observe(seconds)
        log.info(
            "outcome",
            workspace=command.workspace,
            **_who(command.identity),
            address=str(command.address),
            id=command.id,
            outcome=outcome,
            seconds=round(seconds, 3),
            error=failure.error_type if failure else None,
            cause=failure.cause if failure else None,
        )

    # From the adapter

    def notified(self, workspace: str, arrived: float) -> None:
        """Note how long a notification took."""
        del workspace  # there are thousands: too many for a label
        self._notification_seconds.observe(self._monotonic() - arrived)

    # From the server

    def limited(self, limit: str, **who: Any) -> None:
        """Count and log what a limit did."""
        self._limited[limit] += 1
        if self._may_log():
            log.warning("limited", limit=limit, **who)

    def failed(self, where: str, error: Exception, **who: Any) -> None:
        """Count and log, with the traceback: the bridge itself is at fault."""
        self._faults[where] += 1
        log.error("fault", where=where, **who, exc_info=error)

    def signed_in(self, workspace: str, identity: Identity) -> None:
        """Count; the session's own line is in the log."""
        del workspace, identity
        self._sign_ins["granted"] += 1

    def sign_in_refused(self, applicant: Applicant, code: CloseCode, reason: str) -> None:
        """Count and log, so many lines a second."""
        self._sign_ins[code.name.lower()] += 1
        if self._may_log():
            log.info(
                "sign_in_refused",
                **{"from": applicant.address},
                origin=applicant.origin,
                workspace=applicant.opening.workspace,
                code=int(code),
                reason=reason,
            )

    def http_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count; the line is for debugging."""
        self._requests[method, route, str(status)] += 1
        log.debug("http_request", method=method, route=route, status=status, seconds=round(seconds, 4))

    def loop_lag(self, seconds: float) -> None:
        """Note how late the tick came."""
        self._loop_lag.observe(max(seconds, 0.0))

    def certificate_read(self, problem: str | None) -> None:
        """Count and log."""
        self._certificates["used" if problem is None else "refused"] += 1
        if problem is None:
            log.info("certificate_changed")
        else:
            log.error("certificate_refused", problem=problem)

    def unencrypted(self, host: str) -> None:
        """Warn."""
        log.warning("unencrypted", host=host, advice="set TLS_CERT_FILE and TLS_KEY_FILE, or TRUSTED_PROXIES")


def _counter(name: str, text: str, labels: list[str], values: Any) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for label, count in values.items():
        family.add_metric(label, count)
    return family


def _who(identity: Identity) -> dict[str, Any]:
    return {"app": identity.app, "subject": identity.subject, "from": identity.address}

"""The Finesse look-alike in a process of its own, as a user starts it, and the hand of the outside world in ours.

Whatever opens a socket or starts a task in the test's own process is therefore the adapter's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STOP_SECONDS = 10.0
ANSWER_SECONDS = 10.0
_PROGRAM = """
import ctypes, signal
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: it does not outlive the tests, however they end
from bridge.cli import main
main()
"""
_COMMAND = (sys.executable, "-c", _PROGRAM, "finesse-simulator", "--json")

_direct = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Account:
    """One of its agents, as it tells them."""

    username: str
    extension: str
    password: str = field(repr=False)
    token: str = field(repr=False)


class LookAlike:
    """A running look-alike. Every agent is given out once, so that tests can share it.

    Its methods block for the few milliseconds that the other process needs; the test's own loop has nothing to do for
    it meanwhile.
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.rest_urls: list[str] = told["rest"]
        self.websocket_urls: list[str] = told["xmpp_nodes"]
        self.tcp_urls: list[str] = told["xmpp_tcp"]
        self.ca_file = Path(told["ca_file"])
        self._control: str = told["control"]
        self._accounts = iter([Account(**each) for each in told["agents"]])

    def account(self) -> Account:
        """Give an agent whom nobody has had yet."""
        account = next(self._accounts, None)
        assert account is not None, "the look-alike was started with too few agents"
        return account

    def offer(self, to: str, from_address: str, variables: Mapping[str, str] | None = None) -> str:
        """Let a customer call; return the call's id."""
        asked = {"to": to, "from": from_address, "variables": dict(variables or {})}
        return str(self._ask("/offer", asked)["call"])

    def party_answer(self, address: str) -> None:
        """Let a party answer what has been ringing there longest."""
        self._ask("/party/answer", {"address": address})

    def party_drop(self, address: str) -> None:
        """Let a party hang up all of its calls."""
        self._ask("/party/drop", {"address": address})

    def faults(self, **wanted: Any) -> None:
        """Let things go wrong; see ``POST {control}/faults``."""
        self._ask("/faults", wanted)

    def agent(self, extension: str) -> dict[str, Any]:
        """Give the truth about one agent."""
        found: dict[str, Any] = self._ask("/dialogs")["agents"][extension]
        return found

    def log(self) -> list[dict[str, Any]]:
        """Give every request that would change something, in order."""
        entries: list[dict[str, Any]] = self._ask("/log")["entries"]
        return entries

    def _ask(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with _direct.open(Request(self._control + path, data), timeout=ANSWER_SECONDS) as response:  # noqa: S310 loopback
            answer: dict[str, Any] = json.load(response)
        return answer


@contextmanager
def look_alike(log: Path, *options: str) -> Iterator[LookAlike]:
    """Run a look-alike with those command line options; what it says besides goes to ``log``."""
    with log.open("wb") as stderr:
        process = subprocess.Popen([*_COMMAND, *options], stdout=subprocess.PIPE, stderr=stderr)  # noqa: S603 our own
    with process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, f"the look-alike did not start:\n{log.read_text()}"
            yield LookAlike(json.loads(line))
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

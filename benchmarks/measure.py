"""Servers as processes of their own, and what they use: CPU and memory from ``/proc``, so Linux only."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from benchmarks.load import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

ROOT = Path(__file__).parent.parent
STOP_SECONDS = 30

BUSY_SHARE = 0.9
"""From this share of its core on, the load may have been what limited a rate."""

_ticks = os.sysconf("SC_CLK_TCK")

BRIDGE = "benchmarks.bridge_server"
PLAIN = "benchmarks.plain_server"

BRIDGE_SETTINGS = {
    "BRIDGE_PORT": "0",
    "BRIDGE_LOG_FORMAT": "json",
    "BRIDGE_MESSAGES_PER_SECOND": "0",
    "BRIDGE_SESSIONS_PER_WORKSPACE": "0",
    "BRIDGE_MAX_SESSIONS": "15000",
}
"""The rate and session limits off; everything else as shipped, but for what a scenario sets."""

QUIET = {"BRIDGE_PING_SECONDS": "3600", "BRIDGE_HEARTBEAT_SECONDS": "3600"}
"""Nothing comes by itself while bytes are counted."""


class Cores:
    """Which core the servers run on and which the load: different ones where there are two."""

    def __init__(self) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self.server = cores[-1]
        self.load = cores[0]

    @property
    def shared(self) -> bool:
        """Whether load and server must share one core, which makes rates worthless (CPU per message still holds)."""
        return self.server == self.load

    def pin_load(self) -> None:
        """Keep this process off the servers' core."""
        os.sched_setaffinity(0, {self.load})


class Server:
    """A server in a process of its own. ``settings`` are the bridge's; ``core`` is where it runs, if not anywhere.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, module: str, settings: Mapping[str, str], *, core: int | None = None) -> None:
        self._module = module
        self._core = core
        self._settings = settings
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 closed in __exit__
        self.port = 0

    async def __aenter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        if self._module != PLAIN:
            environment |= BRIDGE_SETTINGS | dict(self._settings)
        raise_file_limit()
        self._process = subprocess.Popen(  # noqa: ASYNC220 takes no time; its output is read in a thread
            [sys.executable, "-m", self._module], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=self._log
        )
        if self._core is not None:
            os.sched_setaffinity(self._process.pid, {self._core})
        assert self._process.stdout is not None
        line = await asyncio.to_thread(self._process.stdout.readline)
        if not line.strip().isdigit():
            error = LoadError(f"{self._module} did not start")
            await self.__aexit__(LoadError, error, None)
            raise error
        self.port = int(line)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it as an operator would, and let this process's connections see that."""
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        if kind is not None:
            print(f"--- the end of the log of {self._module}\n{self.log()[-2000:]}", file=sys.stderr)
        self._log.close()

    def log(self) -> str:
        """Give what the server has logged."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def cpu(self) -> float:
        """Give the CPU seconds used so far. Exact to a hundredth."""
        return cpu_of(self._process.pid)

    def memory(self) -> int:
        """Give the bytes of anonymous memory: what the process itself has allocated."""
        return memory_of(self._process.pid)

    async def held(self) -> int:
        """Let the bridge give back what it does not use; give what is left of ``memory``."""
        await self.tasks()
        return self.memory()

    async def tasks(self) -> int:
        """Let the bridge give back what it does not use; give how many tasks it has."""
        assert self._process.stdout is not None
        self._process.send_signal(signal.SIGUSR1)
        return int(await asyncio.to_thread(self._process.stdout.readline))


def cpu_of(pid: int) -> float:
    """Give the CPU seconds that a process has used, in the kernel and outside of it. Exact to a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _ticks


def delay_of(pid: int) -> float:
    """Give the seconds that a process with one thread was ready to run and another ran on its core instead."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def memory_of(pid: int, what: str = "Pss_Anon") -> int:
    """Give the bytes of a process's memory, by default the anonymous ones: what it has allocated itself.

    Mapped files are not in that. Their share of PSS changes whenever another Python starts or ends on the machine,
    by megabytes. Nor are the kernel's buffers of sockets.
    """
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024
    raise LoadError(f"the kernel tells no {what} (Linux 5.9 does)")


def raise_file_limit() -> int:
    """Raise the soft limit on open files as far as it goes; servers inherit it. Return it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@dataclass
class Span:
    """What one stretch of load cost. ``count`` is set by who made the load."""

    count: int = 0
    seconds: float = 0.0
    server_cpu: float = 0.0
    load_cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Give messages a second."""
        return self.count / self.seconds

    @property
    def cpu_us(self) -> float:
        """Give microseconds of the server's CPU per message."""
        return self.server_cpu / self.count * 1e6

    @property
    def server_share(self) -> float:
        """Give how much of a core the server used."""
        return self.server_cpu / self.seconds

    @property
    def load_share(self) -> float:
        """Give how much of its core the load used."""
        return self.load_cpu / self.seconds


@contextmanager
def span(server: Server) -> Iterator[Span]:
    """Measure what happens inside."""
    measured = Span()
    cpu, own, started = server.cpu(), time.process_time(), time.perf_counter()
    yield measured
    measured.seconds = time.perf_counter() - started
    measured.load_cpu = time.process_time() - own
    measured.server_cpu = server.cpu() - cpu


@dataclass(frozen=True)
class Figure:
    """Several rounds of one figure."""

    rounds: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Take the rounds."""
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """Give the middle."""
        return statistics.median(self.rounds)

    @property
    def spread(self) -> float:
        """Give how far the rounds lie apart, as a share of the median."""
        return (max(self.rounds) - min(self.rounds)) / self.median if self.median else 0.0


def percentile(values: list[float], share: float) -> float:
    """Give the value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

"""Servers as processes of their own, whichever program they run, and what they use."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from benchmarks.load import TIMEOUT_SECONDS, LoadError, now
from benchmarks.processes import cpu_of, memory_of, raise_file_limit, tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from types import TracebackType

ROOT = Path(__file__).parent.parent
STOP_SECONDS = 30
KILL_SECONDS = 5
KNOCK_SECONDS = 0.02

BRIDGE_SETTINGS = {
    "BRIDGE_PORT": "0",
    "BRIDGE_LOG_FORMAT": "json",
    "BRIDGE_MESSAGES_PER_SECOND": "0",
    "BRIDGE_SESSIONS_PER_WORKSPACE": "0",
    "BRIDGE_MAX_SESSIONS": "15000",
}
"""The rate and session limits off; everything else as shipped, but for what a scenario sets."""


@dataclass(frozen=True)
class Program:
    """How a server is started.

    Attributes:
        port: Where it will listen; ``None`` if it chooses and prints that as its first line.
        files: Its configuration, by name; ``{folder}`` in the command is where they are, and where it may write.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    files: Mapping[str, str] = field(default_factory=dict)


def python_module(name: str, settings: Mapping[str, str] | None = None) -> Program:
    """Run a module of ours, with the Python that runs this."""
    return Program((sys.executable, "-X", "faulthandler", "-m", name), settings or {})


def bridge_program(settings: Mapping[str, str], module: str = "benchmarks.bridge_server") -> Program:
    """Run the bridge with these settings beside those of every measurement."""
    return python_module(module, BRIDGE_SETTINGS | dict(settings))


def free_port() -> int:
    """Give a port that nobody has now, for servers that cannot choose one themselves."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def _on(cores: AbstractSet[int] | None) -> Iterator[None]:
    """Run on these cores, so that what is started does from its first instruction on, with all its threads."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, own if cores is None else cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


class Server:
    """A server in processes of its own; ``cores`` is where they run, if not anywhere.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, program: Program, *, cores: AbstractSet[int] | None = None) -> None:
        self._program = program
        self._cores = cores

        self.port = 0

    async def __aenter__(self) -> Self:
        raise_file_limit()
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self._log = (Path(self._folder.name) / "stderr.log").open("ab")
        try:
            self._process = self._start()
        except BaseException:
            self._tidy_up()
            raise
        try:
            self.port = await self._listening()
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise
        return self

    def _start(self) -> subprocess.Popen[bytes]:
        program, folder = self._program, Path(self._folder.name)
        for name, text in program.files.items():
            (folder / name).write_text(text.replace("{folder}", str(folder)))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        with _on(self._cores):
            return subprocess.Popen(
                [part.replace("{folder}", str(folder)) for part in program.command],
                cwd=ROOT,
                env=inherited | dict(program.environment),
                stdout=subprocess.PIPE,
                stderr=self._log,
            )

    async def _listening(self) -> int:
        if self._program.port is None:
            line = await asyncio.to_thread(self._output.readline)
            if not line.strip().isdigit():
                raise LoadError(f"{self._name} did not start")
            return int(line)
        deadline = now() + TIMEOUT_SECONDS
        while self._process.poll() is None and now() < deadline:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self._program.port)
                writer.close()
                return self._program.port
            await asyncio.sleep(KNOCK_SECONDS)
        raise LoadError(f"{self._name} did not start")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it as an operator would, and let this process's connections see that."""
        await self._stop()
        if kind is not None:
            print(f"--- the end of the log of {self._name}\n{self.log()[-2000:]}", file=sys.stderr)
        self._tidy_up()

    def _tidy_up(self) -> None:
        self._log.close()
        self._folder.cleanup()

    async def _stop(self) -> None:
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            await self._kill()
        self._output.close()

    async def _kill(self) -> None:
        """End what does not stop; Python's fault handler writes into its log where it hangs."""
        self._process.send_signal(signal.SIGABRT)
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, KILL_SECONDS)
        self._process.kill()
        self._process.wait()

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def _name(self) -> str:
        return " ".join(self._program.command)

    def beside(self) -> AbstractContextManager[None]:
        """Run on the server's core meanwhile: the load's belongs to something else."""
        return _on(self._cores)

    def log(self) -> str:
        """Give what the server has logged."""
        return Path(self._log.name).read_text(errors="replace")

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self._process.pid

    def cpu(self) -> float:
        """Give the CPU seconds used so far, by all its processes."""
        return sum(map(cpu_of, tree(self.pid)))

    def memory(self) -> int:
        """Give the bytes that its processes have allocated."""
        return sum(map(memory_of, tree(self.pid)))

    async def held(self) -> int:
        """Let the bridge give back what it does not use; give what is left of ``memory``."""
        await self.tasks()
        return self.memory()

    async def tasks(self) -> int:
        """Let the bridge give back what it does not use; give how many tasks it has."""
        self._process.send_signal(signal.SIGUSR1)
        return int(await asyncio.to_thread(self._output.readline))

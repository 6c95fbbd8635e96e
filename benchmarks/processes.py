"""What a process and all that it has started use: CPU and memory from ``/proc``, so Linux only."""

from __future__ import annotations

import resource
from pathlib import Path

from benchmarks.load import LoadError

ALLOCATED = ("Pss_Anon", "Pss_Shmem")
"""Memory that processes have taken for themselves, and that they share with each other.

Mapped files are not in that. Their share of PSS changes whenever another Python starts or ends on the machine, by
megabytes. Nor are the kernel's buffers of sockets.
"""


def tree(pid: int) -> list[int]:
    """Give a process and all that it has started, directly or not; those that have ended are not there any more."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except FileNotFoundError:
        return []
    return [pid, *(member for child in children for member in tree(int(child)))]


def cpu_of(pid: int) -> float:
    """Give the CPU seconds that a process's threads have used, in the kernel and outside of it.

    These are the scheduler's own figures, in nanoseconds; the usual ones count hundredths. Threads that have ended are
    not in them: no server here ends threads while it is measured.
    """
    times = [(task / "schedstat").read_text().split()[0] for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(map(int, times)) / 1e9


def delay_of(pid: int) -> float:
    """Give the seconds that a process with one thread was ready to run and another ran on its core instead."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def memory_of(pid: int, *what: str) -> int:
    """Give the bytes of a process's memory, by default what it has allocated."""
    wanted = what or ALLOCATED
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines[1:])}
    if missing := set(wanted) - set(sizes):
        raise LoadError(f"the kernel does not tell {', '.join(sorted(missing))} (Linux 5.9 does)")
    return sum(sizes[name] for name in wanted)


def raise_file_limit() -> int:
    """Raise the soft limit on open files as far as it goes; servers inherit it. Return it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard

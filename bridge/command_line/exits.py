"""How a command ends: a code for scripts, a sentence for people, never a traceback for what can be foreseen."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from bridge.client import BridgeError, ConnectError

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    REFUSED = 1
    """Refused, failed, or not known what became of it."""
    USAGE = 2
    NO_CONNECTION = 3


def stop(code: Exit, *lines: str) -> NoReturn:
    """End the command with lines on standard error."""
    for line in lines:
        say(line)
    raise typer.Exit(code)


def say(line: str) -> None:
    """Tell the person at the terminal something that is no output."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 this is the command line


def put(value: dict[str, Any] | str) -> None:
    """Write one line of output at once: text, or one JSON object."""
    print(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), flush=True)  # noqa: T201 same


def run(command: Coroutine[Any, Any, Exit]) -> NoReturn:
    """Run a client's command to its end."""
    try:
        code = asyncio.run(command)
        sys.stdout.flush()
    except ConnectError as error:
        advice = [] if error.refused else ["is the bridge running? start it with: workspace-bridge serve"]
        stop(Exit.NO_CONNECTION, f"error: {error}", *advice)
    except BridgeError as error:
        stop(Exit.REFUSED, f"error: {error}")
    except ValueError as error:
        stop(Exit.USAGE, f"error: {error}")
    except BrokenPipeError:
        _forget_stdout()
        code = Exit.OK
    raise typer.Exit(code)


def _forget_stdout() -> None:
    """Let Python's last flush go nowhere: who read our output has left, and that is no fault."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

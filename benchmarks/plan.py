"""How much is measured: minutes for figures, seconds for a look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Numbers of clients, and lengths of rounds in seconds. Every figure is the median of its rounds."""

    rounds: int = 3
    seconds: float = 1.2
    listeners: int = 1000
    senders: int = 100
    idle: int = 5000
    idle_rounds: int = 2
    agents: int = 100
    commands_per_second: int = 1000
    few_workspaces: int = 10
    many_workspaces: int = 10_000


QUICK = Plan(rounds=2, seconds=0.4, listeners=200, idle=500, idle_rounds=1, many_workspaces=500)
"""A look in seconds; its figures show that everything runs, not more."""

SESSIONS_PER_DESK = 5
"""Widgets on one agent's desktop: how idle sessions are spread over workspaces."""

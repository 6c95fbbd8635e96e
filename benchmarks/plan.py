"""How much is measured: minutes for figures, seconds for a look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Numbers of clients, and lengths of rounds in seconds. Every figure is the median of its rounds.

    Attributes:
        listeners: Sessions that get each message of a fan-out.
        senders: Sessions that publish at once, for one to read.
        idle: Sessions that do nothing.
        storm: Sessions that connect at the same moment.
        desks: Workspaces of the site, with ``SESSIONS_PER_DESK`` sessions each.
        recovering: Sessions of one workspace that come back at the same moment.
        crowds: Numbers of workspaces, and ``patterns`` of patterns, that a publish must not depend on.
        active: In so many of them messages are published.
    """

    rounds: int = 5
    seconds: float = 1.2
    listeners: int = 1000
    senders: int = 100
    idle: int = 10_000
    storm: int = 5000
    desks: int = 2000
    agents: int = 100
    recovering: int = 1000
    crowds: tuple[int, ...] = (10, 100, 1000, 10_000)
    patterns: tuple[int, ...] = (1, 1000, 10_000, 100_000)
    active: int = 10


QUICK = Plan(
    rounds=2,
    seconds=0.4,
    listeners=200,
    idle=500,
    storm=200,
    desks=100,
    recovering=100,
    crowds=(10, 500),
    patterns=(1, 1000),
)
"""A look in seconds; its figures show that everything runs, not more."""

SESSIONS_PER_DESK = 5
"""Widgets on one agent's desktop: how sessions are spread over workspaces."""

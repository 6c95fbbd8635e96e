"""Python's cycle collector, set for a process that keeps much and stops for nobody."""

from __future__ import annotations

import gc

YOUNG = 20_000
"""New objects before the youngest are looked at: about a millisecond."""

MIDDLE = 5
"""Such looks before the survivors are looked at: some milliseconds."""

OLD = 1000
"""Those before everything is looked at: after some hundred million objects."""


def spare_the_collector() -> None:
    """Let the collector look seldom at what lives long. Call it once, when the program is loaded.

    What the bus keeps (history, ids, sessions) holds no cycles and goes when the last reference does. A full collection
    walks over all of it for nothing and holds every session up meanwhile: about a second per gigabyte.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)

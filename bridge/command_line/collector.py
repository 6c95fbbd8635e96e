"""Python's cycle collector, set for a process that keeps much and stops for nobody."""

from __future__ import annotations

import gc

YOUNG = 200
"""New objects before the youngest are looked at: half a millisecond.

What goes by itself does not count, so most of these stay, such as one for each message that a workspace remembers. To
look at one that is no longer in the processor's cache takes microseconds: of 2,000 it was 8 ms, of 20,000 more, and
everybody waited. What is spent in all is the same.
"""

MIDDLE = 2
"""Such looks before the survivors, some 600, are looked at: 3 ms."""

OLD = 200_000
"""Those before everything is looked at: after some hundred million objects."""


def spare_the_collector() -> None:
    """Let the collector look seldom at what lives long. Call it once, when the program is loaded.

    What the bus keeps (history, ids, sessions) holds no cycles and goes when the last reference does. A full collection
    walks over all of it for nothing and holds every session up meanwhile: about a second per gigabyte.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)

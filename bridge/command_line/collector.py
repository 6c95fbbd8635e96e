"""Python's cycle collector, set for a process that keeps much and stops for nobody."""

from __future__ import annotations

import gc

YOUNG = 2_000
"""New objects before the youngest are looked at: a millisecond, or eight when none is in the processor's cache.

What goes by itself does not count, so most of these stay and are all looked at. 20,000 took more, and everybody waited.
200 take less, but then what a connection needs for its beginning has grown old when it ends, and is not looked at any
more: idle sessions took 10.5 KB each instead of 6.8.
"""

MIDDLE = 2
"""Such looks before the survivors, some 6,000, are looked at: some milliseconds. Of 80,000 they were 72."""

OLD = 20_000
"""Those before everything is looked at: after some hundred million objects."""


def spare_the_collector() -> None:
    """Let the collector look seldom at what lives long. Call it once, when the program is loaded.

    What the bus keeps (history, ids, sessions) holds no cycles and goes when the last reference does. A full collection
    walks over all of it for nothing and holds every session up meanwhile: about a second per gigabyte.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)

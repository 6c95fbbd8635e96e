from __future__ import annotations

import gc

from bridge.command_line.collector import MIDDLE, OLD, YOUNG, spare_the_collector


def test_collector_leaves_alone_what_is_loaded_and_looks_seldom_at_what_lives_long() -> None:
    before = gc.get_threshold()
    try:
        spare_the_collector()
        assert gc.get_threshold() == (YOUNG, MIDDLE, OLD)
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
    assert gc.isenabled()

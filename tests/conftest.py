"""What holds for all tests: how hard properties are tried (seconds each, in ``make soak`` minutes), and signals."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile("test", max_examples=100, stateful_step_count=40, deadline=None)
settings.register_profile(
    "soak",
    max_examples=5000,
    stateful_step_count=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))

# A shell starts what it puts into the background with Ctrl-C ignored, and programs that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

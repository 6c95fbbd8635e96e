"""How hard the property tests try: ``make test`` takes seconds for each, ``make soak`` minutes."""

from __future__ import annotations

import os

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

from __future__ import annotations

import pytest

# What it checks shall say what is wrong, as a test's own assertions do.
pytest.register_assert_rewrite("tests.finesse_faults.centre")

from __future__ import annotations

import pytest

from tests.calls.simulator.adapter_desk import Desk
from tests.calls.simulator.switch_story import Story


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.attach("demo")
    return desk

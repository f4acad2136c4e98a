"""The same tests in memory and on a real broker."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from testkit import BotTest

Kit = Callable[..., BotTest]


@pytest.fixture(params=[False, True], ids=["in memory", "real"])
def kit(request: pytest.FixtureRequest) -> Kit:
    return partial(BotTest, real=request.param)

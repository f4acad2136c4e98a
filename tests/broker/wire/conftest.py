"""What the tests of sockets share: a context of their own, gone with the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq

from broker.wire.sockets import Context


@pytest.fixture
def context() -> Iterator[Context]:
    made = zmq.Context()
    yield made
    made.destroy(linger=0)

"""A broker on a thread, on real sockets, for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.app import EmbeddedBroker


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker

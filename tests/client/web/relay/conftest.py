"""What the relay's tests share: a broker with people, and a gateway's key that it knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from common.keys import KeyPair, generate
from tests.support.gateway import Broker
from tests.support.relays import Served, broker_of, relayed


@pytest.fixture(scope="module")
def gate() -> KeyPair:
    """The gateway's keys."""
    return generate()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, gate: KeyPair) -> Iterator[Broker]:
    """A broker that knows them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERTULIA_BROKER_CHAT_POSTS", "0 0")  # the tests say more than a person would
        with broker_of(gate, tmp_path_factory.mktemp("broker") / "data", "ana", "bob", "eva") as started:
            yield started


@pytest.fixture
async def served(running: Broker, gate: KeyPair) -> AsyncIterator[Served]:
    """A relay before that broker."""
    async with relayed(running.address, gate) as started:
        yield started

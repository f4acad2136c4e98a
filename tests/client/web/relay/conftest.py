"""What the relay's tests share: a broker with people, and a gateway's key that it knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from zmq.utils import z85

from common.keys import KeyPair, generate
from tests.support.gateway import Broker, broker
from tests.support.relays import Served, relayed


@pytest.fixture(scope="module")
def gate() -> KeyPair:
    """The gateway's keys."""
    return generate()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, gate: KeyPair) -> Iterator[Broker]:
    """A broker that knows them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERTULIA_BROKER_CHAT_GATEWAYS", z85.encode(gate.public).decode())
        # Each test connects anew, by the same key, and says more than a person would.
        patch.setenv("TERTULIA_BROKER_CHAT_POSTS", "0 0")
        patch.setenv("TERTULIA_BROKER_NETWORK_SESSION_HANDSHAKES", "1000 1000")
        with broker(Path(tmp_path_factory.mktemp("broker")) / "data", "ana", "bob", "eva") as started:
            yield started


@pytest.fixture
async def served(running: Broker, gate: KeyPair) -> AsyncIterator[Served]:
    """A relay before that broker."""
    async with relayed(running.address, gate) as started:
        yield started

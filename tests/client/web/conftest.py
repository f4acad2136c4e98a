"""What the gateway's tests share: a broker with accounts, and Ana in its lobby."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from client import ChatClient
from tests.support.gateway import PASSWORD, Broker, broker


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of its own process; `hooks` is the gateway's account."""
    with broker(tmp_path_factory.mktemp("broker") / "data", "ana") as started:
        yield started


@pytest.fixture
async def ana(running: Broker) -> AsyncIterator[ChatClient]:
    """Ana, logged in."""
    async with ChatClient(running.address, "ana", PASSWORD) as chat:
        yield chat


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    """Where a test keeps its hooks."""
    return tmp_path / "hooks.json"

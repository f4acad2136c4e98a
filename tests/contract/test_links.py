"""Both connections keep the contract: what is tested in memory holds on sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.app import EmbeddedBroker
from broker.chat.settings import ChatSettings
from client.link.line import Network
from common.keys import generate
from testkit.clock import Clock
from testkit.servers import InMemory
from tests.contract.link_contract import LinkContract, Place


class TestSockets(LinkContract):
    @pytest.fixture
    def place(self) -> Iterator[Place]:
        with EmbeddedBroker() as broker:
            yield Place(Network(), broker.address, generate)


class TestMemory(LinkContract):
    @pytest.fixture
    def place(self) -> Place:
        server = InMemory(ChatSettings(), Clock())
        return Place(server.transport, server.address, server.keys)

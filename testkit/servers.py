"""Where a bot is tested: in memory, or on a broker of its own on loopback. One port, so that a test need not know.

In memory the kit knows what is under way, and whoever is told to wait waits no longer than the clock takes to be moved.
On loopback it finds out by round trips. Must not know bots, nor people.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Final, Protocol

from broker.app import EmbeddedBroker
from broker.chat.effects import Now
from broker.chat.settings import ChatSettings
from broker.datadir import DataDir
from broker.wire.operator_client import OperatorClient
from client.link.line import Network as Sockets
from client.link.transport import Transport
from common.addresses import Address
from common.keys import KeyPair, generate
from common.messages import Command, Reply
from testkit.client import Client
from testkit.clock import Clock
from testkit.memory import Network

TURNS: Final = 24
"""Turns of the event loop without a frame after which nothing more is to be expected of whoever was told something."""
PAUSE_S: Final = 0.001
"""Seconds between two looks at what this process cannot be told of: a thread, another program."""
SETTLE_S: Final = 1.0
"""Seconds after which the rules take a lost connection for gone."""


class Server(Protocol):
    """A broker for one test."""

    address: Address
    transport: Transport

    def open(self) -> None:
        """Start it."""

    async def close(self) -> None:
        """Stop it, and leave nothing behind."""

    def keys(self) -> KeyPair:
        """A new key pair for a client."""

    def operate(self, command: Command) -> Reply:
        """Do one of the operator's commands. Raises the `ChatError` with which it was refused."""

    async def arrive(self, clients: Iterable[Client], until: Callable[[], bool]) -> None:
        """Return once everything that is under way to these clients is there, or at once when `until` says so."""

    def go_on(self) -> bool:
        """If somebody waits because the broker said so, let that time pass; says whether there was anybody."""

    def stops(self) -> list[float]:
        """Seconds from now on at which the rules do something by themselves, if the clock is moved beyond."""

    async def moved(self) -> None:
        """The clock was moved: let everybody live up to it."""


class InMemory:
    """The rules, and connections without sockets."""

    def __init__(self, settings: ChatSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.address = Address("memory", 1, bytes(32))
        self._network = Network(settings, clock)
        self.transport: Transport = self._network

    def open(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to stop. Raises what the rules should not have raised."""
        if self._network.broker.faults:
            raise self._network.broker.faults[0]

    def keys(self) -> KeyPair:
        """Nobody is to be kept from reading here: a name is enough."""
        return KeyPair(os.urandom(32), os.urandom(32))

    def operate(self, command: Command) -> Reply:
        """Ask the rules."""
        return self._network.broker.operate(command)

    async def arrive(self, clients: Iterable[Client], until: Callable[[], bool]) -> None:
        """Let the loop turn until no frame is under way, and nobody has sent one for a while."""
        still = 0
        while still < TURNS and not until():
            await asyncio.sleep(0)
            still = still + 1 if self._network.quiet else 0

    def go_on(self) -> bool:
        """Move the clock to where the first session that waits wants to go on."""
        deadline = self._network.deadline()
        if deadline == math.inf:
            return False
        self._clock.move(deadline * 1000 + 1)
        self._network.tick()
        return True

    def stops(self) -> list[float]:
        """A lost connection is gone after a moment, and the grace begins then."""
        return [SETTLE_S, 2 * SETTLE_S + self._settings.grace_s]

    async def moved(self) -> None:
        """Everybody who is connected sends their heartbeat before the rules look who has fallen silent."""
        self._network.tick()
        await self.arrive((), lambda: self._network.quiet)
        self._network.broker.tick()


class Loopback:
    """A broker with its threads, sockets and database, in a directory that vanishes with it.

    Its wall clock is the kit's. What hangs on the clock that never jumps (rates, the grace) goes by real time: people
    would have to be heard from meanwhile.
    """

    def __init__(self, settings: ChatSettings, clock: Clock) -> None:
        self._broker = EmbeddedBroker(chat=settings, clock=lambda: Now(clock.now(), time.monotonic()))
        self._open = ExitStack()
        self.transport: Transport = Sockets()

    def open(self) -> None:
        """Start the broker. Its operator's commands are asked on its own socket."""
        self._open.enter_context(self._broker)
        self.address = self._broker.address
        self._operator = self._open.enter_context(OperatorClient(DataDir(self._broker.data_dir).operator))

    async def close(self) -> None:
        """Stop it."""
        self._open.close()

    def keys(self) -> KeyPair:
        """A real one."""
        return generate()

    def operate(self, command: Command) -> Reply:
        """Ask the broker, which runs on threads of its own and does not wait for this one."""
        return self._operator.ask(command)

    async def arrive(self, clients: Iterable[Client], until: Callable[[], bool]) -> None:
        """A round trip of each client, on both of its connections."""
        turns = 1
        for client in clients:
            if until():
                return
            await client.catch_up()
            turns = TURNS
        for _ in range(turns):
            await asyncio.sleep(0)

    def go_on(self) -> bool:
        """Time passes by itself."""
        return False

    def stops(self) -> list[float]:
        """None that the clock could be moved to."""
        return []

    async def moved(self) -> None:
        """The broker looks at the clock by itself."""

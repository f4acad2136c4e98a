"""What a session and a line may rely on of a connection, over sockets and in memory alike.

A subclass gives the fixture `place`: a transport, the address of a broker, and a key pair for each client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from client.link.actions import Answered
from client.link.failures import LinkLost
from client.link.line import Line
from client.link.session import Session
from client.link.transport import Link, Transport
from client.link.updates import Arrived, LinkState, RoomJoined, Settled, Update
from common import messages as m
from common import topics
from common.addresses import Address
from common.errors import NoSuchRoom, NotLoggedIn
from common.keys import KeyPair

PATIENCE_S = 20.0


class Place(NamedTuple):
    """Where the connections of one test lead."""

    transport: Transport
    address: Address
    keys: Callable[[], KeyPair]


class Client:
    """A line on the connection that is tried, and what it was told."""

    def __init__(self, place: Place, keys: KeyPair | None = None) -> None:
        self.told: list[Update] = []
        self.links: list[Link] = []
        self.line = Line(place.address, keys or place.keys(), "contract", self.told.append, self._kept(place))
        self.session: Session = self.line.session

    def _kept(self, place: Place) -> Any:
        links, transport = self.links, place.transport

        class Keeping:
            monotonic, wall = staticmethod(transport.monotonic), staticmethod(transport.wall)

            def connect(self, *given: Any) -> Link:
                links.append(transport.connect(*given))
                return links[0]

        return Keeping()

    @property
    def link(self) -> Link:
        return self.links[0]

    def entries(self, log: str) -> list[m.AnyEntry]:
        return [update.entry for update in self.told if isinstance(update, Arrived) and update.log == log]

    async def until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.line.until(fact)

    async def register(self, login: str) -> None:
        await self.line.start(PATIENCE_S)
        await self.line.request(
            m.Register(login=login, password="correct horse", first_names="A", surnames="B", age=1, gender="other")
        )
        await self.until(lambda: self.session.link is LinkState.LIVE and self.session.subscriptions.complete)


def run(scenario: Awaitable[None]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(2 * PATIENCE_S):
            await scenario

    asyncio.run(whole())


class LinkContract:
    """The tests."""

    def test_it_greets_asks_and_hears(self, place: Place) -> None:
        async def scenario() -> None:
            ana, bob = Client(place), Client(place)
            await ana.register("ana")
            await bob.register("bob")
            assert ana.link.reached
            assert not ana.link.refused
            texts = [f"message {number}" for number in range(50)]
            for text in texts:
                await ana.line.post(m.Send(room="lobby", text=text, nonce=ana.session.nonce()))
            await bob.until(lambda: len(bob.entries("lobby")) == 50)
            assert [entry.text for entry in bob.entries("lobby") if isinstance(entry, m.Message)] == texts
            assert sum(isinstance(update, Settled) for update in ana.told) == 50
            with pytest.raises(NoSuchRoom):
                await ana.line.request(m.Join(room="nowhere"))
            await ana.line.close()
            await bob.line.close()

        run(scenario())

    def test_what_is_given_up_is_not_heard_and_what_is_asked_for_again_is(self, place: Place) -> None:
        async def scenario() -> None:
            ana, bob = Client(place), Client(place)
            await ana.register("ana")
            await bob.register("bob")
            await ana.line.request(m.Create(room="ops"))
            await bob.line.request(m.Join(room="ops"))
            await bob.until(lambda: bob.session.subscriptions.complete)
            await bob.line.request(m.Leave(room="ops"))
            await ana.line.post(m.Send(room="ops", text="without bob", nonce=ana.session.nonce()))
            await bob.line.request(m.Join(room="ops"))
            await bob.until(lambda: bob.session.subscriptions.complete)
            await ana.line.post(m.Send(room="ops", text="with bob", nonce=ana.session.nonce()))
            await bob.until(lambda: bool(bob.entries("ops")))
            assert [entry.text for entry in bob.entries("ops") if isinstance(entry, m.Message)] == ["with bob"]
            assert sum(isinstance(update, RoomJoined) and update.view.name == "ops" for update in bob.told) == 2
            await ana.line.close()
            await bob.line.close()

        run(scenario())

    def test_what_the_broker_cuts_comes_back(self, place: Place) -> None:
        async def scenario() -> None:
            ana, bob = Client(place), Client(place)
            await ana.register("ana")
            await bob.register("bob")
            await ana.line.request(m.Create(room="ops"))
            await bob.line.request(m.Join(room="ops"))
            await bob.until(lambda: bob.session.subscriptions.complete)
            await ana.line.request(m.Remove(room="ops", login="bob"))
            await bob.until(lambda: "ops" not in bob.session.rooms.views)
            await ana.line.post(m.Send(room="ops", text="without bob", nonce=ana.session.nonce()))
            await ana.line.post(m.Send(room="lobby", text="for all", nonce=ana.session.nonce()))
            await bob.until(lambda: bool(bob.entries("lobby")))
            assert bob.entries("ops") == []
            await ana.line.close()
            await bob.line.close()

        run(scenario())

    def test_a_step_that_raises_is_the_callers_and_what_it_asked_for_is_done(self, place: Place) -> None:
        async def scenario() -> None:
            client = Client(place)
            await client.line.start(PATIENCE_S)
            numbers = []

            def step(now: float) -> None:
                assert abs(now - place.transport.monotonic()) < 1
                numbers.append(client.session.request(m.Ping(), now))
                raise KeyError("the caller's own")

            answered: list[Answered] = []
            client.line._answered = answered.append  # type: ignore[method-assign]
            with pytest.raises(KeyError):
                client.link.do(step)
            await client.until(lambda: bool(answered))
            assert answered[0].call == numbers[0]
            assert isinstance(answered[0].outcome, NotLoggedIn)
            await client.line.close()

        run(scenario())

    def test_a_fault_of_whoever_is_told_ends_nothing(self, place: Place) -> None:
        async def scenario() -> None:
            faults: list[dict[str, Any]] = []
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
            ana = Client(place)

            def fail(update: Update) -> None:
                raise ValueError("the application's own")

            ana.line._apply = fail
            await ana.register("ana")
            await ana.line.post(m.Send(room="lobby", text="hola", nonce=ana.session.nonce()))
            assert faults
            assert {type(fault["exception"]) for fault in faults} == {ValueError}
            await ana.line.close()

        run(scenario())

    def test_closed_it_is_silent_and_whoever_waits_is_told(self, place: Place) -> None:
        async def scenario() -> None:
            ana, bob = Client(place), Client(place)
            await ana.register("ana")
            await bob.register("bob")
            waiting = asyncio.create_task(ana.line.request(m.Users()))
            await asyncio.sleep(0)
            await ana.line.close()
            await ana.line.close()
            with pytest.raises(LinkLost):
                await waiting
            told = len(ana.told)
            await bob.line.post(m.Send(room="lobby", text="hola", nonce=bob.session.nonce()))
            assert len(ana.told) == told
            await bob.line.close()

        run(scenario())

    def test_whoever_comes_back_with_their_key_is_still_logged_in(self, place: Place) -> None:
        async def scenario() -> None:
            keys = place.keys()
            ana = Client(place, keys)
            await ana.register("ana")
            await ana.line.close()
            again = Client(place, keys)
            await again.line.start(PATIENCE_S)
            assert again.session.rooms.login == "ana"
            await again.until(lambda: again.session.subscriptions.complete)
            assert topics.inbox("ana") in again.session.rooms.logs
            await again.line.close()

        run(scenario())

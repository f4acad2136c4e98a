"""From a broker through the relay to a push service: a page that is looked at, one that is hidden, none, a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from client import ChatClient
from client.web.push.push import Push
from client.web.push.subscriptions import Subscriptions
from common.keys import KeyPair, generate
from tests.client.web.push.service import Browser, Service
from tests.support.gateway import PASSWORD, Broker
from tests.support.patience import PATIENCE_S
from tests.support.relays import Page, Served, broker_of, nonce, relayed


@pytest.fixture(scope="module")
def gate() -> KeyPair:
    """The gateway's keys."""
    return generate()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, gate: KeyPair) -> Iterator[Broker]:
    """A broker that knows them."""
    with broker_of(gate, tmp_path_factory.mktemp("broker") / "data", "ana", "bob") as started:
        yield started


@pytest.fixture
async def served(running: Broker, gate: KeyPair) -> AsyncIterator[Served]:
    """A relay before that broker."""
    async with relayed(running.address, gate) as started:
        yield started


class Rounds:
    """The pauses of deliveries, of which none is waited for; counted, so that it is known when all was decided."""

    def __init__(self) -> None:
        self.taken = 0
        self.came = asyncio.Event()

    async def __call__(self, _seconds: float) -> None:
        self.taken += 1
        self.came.set()
        await asyncio.sleep(0)

    async def decided(self) -> None:
        """Two pauses from now: one before the broker is asked, one after."""
        until = self.taken + 2
        async with asyncio.timeout(PATIENCE_S):
            while self.taken < until:
                self.came.clear()
                await self.came.wait()


async def write(page: Page, text: str) -> None:
    assert (await page.ask("direct", to="bob", text=text, nonce=nonce()))["ok"]


async def arrives(service: Service, browser: Browser) -> dict[str, Any]:
    return browser.read((await asyncio.wait_for(service.arrived.get(), 20)).body)


async def test_who_is_away_is_told_and_who_is_there_is_not(
    running: Broker, served: Served, service: Service, tmp_path: Path
) -> None:
    rounds = Rounds()
    push = Push(served.relay, tmp_path, connector=service.connector, pause=rounds)
    push.start()
    try:
        phone = Browser("phone")
        ana = await served.person("ana")
        label = await served.login("bob")
        bob = await served.page(label)
        assert (await bob.greet())["push"] is True
        assert (await bob.ask("push-key"))["key"]
        refused = await bob.ask("push-add", subscription={**phone.subscription, "endpoint": "https://127.0.0.1/"})
        assert refused["error"]["code"] == "bad-request"
        assert (await bob.ask("push-add", subscription=phone.subscription))["ok"]

        await write(ana, "while he looks")
        await bob.hears("@bob", "while he looks")
        assert (await bob.ask("active", on=False))["ok"]
        await write(ana, "while the page is hidden")
        assert (await arrives(service, phone))["body"] == "while the page is hidden"

        await bob.close()
        await write(ana, "just after the page was closed")
        assert (await arrives(service, phone))["body"] == "just after the page was closed"
        assert (await ana.ask("send", room="lobby", text="is @bob here?", nonce=nonce()))["ok"]
        assert (await arrives(service, phone))["talk"] == "lobby"

        async with ChatClient(running.address, "bob", PASSWORD):
            deciding = asyncio.create_task(rounds.decided())
            await write(ana, "while a terminal is open")
            await deciding
            assert service.nothing_came()

        await served.relay.leave(label)
        await push.forget(label)
        assert list(Subscriptions(tmp_path / "push.json")) == []
    finally:
        await push.close()

"""What is special about the broker in memory: who is present, who is cut off, what a fault does, what is left."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import threading
from collections.abc import Iterator

import pytest

from common import messages as m
from common.errors import Internal
from testkit import BotTest
from tests.testkit.bots import doorman, parrot
from tests.testkit.conftest import Kit


async def test_whoever_vanishes_is_gone_when_the_grace_is_over() -> None:
    async with BotTest(doorman()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await t.room("attic", by=bob, people=[ana])
        await ana.forget()
        await bob.vanish()
        await t.advance(seconds=2)
        assert (await ana.sees("offline")).by == "bob"
        await t.advance(seconds=17)
        assert "bob" in await ana.members()
        await t.advance(seconds=5)
        assert (await ana.sees("leave")).text == "gone"
        assert [(await ana.hears()).text for _ in range(1)] == ["leave bob"]
        assert set(ana.chat.rooms) == {"lobby"}, "the attic ended with its maker"


async def test_whoever_comes_back_in_time_has_lost_nothing() -> None:
    async with BotTest(doorman()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await t.room("attic", by=bob, people=[ana])
        await ana.forget()
        await bob.vanish()
        await t.advance(seconds=15)
        await t.back(bob)
        await t.advance(minutes=5)
        assert await ana.members("attic") == ["ana", "bob", "doorman"]
        assert (await ana.sees("offline")).by == (await ana.sees("online")).by == "bob"
        await bob.say("still mine", room="attic")
        assert (await ana.hears("attic")).text == "still mine"


async def test_whoever_is_put_out_is_cut_off_and_listens_on_elsewhere() -> None:
    async with BotTest(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await t.room("ops", by=ana, people=[bob])
        await bob.forget()
        await ana.remove(bob, "ops")
        await ana.say("he is gone", room="ops")
        await ana.say("is he here?")
        assert (await bob.hears()).text == "is he here?"
        await bob.silence()


async def test_a_fault_of_the_rules_is_told_and_raised_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from broker.chat.context import HANDLERS, Handled

    def fail(*_: object) -> list[object]:
        raise ZeroDivisionError("in the rules")

    monkeypatch.setitem(HANDLERS, m.Users, Handled(fail, True))  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError, match="in the rules"):
        async with BotTest(parrot()) as t:
            ana = await t.person("ana")
            with pytest.raises(Internal):
                await ana.request(m.Users())
            await t.dialogue(ana, [("!say hola", "hola")])


async def test_no_more_requests_than_a_broker_takes() -> None:
    async with BotTest(parrot()) as t:
        ana = await t.person("ana")
        begun = t.now
        for _ in range(1_200):
            await ana.request(m.Ping())
        assert t.now > begun, "beyond the burst one has to wait"


@pytest.fixture
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def threads() -> set[str]:
        gc.collect()
        return {thread.name for thread in threading.enumerate()}

    before = threads()
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setattr(tempfile, "tempdir", directory)
        yield
        assert os.listdir(directory) == []
    assert threads() == before


@pytest.mark.usefixtures("nothing_left")
def test_nothing_is_left_behind(kit: Kit) -> None:
    async def scenario() -> None:
        async with kit(parrot()) as t:
            await t.dialogue("ana", [("!say hola", "hola"), ("!plainly hola", "hola"), ("!ask", "What?")])
            bob = await t.person("bob")
            await bob.vanish()
            await t.restart()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        async with kit(parrot()) as t:
            await t.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


def test_in_memory_no_file_and_no_socket_is_opened() -> None:
    async def scenario() -> int:
        async with BotTest(parrot()) as t:
            await t.dialogue("ana", [("!say hola", "hola")])
            return len(os.listdir("/proc/self/fd"))

    async def nothing() -> int:
        return len(os.listdir("/proc/self/fd"))

    assert asyncio.run(scenario()) == asyncio.run(nothing())

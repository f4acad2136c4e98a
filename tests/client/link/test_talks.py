"""Marks, typing, status and last seen, over real sockets: two devices of one person agree, and others learn nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from broker.app import EmbeddedBroker
from client import ChatClient
from client.link.updates import LinkState, RosterChanged, TalkMarked, Update, WritesNow
from common import messages as m
from common.errors import BadText, NoSuchUser, NotMember
from common.limits import TYPING_ROOM
from tests.client.link.test_against_broker import PASSWORD, Killable, Line, account, circle, run, until
from tests.support import unlimited
from tests.support.patience import PATIENCE_S


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(chat=unlimited.CHAT, network=unlimited.NETWORK) as broker:
        yield broker


@asynccontextmanager
async def device(broker: EmbeddedBroker, login: str, **given: Any) -> AsyncIterator[ChatClient]:
    """A further session of somebody."""
    async with ChatClient(given.pop("address", broker.address), login, PASSWORD, **given) as chat:
        await chat.wait_live()
        yield chat


def marks(chat: ChatClient) -> dict[str, tuple[int, str | None]]:
    """What a client shows of its marks."""
    state = chat.state
    assert state is not None
    views: list[m.RoomView | m.TalkView] = [*state.rooms, *state.talks]
    return {view.name if isinstance(view, m.RoomView) else view.talk: (view.read, view.notify) for view in views}


async def barrier(sender: ChatClient, hearer: ChatClient) -> None:
    """Return once everything that `hearer` was told so far has arrived: a message after it has."""
    sent = await sender.direct(str(hearer.login), "barrier")
    entries = hearer.inbox.entries()
    async for entry in entries:
        if isinstance(entry, m.DirectMessage) and entry.text == "barrier" and entry.time >= sent.time:
            return


def test_two_devices_agree_and_nobody_else_hears_of_it(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        async with circle(broker.address, "Ana", "bob") as (ana, bob), device(broker, "ana") as phone:
            room = await bob.create("Dev")
            for chat in (ana, phone):
                await chat.join("dev")
            sent = await room.send("hola")
            overheard = bob.updates()
            told = phone.updates(), ana.updates()
            await ana.mark("DEV", sent.seq)
            await phone.mark("@BOB", notify="off")
            for updates in told:
                assert await until(updates, TalkMarked) == TalkMarked("Dev", sent.seq, None)
                assert await until(updates, TalkMarked) == TalkMarked("@bob", 0, "off")
            assert marks(ana) == marks(phone)
            assert marks(phone) == {"lobby": (0, None), "Dev": (sent.seq, None), "@bob": (0, "off")}
            assert ana.rooms["Dev"].view.read == sent.seq
            await barrier(ana, bob)
            await bob.close()
            assert [each async for each in overheard if isinstance(each, TalkMarked)] == []
            async with device(broker, "ana") as tablet:
                assert marks(tablet) == marks(phone)

    run(scenario())


def test_a_device_that_was_cut_off_finds_the_marks_when_it_is_back(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        line = Line(broker.address)
        async with circle(broker.address, "ana") as (ana,), device(broker, "ana", address=await line.open()) as phone:
            updates = phone.updates()
            line.cut()
            sent = await ana.rooms["lobby"].send("hola")
            await ana.mark("lobby", sent.seq, "mentions")
            await ana.mark("@ana", notify="off")
            assert phone.link is not LinkState.LIVE or marks(phone)["lobby"] == (0, None)
            await line.mend()
            found = {await until(updates, TalkMarked), await until(updates, TalkMarked)}
            assert found == {TalkMarked("lobby", sent.seq, "mentions"), TalkMarked("@ana", 0, "off")}
            assert marks(phone) == marks(ana)
            line.cut()

    run(scenario())


def test_marks_outlive_the_broker(tmp_path: Path) -> None:
    async def first(broker: EmbeddedBroker) -> None:
        async with circle(broker.address, "ana", "bob") as (ana, bob):
            sent = await bob.rooms["lobby"].send("hola")
            await ana.mark("lobby", sent.seq)
            await ana.mark("@bob", notify="mentions")
            await ana.set_status("away", "té")
            await ana.request(m.UpdateProfile(show_seen=False))

    async def second(broker: EmbeddedBroker) -> None:
        async with device(broker, "ana") as ana, device(broker, "bob") as bob:
            assert marks(ana) == {"lobby": (1, None), "@bob": (0, "mentions")}
            assert marks(bob) == {"lobby": (0, None)}
            assert ana.state is not None
            assert (ana.state.status, ana.state.note) == ("away", "té")
            profile = await bob.request(m.Profile(login="ana"))
            assert (profile.status, profile.note, profile.seen) == ("away", "té", None)
            assert (await bob.request(m.Profile())).seen is not None

    for scenario in (first, second):
        with EmbeddedBroker(data_dir=tmp_path, chat=unlimited.CHAT, network=unlimited.NETWORK) as broker:
            run(scenario(broker))


def test_a_killed_broker_forgets_no_wish_and_clients_keep_what_they_know_was_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = Killable(tmp_path)
        try:
            address = process.start()
            async with circle(address, "ana") as (ana,), ChatClient(address, "ana", PASSWORD) as phone:
                sent = await ana.rooms["lobby"].send("hola")
                told = phone.updates()
                await ana.mark("lobby", notify="off")
                assert (await until(told, TalkMarked)).notify == "off"
                await ana.mark("lobby", sent.seq)
                assert await until(told, TalkMarked) == TalkMarked("lobby", sent.seq, "off")
                process.kill()
                await asyncio.to_thread(process.start)
                async with ChatClient(address, "ana", PASSWORD) as tablet:
                    await tablet.wait_live()
                    # What was read may be forgotten, or not: it was some seconds short of the disk.
                    assert marks(tablet)["lobby"] in ((0, "off"), (sent.seq, "off"))
                    for chat in (ana, phone):
                        async with asyncio.timeout(PATIENCE_S):
                            await chat.wait_live()
                        assert marks(chat)["lobby"] == (sent.seq, "off")
                    await phone.mark("lobby", sent.seq)
                    await ana.mark("lobby", sent.seq)
                    state = (await tablet.request(m.Hello(versions=[1]))).session
                    assert state is not None
                    assert [view.read for view in state.rooms] == [sent.seq], "whoever marks again makes it good"
        finally:
            process.kill()

    run(scenario())


def test_who_is_writing(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        async with circle(broker.address, "Ana", "bob", "eva") as (ana, bob, eva):
            own, others, outside = ana.updates(), bob.updates(), eva.updates()
            await ana.wait_live()  # a notice is given up where it is not
            await ana.typing("LOBBY")
            await ana.typing("@BOB")
            await ana.typing("@bob", on=False)
            await ana.typing("nowhere")
            await ana.typing("@nobody")
            assert [await until(others, WritesNow) for _ in range(3)] == [
                WritesNow("lobby", "Ana", True),
                WritesNow("@Ana", "Ana", True),
                WritesNow("@Ana", "Ana", False),
            ]
            assert await until(outside, WritesNow) == WritesNow("lobby", "Ana", True)
            for chat in (ana, eva):
                await barrier(bob, chat)
                await chat.close()
            for updates in (own, outside):
                assert [each async for each in updates if isinstance(each, WritesNow)] == []

    run(scenario())


def test_in_a_crowd_nobody_is_told_who_writes(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        logins = [f"p{number}" for number in range(TYPING_ROOM + 1)]
        async with circle(broker.address, *logins) as crowd:
            updates = crowd[0].updates()
            await crowd[1].typing("lobby")
            await barrier(crowd[1], crowd[0])
            await crowd[0].close()
            heard: list[Update] = [each async for each in updates]
            assert [each for each in heard if isinstance(each, WritesNow)] == []
            assert heard

    run(scenario())


def test_a_status_reaches_others_and_ones_own_devices(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        async with circle(broker.address, "ana", "bob") as (ana, bob), device(broker, "ana") as phone:
            updates, own = bob.updates(), phone.updates()
            await ana.set_status("dnd", "en clase")
            assert ana.state is not None
            assert (ana.state.status, ana.state.note) == ("dnd", "en clase")
            changed = await until(updates, RosterChanged)
            while changed.roster.changes[-1].change != "status":
                changed = await until(updates, RosterChanged)
            assert changed.roster.changes == [m.Change(login="ana", change="status", status="dnd")]
            async with asyncio.timeout(PATIENCE_S):
                while phone.state is None or (phone.state.status, phone.state.note) != ("dnd", "en clase"):
                    await anext(own)
            with pytest.raises(BadText):
                await ana.set_status("away", "two\nlines")

    run(scenario())


def test_what_cannot_be_marked(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        async with circle(broker.address, "ana", "bob") as (ana, bob):
            await ana.create("dev")
            with pytest.raises(NotMember):
                await bob.mark("dev", 1)
            with pytest.raises(NoSuchUser):
                await bob.mark("@nobody", 1)
            assert marks(bob) == {"lobby": (0, None)}

    run(scenario())


def test_offline_nobody_is_told_who_writes_and_nobody_waits_for_it(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        line = Line(broker.address)
        async with circle(broker.address, "ana") as (ana,):
            chat = ChatClient(await line.open(), register=account("bob"))
            await chat.start()
            await chat.wait_live()
            updates = chat.updates()
            line.cut()
            while chat.link is LinkState.LIVE:
                await anext(updates)
            heard = ana.updates()
            await asyncio.wait_for(chat.typing("lobby"), 1)
            await line.mend()
            await chat.wait_live()
            await chat.typing("@ana")
            assert await until(heard, WritesNow) == WritesNow("@bob", "bob", True)
            await chat.close()
            line.cut()

    run(scenario())

"""The interface for programs: what it shows, what it refuses, how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import client
from broker.app import EmbeddedBroker
from client.link.chat import ChatClient
from client.link.failures import LinkLost, NoBroker, SessionOver
from client.link.room import Pending
from client.link.updates import LinkState, RoomLeft
from common import messages as m
from common.addresses import Address, BadAddress
from common.errors import BadText, NoSuchUser, NotLoggedIn, TooMany
from tests.support.patience import PATIENCE_S


def account(login: str) -> m.Register:
    return m.Register(
        login=login, password="correct horse", first_names=login, surnames="X", age=30, gender="undisclosed"
    )


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 2 * PATIENCE_S))


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


def test_the_package_gives_the_client_when_asked() -> None:
    assert client.ChatClient is ChatClient
    with pytest.raises(AttributeError, match="Nothing"):
        _ = client.Nothing


@pytest.mark.parametrize("address", ["127.0.0.1", "tertulia://127.0.0.1:5570", Address("127.0.0.1")])
def test_an_address_without_a_key_is_refused_at_once(address: str | Address) -> None:
    with pytest.raises(BadAddress, match="key is missing"):
        ChatClient(address)


def test_before_it_is_started(broker: EmbeddedBroker) -> None:
    chat = ChatClient(str(broker.address))
    assert (chat.state, chat.login, chat.current, chat.rooms) == (None, None, None, {})
    assert chat.link is LinkState.CONNECTING
    assert chat.round_trip_ms is None
    assert chat.room("lobby") is None
    with pytest.raises(NoBroker):
        _ = chat.default_room
    with pytest.raises(SessionOver):
        _ = chat.inbox


def test_without_a_login(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        async with ChatClient(broker.address) as chat:
            assert chat.link is LinkState.LIVE
            assert chat.welcome.registration == "open"
            assert chat.default_room == "lobby"
            with pytest.raises(NotLoggedIn):
                await chat.join("lobby")
            await chat.register(account("late"))
            assert chat.login == "late"
            assert chat.round_trip_ms is not None

    run(scenario())


def test_what_a_member_sees(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        async with ChatClient(broker.address, register=account("ana")) as chat:
            room = await chat.create("Garden", kept=True, subject="roses")
            assert (room.name, room.subject, repr(room)) == ("Garden", "roses", "<Room 'Garden'>")
            assert chat.room("gARDEN") is room
            assert chat.state is not None
            assert {view.name for view in chat.state.rooms} == {"lobby", "Garden"}
            assert [member.login for member in await room.members()] == ["ana"]
            await chat.request(m.Subject(room="Garden", subject="tulips"))
            updates = chat.updates()
            await room.leave()
            assert (room.left, repr(room)) == ("left", "<Room 'Garden', left>")
            chat_left = [update async for update in _until_left(updates)]
            assert chat_left[-1] == RoomLeft("Garden", "left")

    run(scenario())


async def _until_left(updates: Any) -> Any:
    async for update in updates:
        yield update
        if isinstance(update, RoomLeft):
            return


def test_posts_to_nobody_and_too_many(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        async with ChatClient(broker.address, register=account("eva")) as chat:
            unawaited = chat.post("@nobody", "hello?")
            with pytest.raises(NoSuchUser):
                await unawaited
            assert isinstance(unawaited.outcome, NoSuchUser)
            posts = [chat.post("lobby", str(number)) for number in range(255)]
            assert posts[0].outcome is None
            chat.post(chat.rooms["lobby"], "the last that fits")
            with pytest.raises(TooMany):
                chat.post("lobby", "one more")
            await asyncio.gather(*posts)

    run(scenario())


def test_a_reader_of_the_inbox_of_its_own(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        async with ChatClient(broker.address, register=account("leo")) as chat:
            first = await chat.direct("leo", "note to self")
            await chat.direct("leo", "another")
            reader = chat.inbox.entries(after=first.seq)
            assert (await anext(reader)).text == "another"  # type: ignore[union-attr]
            whole = chat.inbox.entries()
            assert (await anext(whole)).seq == first.seq

    run(scenario())


def test_leaving_gives_up_on_what_a_stopped_broker_owes() -> None:
    async def scenario(running: ExitStack) -> None:
        chat = ChatClient(running.enter_context(EmbeddedBroker()).address, register=account("ana"))
        await chat.start()
        waiting = asyncio.create_task(_history_for_ever(chat))
        await asyncio.to_thread(running.close)
        post = chat.post("lobby", "too late")
        await chat.close()
        assert isinstance(post.outcome, LinkLost)
        with pytest.raises(LinkLost):
            await waiting

    # Ended within the scenario: the client must outlive it.
    with ExitStack() as running:
        run(scenario(running))


@pytest.mark.parametrize("turns", range(1, 6))
def test_closing_that_is_cancelled_leaves_nothing_behind(broker: EmbeddedBroker, turns: int) -> None:
    async def scenario() -> None:
        before = asyncio.all_tasks()
        chat = ChatClient(broker.address, register=account(f"hasty{turns}"))
        await chat.start()
        asked = asyncio.create_task(_history_for_ever(chat))
        closing = asyncio.create_task(chat.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        with pytest.raises((LinkLost, NotLoggedIn)):
            await asked
        assert chat.rooms == {}
        assert asyncio.all_tasks() == before

    run(scenario())


async def _history_for_ever(chat: ChatClient) -> None:
    while True:
        await chat.rooms["lobby"].history()


def test_a_post_is_settled_once() -> None:
    async def scenario() -> None:
        pending = Pending(b"n" * 16, "x")
        sent = m.Sent(seq=1, time=2)
        assert pending.outcome is None
        pending.settle(sent)
        pending.settle(NotLoggedIn())
        assert await pending is sent
        assert pending.outcome is sent

    run(scenario())


def test_giving_up_on_a_post_does_not_take_it_back() -> None:
    async def scenario() -> None:
        pending = Pending(b"n" * 16, "x")
        waiting = asyncio.ensure_future(_wait(pending))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        pending.settle(m.Sent(seq=1, time=2))
        assert (await pending).seq == 1

    run(scenario())


async def _wait(pending: Pending) -> None:
    await pending


def test_what_utf8_cannot_hold_is_refused_where_it_was_written_and_nothing_else_suffers(broker: EmbeddedBroker) -> None:
    async def trial() -> None:
        async with ChatClient(broker.address, register=account("surrogate")) as chat:
            for say in (chat.post, chat.direct):
                with pytest.raises(BadText, match="not text"):
                    say("lobby", "a \udcff")
            with pytest.raises(BadText, match="not text"):
                await chat.request(m.Profile(login="\udcff"))
            assert (await chat.rooms["lobby"].send("and on we go")).seq

    run(trial())

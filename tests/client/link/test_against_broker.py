"""`ChatClient` against the real broker: over loopback, over a line that is cut, and over kills of the process."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from broker.app import EmbeddedBroker
from client import ChatClient
from client.link.failures import LinkLost, NoAnswer, NoBroker, SessionOver
from client.link.updates import Arrived, LinkChanged, LinkState, RoomJoined, RoomLeft, SessionEnded, Settled, Update
from common import addresses, keys
from common import messages as m
from common.addresses import Address
from common.errors import NoSuchRoom, WrongPassword
from tests.support import unlimited
from tests.support.patience import PATIENCE_S

TURN_MS = 50
"""What one turn of the broker may take on a machine that has other things to do."""
PASSWORD = "correct horse"


def account(login: str) -> m.Register:
    """Somebody who registers."""
    return m.Register(login=login, password=PASSWORD, first_names=login, surnames="X", age=30, gender="other")


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine, but not for ever."""
    asyncio.run(asyncio.wait_for(coroutine, 3 * PATIENCE_S))


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(chat=unlimited.CHAT, network=unlimited.NETWORK) as broker:
        yield broker


@pytest.fixture
def named(request: pytest.FixtureRequest) -> str:
    """A suffix for names, so that tests can share a broker."""
    return f"{zlib.crc32(request.node.name.encode())}"


async def take(stream: AsyncIterator[Any], count: int) -> list[Any]:
    """The next entries of a stream."""
    async with asyncio.timeout(PATIENCE_S):
        return [await anext(stream) for _ in range(count)]


async def until(stream: AsyncIterator[Update], wanted: type[Update] | Update) -> Any:
    """The next update of a kind, or the next that is equal."""
    async with asyncio.timeout(PATIENCE_S):
        async for found in stream:
            if found == wanted or (isinstance(wanted, type) and isinstance(found, wanted)):
                return found
    raise AssertionError("the stream ended")


class Line:
    """A proxy for the broker's two encrypted ports that can be cut and mended."""

    def __init__(self, broker: Address) -> None:
        self._broker = broker
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []

    async def open(self) -> Address:
        """Listen on two ports in a row, and give the address that leads through here."""
        if not self._servers:
            port = _free_pair()
            self.address = dataclasses.replace(self._broker, host="127.0.0.1", port=port)
        for above in (0, 1):
            target = self._broker.port + above

            async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: int = target) -> None:
                await self._forward(reader, writer, target)

            self._servers.append(await asyncio.start_server(forward, "127.0.0.1", self.address.port + above))
        return self.address

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: int) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        self._writers |= {writer, back}
        await asyncio.gather(_pump(reader, back), _pump(there, writer))
        self._writers -= {writer, back}

    def cut(self) -> None:
        """Break what is connected, and take no new connection."""
        for server in self._servers:
            server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def mend(self) -> None:
        """Take connections again."""
        await self.open()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


def _free_pair() -> int:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@asynccontextmanager
async def circle(address: Address, *logins: str) -> AsyncIterator[list[ChatClient]]:
    """Registered clients."""
    chats = [ChatClient(address, register=account(login)) for login in logins]
    try:
        for chat in chats:
            await chat.start()
        yield chats
    finally:
        await asyncio.gather(*(chat.close() for chat in chats))


def test_talk(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}", f"bob{named}") as (ana, bob):
            assert ana.login == f"ana{named}"
            assert ana.current is ana.rooms[ana.default_room]
            room = await ana.create(f"dev{named}")
            other = await bob.join(f"DEV{named}")
            assert other.name == room.name
            sent = await room.send("hola")
            (heard,) = await take(aiter(other), 1)
            (own,) = await take(aiter(room), 1)
            assert heard == own
            assert (heard.text, heard.sender, heard.seq, heard.time) == ("hola", ana.login, sent.seq, sent.time)
            assert [message.text for message in await other.history()] == ["hola"]
            assert {member.login for member in await room.members()} == {ana.login, bob.login}

    run(scenario())


def test_posts_keep_their_order_and_come_back_through_updates(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}") as (ana,):
            room = await ana.create(f"dev{named}")
            updates = ana.updates()
            pending = [room.post(str(number)) for number in range(50)]
            texts = [(await until(updates, Arrived)).entry.text for _ in range(50)]
            assert texts == [str(number) for number in range(50)]
            places = [(await post).seq for post in pending]
            assert places == sorted(places)

    run(scenario())


def test_a_program_that_is_started_anew_says_nothing_twice(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}", f"bob{named}") as (ana, bob):
            room = await ana.create(f"dev{named}")
            nonces = [os.urandom(16) for _ in range(5)]
            places = []
            for _ in range(2):
                said = await ana.post(room, "first", nonce=nonces[0], hops=2)
                edited = await ana.edit(room.name, said.seq, "changed", nonce=nonces[1])
                reacted = await ana.react(room.name, said.seq, "👍", nonce=nonces[2])
                private = await ana.post(f"@{bob.login}", "psst", nonce=nonces[3], hops=1)
                taken_back = await ana.retract(room.name, said.seq, nonce=nonces[4])
                places.append([sent.seq for sent in (said, edited, reacted, private, taken_back)])
            assert places[0] == places[1]
            entries = await room.whole_history(after=0)
            assert len(entries) == 4
            assert entries[0].hops == 2
            (received,) = await bob.inbox.history()
            assert (received.text, received.nonce, received.hops) == ("psst", nonces[3], 1)

    run(scenario())


def test_private_messages_reach_both_inboxes(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}", f"bob{named}") as (ana, bob):
            await ana.direct(f"BOB{named}", "psst")
            (received,) = await take(aiter(bob.inbox), 1)
            (kept,) = await take(aiter(ana.inbox), 1)
            assert received.text == kept.text == "psst"
            assert received.nonce == kept.nonce
            assert [entry.text for entry in await bob.inbox.history()] == ["psst"]

    run(scenario())


def test_entering_leaves_the_room_before(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}") as (ana,):
            lobby = ana.rooms["lobby"]
            await ana.create(f"dev{named}")
            entered = await ana.enter(f"dev{named}")
            assert ana.current is entered
            assert set(ana.rooms) == {entered.name}
            assert lobby.left == "left"
            assert [message async for message in lobby] == []
            back = await ana.enter("lobby")
            assert ana.current is back is not lobby
            # What is given back goes one way and what is asked another: the broker may have seen the question first,
            # and have cut the line that still held the room.
            await ana.wait_live()

    run(scenario())


def test_leaving_and_coming_back_at_once_is_not_undone_by_the_echo(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}", f"bob{named}") as (ana, bob):
            await ana.create(f"dev{named}")
            updates = bob.updates()
            for _ in range(20):
                room = await bob.join(f"dev{named}")
                await bob.leave(f"dev{named}")
                assert room.left == "left"
            room = await bob.join(f"dev{named}")
            await room.send("here")
            assert (await take(aiter(room), 1))[0].text == "here"
            changes = [update for update in updates._queue if isinstance(update, (RoomJoined, RoomLeft))]
            assert [type(change) for change in changes] == [RoomJoined, RoomLeft] * 20 + [RoomJoined]

    run(scenario())


def test_a_deleted_room_ends_for_everybody(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}", f"bob{named}") as (ana, bob):
            await ana.create(f"dev{named}")
            room = await bob.join(f"dev{named}")
            await room.send("last words")
            await ana.request(m.Delete(room=f"dev{named}"))
            texts = [message.text async for message in room]
            assert texts == ["last words"]
            assert room.left == "deleted"
            with pytest.raises(NoSuchRoom):
                await bob.post(f"dev{named}", "too late")
            again = await ana.create(f"dev{named}")
            rejoined = await bob.join(f"dev{named}")
            await again.send("anew")
            assert (await take(aiter(rejoined), 1))[0].text == "anew"

    run(scenario())


def test_refusals_are_raised_as_their_own_classes(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}") as (ana,):
            with pytest.raises(NoSuchRoom):
                await ana.join("nowhere")
        with pytest.raises(WrongPassword):
            async with ChatClient(broker.address, f"ana{named}", "wrong password"):
                pass

    run(scenario())


def test_a_further_reader_begins_anywhere_and_a_slow_one_misses_nothing(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}", f"bob{named}") as (ana, bob):
            room = await ana.create(f"dev{named}")
            first = await room.send("first")
            other = await bob.join(f"dev{named}")
            assert other.start == first.seq
            for number in range(3):
                await asyncio.gather(*(room.post(f"{number} {index}") for index in range(250)))
            # By now the reader's queue has run over, once the last one is there.
            reader = other.messages(after=0)
            texts = [message.text for message in await take(reader, 751)]
            assert texts == ["first", *(f"{number} {index}" for number in range(3) for index in range(250))]
            assert [message.text for message in await take(aiter(other), 750)] == texts[1:]
            assert len(await other.history(limit=600)) == 600

    run(scenario())


def test_what_was_said_during_a_cut_arrives_after_it(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}") as (ana,):
            line = Line(broker.address)
            async with circle(await line.open(), f"bob{named}") as (bob,):
                room = await ana.create(f"dev{named}")
                other = await bob.join(f"dev{named}")
                await room.send("before")
                updates = bob.updates()
                line.cut()
                await until(updates, LinkChanged(LinkState.OFFLINE))
                offline = bob.post(other, "from offline")
                for number in range(300):
                    await room.send(f"during {number}")
                await line.mend()
                sent = await offline
                await room.send("after")
                texts = [message.text for message in await take(aiter(other), 303)]
                assert sorted(texts) == sorted(
                    ["before", *(f"during {number}" for number in range(300)), "from offline", "after"]
                )
                assert (await take(aiter(room), 303))[-2].seq == sent.seq
                async with asyncio.timeout(PATIENCE_S):
                    await bob.wait_live()

    run(scenario())


def test_requests_wait_for_the_line_and_what_must_not_be_repeated_is_not(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        line = Line(broker.address)
        async with circle(await line.open(), f"ana{named}") as (ana,):
            updates = ana.updates()
            line.cut()
            await until(updates, LinkChanged(LinkState.OFFLINE))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await ana.create(f"regret{named}")
            users = asyncio.create_task(ana.request(m.Users()))
            made = asyncio.create_task(ana.create(f"dev{named}"))
            await line.mend()
            assert ana.login in {user.login for user in (await users).users}
            assert (await made).name == f"dev{named}"
            assert set(ana.rooms) == {"lobby", f"dev{named}"}, "a request that was cancelled in time is not made"

    run(scenario())


def test_a_revoked_session_ends(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}") as (ana,):
            other = ChatClient(broker.address, f"ana{named}", PASSWORD)
            await other.start()
            updates = other.updates()
            (session,) = [view for view in (await ana.request(m.Sessions())).sessions if not view.current]
            reader = aiter(other.rooms["lobby"])
            await ana.request(m.Revoke(session=session.id))
            ended = await until(updates, SessionEnded)
            # The last word on the beacon can be lost with the connection, which is shut at once.
            assert ended in (SessionEnded("revoked"), SessionEnded("forgotten"))
            assert (other.login, other.state, other.ended, other.rooms) == (None, None, ended.reason, {})
            with pytest.raises(SessionOver):
                await anext(reader)
            await other.close()

    run(scenario())


def test_who_lags_behind_the_end_of_a_room_hears_nothing_of_the_next_one(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}", f"bob{named}") as (ana, bob):
            room = await ana.create(f"dev{named}")
            other = await bob.join(f"dev{named}")
            for number in range(3):
                await asyncio.gather(*(room.post(f"{number} {index}") for index in range(250)))
            await ana.request(m.Delete(room=f"dev{named}"))
            again = await ana.create(f"dev{named}")
            rejoined = await bob.join(f"dev{named}")
            await again.send("anew")
            assert (await take(aiter(rejoined), 1))[0].text == "anew"
            # Its last word can be lost: whoever still hears the old room when there is a new one is cut off at once.
            assert other.left in ("deleted", "gone")
            assert "anew" not in [message.text async for message in other]

    run(scenario())


def test_comings_and_goings_all_at_once_end_where_the_last_one_says(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}", f"bob{named}") as (ana, bob):
            await ana.create(f"dev{named}")
            updates = bob.updates()
            turns = [m.Join(room=f"dev{named}"), m.Leave(room=f"dev{named}")] * 6
            await asyncio.gather(*(bob.request(turn) for turn in turns))
            # On the inbox this comes after the last word about them.
            await bob.direct(f"bob{named}", "after them")
            await take(aiter(bob.inbox), 1)
            changes = [type(update) for update in updates._queue if isinstance(update, (RoomJoined, RoomLeft))]
            assert changes == [RoomJoined, RoomLeft] * (len(changes) // 2)
            assert set(bob.rooms) == {"lobby"}

    run(scenario())


def test_a_token_logs_in_once_and_brings_the_next(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}") as (ana,):
            await ana.log_out()
            first = (await ana.log_in(f"ana{named}", PASSWORD, remember=True)).token
        assert first is not None
        async with ChatClient(broker.address, f"ana{named}", token=first) as chat:
            assert chat.login == f"ana{named}"
            assert chat.token not in (None, first)
        with pytest.raises(WrongPassword):
            async with ChatClient(broker.address, f"ana{named}", token=first):
                pass

    run(scenario())


def test_a_program_with_keys_of_its_own_needs_no_password_again(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        own = keys.generate()
        async with ChatClient(broker.address, register=account(f"ana{named}"), keys=own) as chat:
            await chat.create(f"dev{named}", kept=True)
        async with ChatClient(broker.address, f"ana{named}", keys=own) as chat:
            assert chat.login == f"ana{named}"
            assert f"dev{named}" in chat.rooms

    run(scenario())


def test_the_clock_is_the_brokers(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}") as (ana,):
            # Broker and client are on one machine: the offset is what the measuring is off by. The broker tells
            # when its turn began, so that comes on top of half a round trip.
            assert ana.clock.error_ms is not None
            off = ana.clock.error_ms + TURN_MS
            assert abs(ana.clock.offset_ms) <= off
            assert abs(ana.clock.now() - time.time() * 1000) <= off
            sent = await ana.rooms["lobby"].send("now")
            assert abs(ana.clock.now() - sent.time) < 1_000

    run(scenario())


def test_nobody_there_and_somebody_else_there(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            nobody = dataclasses.replace(broker.address, port=unused.getsockname()[1])
            with pytest.raises(NoBroker, match="No broker answered"):
                async with ChatClient(nobody, timeout=0.5):
                    pass
        stranger = dataclasses.replace(broker.address, key=keys.generate().public)
        with pytest.raises(NoBroker, match="does not prove the key"):
            async with ChatClient(stranger, timeout=0.5):
                pass

    run(scenario())


def test_closing_ends_what_waits(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}") as (ana,):
            updates = ana.updates()
            room = ana.rooms["lobby"]
            reader, whole = asyncio.create_task(take(aiter(room), 1)), room.messages()
            last = ana.post("lobby", "last words")
            await ana.close()
            assert isinstance(last.outcome, m.Sent)
            assert [message.text for message in await reader] == ["last words"]
            assert [message.text async for message in whole] == ["last words"]
            assert [update async for update in updates]
            with pytest.raises(LinkLost):
                await ana.request(m.Users())
            with pytest.raises(LinkLost):
                ana.post("lobby", "too late")
            await ana.close()

    run(scenario())


@pytest.mark.parametrize("after_ms", [0, 2, 5, 10, 50])
def test_a_login_over_a_line_that_breaks_ends_logged_in(broker: EmbeddedBroker, named: str, after_ms: int) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}"):
            line = Line(broker.address)
            chat = ChatClient(await line.open())
            await chat.start()
            login = asyncio.create_task(chat.log_in(f"ana{named}", PASSWORD))
            await asyncio.sleep(after_ms / 1000)  # Whenever it breaks, the end is the same.
            line.cut()
            await line.mend()
            assert (await login).session.login == chat.login == f"ana{named}"
            await chat.close()

    run(scenario())


def test_what_was_not_sent_in_time_is_taken_back(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}") as (ana,):
            line = Line(broker.address)
            async with circle(await line.open(), f"bob{named}") as (bob,):
                room = await ana.create(f"dev{named}")
                other = await bob.join(f"dev{named}")
                updates = bob.updates()
                line.cut()
                await until(updates, LinkChanged(LinkState.OFFLINE))
                with pytest.raises(NoAnswer, match="was not sent"):
                    await other.send("too late", timeout=0.05)
                await line.mend()
                await other.send("in time")
                assert (await take(aiter(room), 1))[0].text == "in time"
                nonce = (await until(updates, Settled)).nonce
                assert nonce not in {message.nonce for message in await room.history()}

    run(scenario())


def test_long_lists_are_read_by_pages(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}") as (ana,):
            room = await ana.create(f"dev{named}")
            places = [sent.seq for sent in [await room.send(str(number)) for number in range(450)]]
            newest = await room.history(limit=300)
            assert [message.seq for message in newest] == places[-300:]
            older = await room.history(before=newest[0].seq, limit=1_000)
            assert [message.seq for message in older] == places[:150]
            between = await room.history(after=places[9], before=places[420], limit=1_000)
            assert [message.seq for message in between] == places[10:420]
            assert await room.history(after=places[-1]) == []
            assert len(await room.history(after=0, limit=3)) == 3

    run(scenario())


def test_a_message_is_answered_edited_taken_back_reacted_to_and_found(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}", f"bob{named}") as (ana, bob):
            room = await ana.create(f"dev{named}")
            other = await bob.join(room.name)
            everything = other.entries()
            said = await room.send("la cancion del mar")
            answer = await other.send("¿cuál?", reply_to=said.seq)
            await room.edit(said.seq, "la canción del mar")
            await other.react(said.seq, "🎶")
            gone = await room.send("oops")
            await room.retract(gone.seq)
            await room.send("end")
            # Whoever reads messages gets messages, each once, whatever becomes of them.
            heard = await take(aiter(other), 4)
            assert [message.text for message in heard] == ["la cancion del mar", "¿cuál?", "oops", "end"]
            assert heard[1].reply_to == said.seq
            kinds = [type(entry) for entry in await take(everything, 7)]
            assert kinds == [m.Message, m.Message, m.Edited, m.Reacted, m.Message, m.Retracted, m.Message]
            shown = await other.history(limit=4)
            assert [message.text for message in shown] == ["la canción del mar", "¿cuál?", "", "end"]
            assert (await other.history(before=answer.seq, limit=3))[0].reactions[0].mine
            assert [message.text for message in await other.history(limit=2)] == ["", "end"]
            assert [message.text for message in await other.history(after=answer.seq, limit=2)] == ["", "end"]
            late = await take(room.messages(after=0), 4)
            assert [message.text for message in late] == ["la canción del mar", "¿cuál?", "", "end"]
            found = await bob.search("cancion mar")
            assert [(hit.log, hit.entry.seq) for hit in found.hits if hit.log == room.name] == [(room.name, said.seq)]
            assert [hit.entry.text for hit in (await room.search("cua")).hits] == ["¿cuál?"]
            assert (await ana.search("mar", log=room.name, sender=bob.login)).hits == []

    run(scenario())


def test_a_private_message_changes_in_both_inboxes(broker: EmbeddedBroker, named: str) -> None:
    async def scenario() -> None:
        async with circle(broker.address, f"ana{named}", f"bob{named}") as (ana, bob):
            sent = await ana.deliver(ana.direct(bob.login or "", "psst"), PATIENCE_S)
            (heard,) = await take(aiter(bob.inbox), 1)
            await ana.inbox.edit(sent.seq, "hush")
            await bob.inbox.react(heard.seq, "🤫")
            await ana.deliver(ana.direct(bob.login or "", "and this", reply_to=sent.seq), PATIENCE_S)
            (second,) = await take(aiter(bob.inbox), 1)
            assert (second.text, second.reply_to) == ("and this", heard.seq)
            for chat, mine in ((ana, False), (bob, True)):
                first, *_ = await chat.inbox.history()
                assert isinstance(first, m.DirectMessage)
                assert (first.text, [(view.emoji, view.mine) for view in first.reactions]) == ("hush", [("🤫", mine)])
            assert [hit.entry.text for hit in (await bob.inbox.search("hush")).hits] == ["hush"]

    run(scenario())


class Killable:
    """The broker as a process of its own, always on the same port and data."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.port = 0

    def start(self) -> Address:
        """Start it; returns once it is ready."""
        program = [sys.executable, "-m", "broker", "serve", "--listen", "127.0.0.1"]
        self._process = subprocess.Popen(
            [*program, "--port", str(self.port), "--data-dir", str(self._data)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TERTULIA_BROKER_BCRYPT_COST": "4"},
            text=True,
        )
        assert self._process.stdout is not None
        address = addresses.parse(self._process.stdout.readline())
        self.port = address.port
        return address

    def signal(self, number: signal.Signals) -> None:
        """Stop it, or let it go on."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """As power would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def test_a_broker_that_stops_is_noticed_and_one_that_goes_on_is_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = Killable(tmp_path)
        try:
            async with circle(process.start(), "ana") as (ana,):
                room, updates = ana.rooms["lobby"], ana.updates()
                process.signal(signal.SIGSTOP)
                with pytest.raises(NoAnswer, match="may still arrive"):
                    await room.send("into the silence", timeout=0.3)
                await until(updates, LinkChanged(LinkState.OFFLINE))
                process.signal(signal.SIGCONT)
                async with asyncio.timeout(PATIENCE_S):
                    await ana.wait_live()
                await room.send("after it")
                texts = [message.text for message in await take(aiter(room), 2)]
                assert texts == ["into the silence", "after it"]
        finally:
            process.kill()

    run(scenario())


def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    async def talk(chat: ChatClient, stop: asyncio.Event, acknowledged: dict[str, int]) -> None:
        number = 0
        while not stop.is_set():
            text = f"{chat.login} {number}"
            acknowledged[text] = (await chat.rooms["dev"].send(text, timeout=PATIENCE_S)).seq
            number += 1

    async def scenario() -> None:
        process = Killable(tmp_path)
        try:
            async with circle(process.start(), "ana", "bob", "eva") as chats:
                await chats[0].create("dev", kept=True)
                for chat in chats[1:]:
                    await chat.join("dev")
                rooms = [chat.rooms["dev"] for chat in chats]
                stop, acknowledged = asyncio.Event(), dict[str, int]()
                talkers = [asyncio.create_task(talk(chat, stop, acknowledged)) for chat in chats]
                for _ in range(20):
                    before = len(acknowledged)
                    await chats[0]._line.until(lambda before=before: len(acknowledged) > before + 10)
                    process.kill()
                    await asyncio.to_thread(process.start)
                stop.set()
                await asyncio.gather(*talkers)
                async with asyncio.timeout(PATIENCE_S):
                    for chat in chats:
                        await chat.wait_live()
                last = max(acknowledged.values())
                logs = [await _read_to(room, last) for room in rooms]
                assert logs[0] == logs[1] == logs[2]
                assert {text: seq for seq, text in logs[0]} == acknowledged
                assert len(logs[0]) == len(acknowledged)
                for chat in chats:
                    mine = [text for _, text in logs[0] if text.startswith(f"{chat.login} ")]
                    assert mine == [f"{chat.login} {number}" for number in range(len(mine))]
        finally:
            process.kill()

    async def _read_to(room: Any, last: int) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        async with asyncio.timeout(PATIENCE_S):
            async for message in room:
                found.append((message.seq, message.text))
                if message.seq >= last:
                    return found
        raise AssertionError("the room ended")

    run(scenario())

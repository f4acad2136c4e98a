"""Bounded iterators, fast readers and slow ones."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.link.requests import history
from client.link.streams import ENTRIES, LogStream, UpdateStream
from client.link.updates import Arrived, LinkChanged, LinkState, Overrun, RosterChanged, Settled
from common.errors import NotMember
from common.messages import Edited, Entries, Message, Roster, Sent
from common.messages import History as History_
from tests.support.patience import PATIENCE_S


def message(seq: int) -> Message:
    return Message(seq=seq, prev=seq - 1, time=seq, sender="ana", text=str(seq), nonce=b"n" * 16)


def arrived(seq: int, log: str = "dev") -> Arrived:
    return Arrived(log, message(seq), False)


class History:
    """A log that can be read by pages, and counts how often it is."""

    def __init__(self, last: int = 0, size: int = 200) -> None:
        self.last = last
        self.size = size
        self.reads = 0
        self.meanwhile: list[Any] = []

    async def page(self, after: int) -> Entries:
        self.reads += 1
        found = range(after + 1, self.last + 1)
        entries = Entries(entries=[message(seq) for seq in found[: self.size]], more=len(found) > self.size)
        for step in self.meanwhile:
            step()
        self.meanwhile.clear()
        return entries


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 2 * PATIENCE_S))


async def take(stream: LogStream[Message], count: int) -> list[int]:
    return [(await anext(stream)).seq for _ in range(count)]


def changed(seq: int, target: int = 1) -> Edited:
    return Edited(seq=seq, prev=seq - 1, time=seq, sender="ana", target=target, text="x", nonce=b"n" * 16)


def test_what_is_of_other_kinds_is_passed_over_live_and_in_pages() -> None:
    async def scenario() -> None:
        history = History()
        stream: LogStream[Message] = LogStream(history.page, 0, 0, (Message,))
        for entry in (message(1), changed(2), changed(3), message(4), changed(5)):
            stream.feed(entry)
        assert await take(stream, 2) == [1, 4]
        waiting = asyncio.create_task(take(stream, 1))
        await asyncio.sleep(0)
        stream.feed(changed(6))
        await asyncio.sleep(0)
        assert not waiting.done()
        stream.feed(message(7))
        assert await waiting == [7]

        async def page(after: int) -> Entries:
            entries = [changed(seq) if seq % 50 else message(seq) for seq in range(after + 1, min(after + 101, 251))]
            return Entries(entries=entries, more=after + 100 < 250)

        late: LogStream[Message] = LogStream(page, 0, 250, (Message,))
        assert await take(late, 5) == [50, 100, 150, 200, 250]
        late.close()
        with pytest.raises(StopAsyncIteration):
            await anext(late)

    run(scenario())


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1_000])
def test_history_of_some_kinds_takes_as_many_pages_as_it_needs_and_few(limit: int) -> None:
    entries = [message(seq) if seq % 60 == 1 else changed(seq) for seq in range(1, 602)]
    asked: list[History_] = []

    async def request(command: History_, *, timeout: float = 0.0) -> Entries:
        asked.append(command)
        found = [entry for entry in entries if (command.after or 0) < entry.seq < (command.before or 10_000)]
        page = found[: command.limit] if command.after is not None else found[-command.limit :]
        return Entries(entries=page, more=len(found) > len(page))

    async def scenario() -> None:
        places = [1, 61, 121, 181, 241, 301, 361, 421, 481, 541, 601]
        newest = await history(request, "dev", None, None, limit, (Message,))
        assert [entry.seq for entry in newest] == places[-limit:]
        oldest = await history(request, "dev", None, 0, limit, (Message,))
        assert [entry.seq for entry in oldest] == places[:limit]
        assert len(asked) <= 2 * (1 + 4)

    run(scenario())


def test_what_is_fed_comes_out_in_order_once() -> None:
    async def scenario() -> None:
        history = History()
        stream: LogStream[Message] = LogStream(history.page, 0, 0)
        for seq in (1, 2, 2, 1, 3):
            stream.feed(message(seq))
        assert await take(stream, 3) == [1, 2, 3]
        waiting = asyncio.create_task(take(stream, 1))
        await asyncio.sleep(0)
        stream.feed(message(4))
        assert await waiting == [4]
        assert stream.position == 4
        assert history.reads == 0

    run(scenario())


def test_a_slow_reader_is_refilled_from_history() -> None:
    async def scenario() -> None:
        history = History()
        stream: LogStream[Message] = LogStream(history.page, 0, 0)
        for seq in range(1, 3 * ENTRIES):
            history.last = seq
            stream.feed(message(seq))
            assert len(stream._queue) <= ENTRIES
        assert await take(stream, 3 * ENTRIES - 1) == list(range(1, 3 * ENTRIES))
        history.last += 1
        stream.feed(message(history.last))
        reads = history.reads
        assert await take(stream, 1) == [history.last]
        assert history.reads == reads, "caught up, it is fed again"

    run(scenario())


def test_beginning_in_the_past() -> None:
    async def scenario() -> None:
        history = History(last=500)
        stream: LogStream[Message] = LogStream(history.page, 100, 500)
        assert await take(stream, 400) == list(range(101, 501))
        stream.feed(message(501))
        assert await take(stream, 1) == [501]

    run(scenario())


def test_what_arrives_while_a_page_is_read_is_neither_lost_nor_doubled() -> None:
    async def scenario() -> None:
        history = History(last=5)
        stream: LogStream[Message] = LogStream(history.page, 0, 5)

        def meanwhile() -> None:
            history.last = 7
            stream.feed(message(6))
            stream.feed(message(7))

        history.meanwhile.append(meanwhile)
        assert await take(stream, 7) == [1, 2, 3, 4, 5, 6, 7]
        stream.feed(message(7))
        stream.feed(message(8))
        assert await take(stream, 1) == [8]

    run(scenario())


def test_history_ahead_of_the_stream() -> None:
    async def scenario() -> None:
        history = History(last=9)
        stream: LogStream[Message] = LogStream(history.page, 0, 5)
        assert await take(stream, 9) == list(range(1, 10))
        for seq in range(6, 11):
            stream.feed(message(seq))
        assert await take(stream, 1) == [10]

    run(scenario())


@given(st.integers(0, 2**32))
def test_any_pace(seed: int) -> None:
    async def scenario() -> None:
        chance = random.Random(seed)
        history = History(size=chance.randint(1, 9))
        stream: LogStream[Message] = LogStream(history.page, 0, 0)
        found: list[int] = []
        while len(found) < 200:
            if chance.random() < 0.5 and history.last < 200:
                for _ in range(chance.choice([1, 3, 20])):
                    history.last += 1
                    stream.feed(message(history.last))
                    if chance.random() < 0.02:
                        stream._queue.clear()  # As if it had run over.
                        stream._behind = True
            elif stream.position < history.last:
                found += await take(stream, 1)
        assert found == list(range(1, len(found) + 1))

    run(scenario())


def test_it_ends_after_what_had_arrived() -> None:
    async def scenario() -> None:
        stream: LogStream[Message] = LogStream(History().page, 0, 0)
        stream.feed(message(1))
        stream.close()
        stream.feed(message(2))
        assert [entry.seq async for entry in stream] == [1]
        assert [entry.seq async for entry in stream] == []

    run(scenario())


@pytest.mark.parametrize(
    ("last", "size", "rest"), [(900, 200, 600), (900, 1_000, 600), (600, 200, 600), (400, 200, 400)]
)
def test_a_reader_that_lags_behind_the_end_reads_nothing_from_after_it(last: int, size: int, rest: int) -> None:
    async def scenario() -> None:
        history = History(size=size)
        stream: LogStream[Message] = LogStream(history.page, 0, 0)
        for seq in range(1, 601):
            stream.feed(message(seq))
        stream.close()
        # Meanwhile there is another room of that name, or another stay; or not even all of this one.
        history.last = last
        assert [entry.seq async for entry in stream] == list(range(1, rest + 1))

    run(scenario())


def test_a_log_that_goes_on_under_another_room_of_the_name_ends() -> None:
    async def other(after: int) -> Entries:
        return Entries(entries=[message(seq) for seq in range(900, 910)], more=True)

    async def scenario() -> None:
        stream: LogStream[Message] = LogStream(other, 0, 600)
        stream.close()
        assert [entry async for entry in stream] == []

    run(scenario())


def test_a_waiting_reader_is_told_of_the_end_and_of_a_failure() -> None:
    async def scenario() -> None:
        stream: LogStream[Message] = LogStream(History().page, 0, 0)
        waiting = asyncio.create_task(take(stream, 1))
        await asyncio.sleep(0)
        stream.close(NotMember())
        stream.close()
        with pytest.raises(NotMember):
            await waiting

    run(scenario())


def test_a_log_that_may_no_longer_be_read_ends() -> None:
    async def denied(after: int) -> Entries:
        raise NotMember

    async def scenario() -> None:
        stream: LogStream[Message] = LogStream(denied, 0, 5)
        assert [entry async for entry in stream] == []

    run(scenario())


def test_updates_come_in_order_until_the_end() -> None:
    async def scenario() -> None:
        stream = UpdateStream()
        fed = [arrived(1), LinkChanged(LinkState.LIVE), arrived(2)]
        for update in fed:
            stream.feed(update)
        stream.close()
        stream.feed(arrived(3))
        assert [update async for update in stream] == fed

    run(scenario())


def test_a_reader_of_updates_that_lags_is_told_what_to_read_anew() -> None:
    async def scenario() -> None:
        stream = UpdateStream(limit=10)
        settled = Settled(b"n" * 16, Sent(seq=1, time=1))
        stream.feed(settled)
        for seq in range(5, 12):
            stream.feed(arrived(seq))
        stream.feed(RosterChanged("dev", Roster(time=1, changes=[], online=1)))
        stream.feed(arrived(3, "kitchen"))
        stream.feed(arrived(12))
        stream.feed(LinkChanged(LinkState.LIVE))
        for seq in range(13, 30):
            stream.feed(arrived(seq))
        stream.close()
        found = [update async for update in stream]
        assert found[:2] == [settled, LinkChanged(LinkState.LIVE)]
        assert found[2] == Overrun({"dev": 4, "kitchen": 2})
        seqs = [update.entry.seq for update in found[3:] if isinstance(update, Arrived)]
        assert seqs == list(range(seqs[0], 30))
        assert len(found) <= 11

    run(scenario())


def test_even_what_cannot_be_read_anew_is_bounded() -> None:
    async def scenario() -> None:
        stream = UpdateStream(limit=10)
        for number in range(100):
            stream.feed(Settled(number.to_bytes(16, "big"), Sent(seq=number, time=1)))
            # With room left for more: or each further one would have all of them looked at.
            assert len(stream._queue) <= 10
        stream._shrink()
        assert len(stream._queue) <= 6

    run(scenario())


def test_a_reader_is_told_how_far_it_was_fetched_afterwards() -> None:
    async def scenario() -> None:
        history = History()
        stream: LogStream[Message] = LogStream(history.page, 0, 0, (Message,))
        assert (stream.replayed, stream.newest) == (0, 0)
        stream.feed(message(1))
        stream.feed(message(2), True)
        stream.feed(message(3))
        assert (stream.replayed, stream.newest) == (2, 3)
        assert await take(stream, 3) == [1, 2, 3]

    run(scenario())

"""A broker with a million messages in its log is killed under load, and is back within two seconds.

The log is filled by the store's own commits; then a broker takes what clients send while a reader keeps its
write-ahead log from being moved, so that the killed broker leaves a large one. Told are the times from `exec` to the
ready line and to the first answered request, and the memory.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from broker.chat.ports import NewEntries
from broker.store.sqlite import SqliteStore
from common import codec, messages
from tests.faults.broker_process import BrokerProcess
from tests.support import unlimited
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_MS

WITHIN_S: Final = 2.0
"""The promise, from `exec` to the first answered request."""
BATCH: Final = 1_000
PEOPLE: Final = 50
ROOMS: Final = 20
TEXT: Final = "What was said, of the usual length: some eighty characters, now and then two lines."
UNDER_WAY: Final = 200
BYTES_EACH: Final = 5_000
"""Of the write-ahead log, for one message of four thousand letters."""


class Start(NamedTuple):
    """One start after a kill."""

    ready_s: float
    answered_s: float
    memory: int


def fill(broker: BrokerProcess, entries: int) -> None:
    """Give a broker that has stopped people, rooms and a long log."""
    broker.start()
    with RawClient(broker.address) as ana:
        ana.register("ana")
        for number in range(ROOMS):
            ana.ask(messages.Create(room=f"room{number}", kept=True))
        for number in range(1, PEOPLE):
            with RawClient(broker.address) as other:
                other.register(f"person{number}")
                other.ask(messages.Join(room=f"room{number % ROOMS}"))
    broker.terminate()
    store = SqliteStore(broker.data / "tertulia.db")
    try:
        rooms = [room.id for room in store.load().rooms]
        began = int(time.time() * 1_000) - entries * 100
        for first in range(0, entries, BATCH):
            store.commit([_entry(number, rooms, began) for number in range(first, min(first + BATCH, entries))])
    finally:
        store.close()


def _entry(number: int, rooms: list[int], began: int) -> NewEntries:
    now = began + number * 100
    nonce = now.to_bytes(6, "big") + number.to_bytes(10, "big")
    sender = 1 + number % PEOPLE
    if number % 10 == 0:
        other = 1 + (number // 10) % PEOPLE
        logs = (-sender, -other) if sender != other else (-sender,)
        return NewEntries("direct", logs, sender, other, TEXT, nonce, now)
    return NewEntries("message", (rooms[number % len(rooms)],), sender, 0, TEXT, nonce, now)


def kill_under_load(broker: BrokerProcess, unmoved: int) -> set[int]:
    """Send until `unmoved` bytes of the write-ahead log cannot be moved to the database, and kill.

    What was acknowledged.
    """
    database = broker.data / "tertulia.db"
    with RawClient(broker.address) as ana:
        ana.hello()
        ana.ask(messages.Login(login="ana", password="correct horse"))
        # The first moves what the last kill left, the second begins the write-ahead log anew.
        acknowledged = {ana.say("lobby", "again").seq, ana.say("lobby", "and again").seq}
    reader = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM account").fetchall()
    try:
        with RawClient(broker.address) as ana:
            ana.hello()
            ana.ask(messages.Login(login="ana", password="correct horse"))
            waiting = 0
            while len(acknowledged) * BYTES_EACH < unmoved:
                while waiting < UNDER_WAY:
                    ana.send(messages.Send(room="lobby", text="x" * 4_000, nonce=os.urandom(16)))
                    waiting += 1
                acknowledged.add(_sent(ana))
                waiting -= 1
            broker.kill()
    finally:
        reader.close()
    return acknowledged


def _sent(client: RawClient) -> int:
    assert client.dealer.poll(PATIENCE_MS), "no reply"
    _, reply = codec.decode_reply(client.dealer.recv(), dict.fromkeys(range(client.number + 1), messages.Sent))
    assert isinstance(reply, messages.Sent), reply
    return reply.seq


def start(broker: BrokerProcess) -> Start:
    """Start it and ask it something."""
    began = time.monotonic()
    broker.start()
    ready = time.monotonic() - began
    with RawClient(broker.address) as client:
        client.ask(messages.Hello(versions=[1], client="raw"))
        answered = time.monotonic() - began
    return Start(ready, answered, broker.memory())


def kept(broker: BrokerProcess, acknowledged: set[int]) -> set[int]:
    """Which of the acknowledged messages are in the lobby's log."""
    found: set[int] = set()
    after = min(acknowledged) - 1
    with RawClient(broker.address) as ana:
        ana.hello()
        ana.ask(messages.Login(login="ana", password="correct horse"))
        while True:
            page = ana.ask(messages.History(log="lobby", after=after))
            found |= {entry.seq for entry in page.entries} & acknowledged
            if not page.more:
                return found
            after = page.entries[-1].seq


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The scenario's options."""
    parser.add_argument("--messages", type=int, default=1_000_000, metavar="N", help="in the log (default: 1000000)")
    parser.add_argument("--unmoved", type=int, default=64, metavar="MB", help="of write-ahead log (default: 64)")
    parser.add_argument("--starts", type=int, default=5, metavar="N", help="kills and starts (default: 5)")


def run(arguments: argparse.Namespace) -> int:
    """Kill and start; 1 if it took too long, or anything was lost."""
    with BrokerProcess(unlimited.toml()) as broker:
        broker.terminate()
        began = time.monotonic()
        fill(broker, arguments.messages)
        database = broker.data / "tertulia.db"
        size = database.stat().st_size
        print(f"log of {arguments.messages:,} messages: {size / 1e6:.0f} MB, in {time.monotonic() - began:.0f} s")
        clean = start(broker)
        print(f"clean start: ready {clean.ready_s:.2f} s, answered {clean.answered_s:.2f} s, {_memory(clean)}")
        worst = 0.0
        lost = 0
        for _ in range(arguments.starts):
            acknowledged = kill_under_load(broker, arguments.unmoved * 1_000_000)
            left = Path(f"{database}-wal").stat().st_size
            again = start(broker)
            worst = max(worst, again.answered_s)
            missing = acknowledged - kept(broker, acknowledged)
            lost += len(missing)
            print(
                f"killed with {left / 1e6:.0f} MB of write-ahead log, {len(acknowledged):,} acknowledged: "
                f"ready {again.ready_s:.2f} s, answered {again.answered_s:.2f} s, {_memory(again)}, lost {len(missing)}"
            )
        print(f"worst start {worst:.2f} s (promised {WITHIN_S:g}), lost {lost}")
        return int(worst > WITHIN_S or lost > 0)


def _memory(started: Start) -> str:
    return f"{started.memory / 1e6:.0f} MB resident"

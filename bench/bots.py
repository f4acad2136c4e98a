"""What bots cost and how fast they are: commands through one process, and a room full of them.

Everything is real: the key files that the operator makes, the SDK, a broker in a process of its own. The people are
clients cut down to the wire.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgpack
import zmq

from bench.bot_echo import ANSWER, CALL, PING, PONG
from bench.members import Member, logins, send_frame
from bench.processes import broker
from common import messages, topics
from tests.faults.bot_process import add_bot
from tests.faults.broker_process import BrokerProcess
from tests.support import usage
from tests.support.patience import PATIENCE_MS, PATIENCE_S

ROOMS: Final = 20
"""What is posted into one room goes one after the other: many commands a second come from many rooms."""
CROWD: Final = 50
CALLS: Final = 5
QUIET_S: Final = 2.0
"""Seconds without a message after which a room is at peace."""


class Person(Member):
    """A member of one room, who has its answers."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], server: BrokerProcess, login: str, room: str) -> None:
        super().__init__(context, server.address, login, ears=False)
        self.room = room
        self.ask(messages.Create(room=room, kept=True))
        self.sub.setsockopt(zmq.SUBSCRIBE, topics.topic(self.beacon))
        self.sub.setsockopt(zmq.SUBSCRIBE, topics.topic(room))
        while not self._marked():
            pass

    def _marked(self) -> bool:
        assert self.sub.poll(PATIENCE_MS), "no marker"
        frame = self.sub.recv()
        return frame.startswith(topics.topic(self.beacon)) and self.room.encode() in frame

    def say(self, number: int, text: str) -> None:
        """Say something, and wait for nothing."""
        self.dealer.send(send_frame(number, text, self.room))

    def heard(self) -> Iterator[bytes]:
        """What has come, and what was acknowledged is thrown away."""
        try:
            while True:
                self.dealer.recv(zmq.NOBLOCK)
        except zmq.Again:
            pass
        try:
            while True:
                yield self.sub.recv(zmq.NOBLOCK)
        except zmq.Again:
            pass


@contextmanager
def serving(directory: Path, server: BrokerProcess, names: Sequence[str], *options: str) -> Iterator[int]:
    """A process of bots of these names; its number."""
    paths = [directory / f"{name}.key" for name in names]
    for name, path in zip(names, paths, strict=True):
        if not path.exists():
            add_bot(server, name, path)
    command = [sys.executable, "-m", "bench.bot_echo", *map(str, paths), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise RuntimeError("the bots did not start")
            yield process.pid
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def commands(quick: bool) -> None:
    """Commands through one bot, at a pace, in several rooms: how long until the answer is there."""
    seconds = 3.0 if quick else 10.0
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with tempfile.TemporaryDirectory() as place, broker() as server:
        people = [Person(context, server, login, f"room{login}") for login in logins("person", ROOMS)]
        rooms = [person.room for person in people]
        with serving(Path(place), server, ["echo"], "--rooms", *rooms) as bot:
            _paced(people, 0, 1.0, 100.0)
            first = 1_000
            for pace in (100.0, 500.0, 1_000.0):
                before = usage.cpu(bot), server.cpu()
                times, taken, sent = _paced(people, first, seconds, pace)
                first += sent
                after = usage.cpu(bot), server.cpu()
                own, brokers = ((now - then) * 1e6 / sent for now, then in zip(after, before, strict=True))
                median, high = (times[int(len(times) * share)] * 1e3 for share in (0.5, 0.99))
                print(
                    f"{f'one bot, {ROOMS} rooms, {pace:,.0f} commands/s':45} {len(times) / taken:9,.0f} /s   "
                    f"{median:.1f} ms median   {high:.1f} ms p99   CPU each: bot {own:.0f} µs, broker {brokers:.0f} µs"
                    + (f"   ({sent - len(times)} unanswered)" if len(times) < sent else "")
                )
    context.destroy(0)


def _paced(people: Sequence[Person], first: int, seconds: float, pace: float) -> tuple[list[float], float, int]:
    """Seconds that each answer took, in order; seconds until the last one; and commands said."""
    begun = time.perf_counter()
    moments: dict[int, float] = {}
    times: list[float] = []
    last = begun
    total = int(seconds * pace)
    mark = f"{PONG} ".encode()
    poller = zmq.Poller()
    by_socket = {person.sub: person for person in people}
    for socket in by_socket:
        poller.register(socket, zmq.POLLIN)
    while len(times) < total and time.perf_counter() - last < PATIENCE_S:
        now = time.perf_counter()
        due = min(total, int((now - begun) * pace) + 1)
        while len(moments) < due:
            number = first + len(moments)
            moments[number] = time.perf_counter()
            people[number % len(people)].say(number + 1, f"!{PING} {number}")
        for socket, _ in poller.poll(1):
            for frame in by_socket[socket].heard():
                at = frame.find(mark)
                if at >= 0:
                    last = time.perf_counter()
                    times.append(last - moments[_number(frame, at + len(mark))])
    return sorted(times), last - begun, total


def _number(frame: bytes, at: int) -> int:
    end = at
    while frame[end : end + 1].isdigit():
        end += 1
    return int(frame[at:end])


def crowd(quick: bool) -> None:
    """Many bots in one room, and a person who calls them all: each answers once, and nothing grows."""
    size = 10 if quick else CROWD
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with tempfile.TemporaryDirectory() as place, broker() as server:
        person = Person(context, server, "caller", "hall")
        for options in ((), ("--bots",)):
            with serving(Path(place), server, logins("bot", size), "--rooms", person.room, *options) as bots:
                before = usage.cpu(bots), server.cpu()
                heard, times = 0, []
                for number in range(CALLS):
                    answers, taken = _called(person, number, size)
                    heard += answers
                    times.append(taken)
                after = usage.cpu(bots), server.cpu()
                own, brokers = ((now - then) * 1e3 / CALLS for now, then in zip(after, before, strict=True))
                name = f"{size} bots in a room{', who hear each other' if options else ''}"
                print(
                    f"{name:45} {heard / CALLS:9.1f} answers a call   {max(times) * 1e3:.0f} ms until the last   "
                    f"CPU a call: bots {own:.0f} ms, broker {brokers:.0f} ms"
                )
    context.destroy(0)


def _called(person: Person, number: int, size: int) -> tuple[int, float]:
    """How many answers a call had until the room was at peace, and seconds until the last one."""
    begun = last = time.perf_counter()
    person.say(number + 1, CALL)
    answers = 0
    mark = b"\xa4text" + msgpack.packb(ANSWER)
    while time.perf_counter() - last < (QUIET_S if answers >= size else PATIENCE_S):
        for frame in person.heard():
            if mark in frame:
                answers += 1
                last = time.perf_counter()
        time.sleep(0.001)
    return answers, last - begun


def bots(quick: bool) -> None:
    """Both."""
    commands(quick)
    crowd(quick)

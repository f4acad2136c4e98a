"""Thousands of clients are cut off at once and come back at once: how long until each is live and has everything.

All are members of the lobby and of one more room, in which some real clients go on talking all the while. First the
broker is killed and started again; then every connection breaks while it stays. Some clients are in a process that is
stopped meanwhile, with a backlog and ZMTP heartbeats, and go on later. Promised: each has every message once and in
order, the tail included; all are live within `BOUND_S`; nobody logs in anew, since no password fits any account; and
no client aborts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

from client.link.chat import ChatClient
from client.link.room import Pending
from client.link.updates import Arrived, LinkChanged, LinkState
from common.limits import HEARTBEAT_S
from tests.faults.broker_process import BrokerProcess
from tests.faults.storm_accounts import ROOM, Client, make, save
from tests.faults.storm_driver import shut_connections

CLIENTS: Final = 2_000
BOUND_S: Final = 5.0
REAL: Final = 24
LAGGING: Final = 24
DRIVERS: Final = 2
ROOMS: Final = ("lobby", ROOM)
PACE_S: Final = 2.0
"""Seconds between two messages of one of the `TALKERS`, each in its room: thousands of deliveries a second in all."""
TALKERS: Final = 4
PATIENCE_S: Final = 120.0
CONFIG: Final = "[chat]\ngrace_s = 120.0\n"


@dataclass
class Report:
    """What came of it."""

    clients: int = 0
    live: dict[str, float] = field(default_factory=dict)
    """Seconds from each cut until the last client was live again."""
    thawed: float = 0.0
    """The same for those that were stopped, from when they went on."""
    broker_up: float = 0.0
    broker_cpu: dict[str, float] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)
    hellos: int = 0
    waits: int = 0
    logins: int = 0
    broken: list[str] = field(default_factory=list)
    """What was promised and not kept."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many."""
    parser.add_argument("--clients", type=int, default=CLIENTS, help="clients in all (default: %(default)s)")
    parser.add_argument("--real", type=int, default=REAL, help="real ones among them (default: %(default)s)")
    parser.add_argument("--lagging", type=int, default=LAGGING, help="stopped ones (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Cut them, twice, and say how they came back."""
    report = storm(arguments.clients, arguments.real, arguments.lagging)
    for cut, seconds in report.live.items():
        print(
            f"{report.clients} clients live after {cut:22} {seconds:6.2f} s   broker {report.broker_cpu[cut]:.2f} s CPU"
        )
    print(
        f"broker serving again after {report.broker_up:.2f} s; those that were stopped live after {report.thawed:.2f} s"
    )
    print(f"entries {report.entries}; hello {report.hellos}, told to wait {report.waits}, logins {report.logins}")
    late = {cut: seconds for cut, seconds in report.live.items() if seconds > BOUND_S}
    for sentence in [*report.broken, *(f"{cut}: {seconds:.2f} s" for cut, seconds in late.items())]:
        print(f"BROKEN {sentence}")
    return 1 if report.broken or late else 0


class Crowd:
    """A driver process and what it says."""

    def __init__(self, broker: BrokerProcess, file: Path, first: int, count: int, *flags: str) -> None:
        self.count = count
        command = [sys.executable, "-m", "tests.faults.storm_driver", str(broker.address), str(file)]
        self.process = subprocess.Popen(
            [*command, str(first), str(count), *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, order: str) -> None:
        """Give an order."""
        assert self.process.stdin is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()

    async def hear(self) -> str:
        """Its next answer."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(asyncio.to_thread(self.process.stdout.readline), PATIENCE_S)
        if not line:
            raise RuntimeError(f"a driver ended with {self.process.wait(PATIENCE_S)}")
        return line.strip()

    async def live(self) -> float:
        """When its last client was live again."""
        word, _, seconds = (await self.hear()).partition(" ")
        assert word == "live"
        return float(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


async def _until(chat: ChatClient, judge: Callable[[LinkState], bool]) -> None:
    updates = chat.updates()
    if not judge(chat.link):
        async for update in updates:
            if isinstance(update, LinkChanged) and judge(update.state):
                return


class RealClients:
    """`ChatClient`s of this process, what they were given, and some who talk."""

    def __init__(self, broker: BrokerProcess, people: list[Client]) -> None:
        self.chats = [ChatClient(broker.address, keys=keys, timeout=30.0) for _, keys in people]
        self.logins = [login for login, _ in people]
        self.given: list[dict[str, list[int]]] = [{} for _ in people]
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._quiet = False
        self.talking: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """All logged in by their keys, listening, and some of them talking."""
        for chat, given in zip(self.chats, self.given, strict=True):
            self._tasks.append(asyncio.create_task(self._listen(chat, given)))
        await asyncio.gather(*(chat.start() for chat in self.chats))
        await self.live()
        for number, chat in enumerate(self.chats[:TALKERS]):
            self.talking.append(asyncio.create_task(self._talk(chat, ROOMS[number % 2], number)))

    async def _listen(self, chat: ChatClient, given: dict[str, list[int]]) -> None:
        async for update in chat.updates():
            if isinstance(update, Arrived):
                given.setdefault(update.log, []).append(update.entry.seq)
                self._news.set()

    async def _talk(self, chat: ChatClient, room: str, number: int) -> None:
        said: list[Pending] = []
        while not self._quiet:
            said.append(chat.post(room, f"{number} {len(said)}"))
            await asyncio.sleep(PACE_S)
        for pending in said:
            await pending

    async def cut(self) -> None:
        """Wait until all have noticed that their connections are gone."""
        await asyncio.gather(*(_until(chat, lambda link: link is not LinkState.LIVE) for chat in self.chats))

    async def live(self) -> float:
        """Wait until all are live; the moment."""
        await asyncio.gather(*(_until(chat, lambda link: link is LinkState.LIVE) for chat in self.chats))
        return time.monotonic()

    async def quiet(self) -> None:
        """Let those who talk come to an end, acknowledged to the last word."""
        self._quiet = True
        await asyncio.gather(*self.talking)

    async def have(self, heads: dict[str, int]) -> None:
        """Wait until all were given everything."""
        while any(not given.get(log) or given[log][-1] < head for given in self.given for log, head in heads.items()):
            self._news.clear()
            await self._news.wait()

    async def close(self) -> None:
        """Disconnect."""
        await asyncio.gather(*(chat.close(bye=False) for chat in self.chats))
        for task in [*self._tasks, *self.talking]:
            task.cancel()


def storm(clients: int, real: int, lagging: int) -> Report:
    """The whole scenario."""
    with ExitStack() as running:
        broker = running.enter_context(BrokerProcess(CONFIG))
        broker.terminate()
        people = make(broker.data / "tertulia.db", clients)
        file = broker.directory / "people.json"
        save(people, file)
        broker.start()
        light = clients - real - lagging
        edges = [light * number // DRIVERS for number in range(DRIVERS + 1)]
        crowds = [running.enter_context(Crowd(broker, file, first, last - first)) for first, last in pairwise(edges)]
        stopped = running.enter_context(Crowd(broker, file, light, lagging, "--heartbeats"))
        report = Report(clients=clients)
        asyncio.run(_run(broker, crowds, stopped, people[light + lagging :], report))
        report.logins = broker.log_text().count("event=logged-in")
        if report.logins:
            report.broken.append(f"{report.logins} logins")
        return report


async def _run(
    broker: BrokerProcess, crowds: list[Crowd], stopped: Crowd, people: list[Client], report: Report
) -> None:
    real = RealClients(broker, people)
    for crowd in [*crowds, stopped]:
        assert await crowd.hear() == "ready"
    await real.start()
    stopped.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(HEARTBEAT_S)  # A backlog, and heartbeats that fall due.
    await _cut(broker, crowds, real, report, "kill -9 and restart")
    await _cut(broker, crowds, real, report, "all connections lost")
    stopped.process.send_signal(signal.SIGCONT)
    thawed = time.monotonic()
    stopped.tell("cut")
    report.thawed = await stopped.live() - thawed
    await real.quiet()
    await settle([*crowds, stopped], real, report)
    await real.close()


async def _cut(broker: BrokerProcess, crowds: list[Crowd], real: RealClients, report: Report, how: str) -> None:
    cpu = broker.cpu()
    began = time.monotonic()
    if how.startswith("kill"):
        broker.kill()
        for crowd in crowds:
            crowd.tell("cut")
        await asyncio.to_thread(broker.start)
        report.broker_up, cpu = time.monotonic() - began, 0.0
    else:
        for crowd in crowds:
            crowd.tell("shut")
        shut_connections((broker.address.port, broker.address.port + 1))
    await real.cut()
    ended, *answers = await asyncio.gather(real.live(), *(crowd.live() for crowd in crowds))
    report.live[how] = max(ended, *answers) - began
    report.broker_cpu[how] = broker.cpu() - cpu


async def settle(crowds: list[Crowd], real: RealClients, report: Report) -> None:
    """Everybody has everything, once: `Log` gives out in order, so the count decides."""
    reader = real.chats[0]
    histories = {room: [each.seq for each in await reader.rooms[room].history(limit=10**6)] for room in ROOMS}
    report.entries = {room: len(seqs) for room, seqs in histories.items()}
    heads = {room: seqs[-1] for room, seqs in histories.items()}
    for crowd in crowds:
        crowd.tell(f"heads {json.dumps(heads)}")
    await asyncio.wait_for(real.have(heads), PATIENCE_S)
    for login, given in zip(real.logins, real.given, strict=True):
        if any(given[room] != seqs for room, seqs in histories.items()):
            report.broken.append(f"{login}, a real client, was not given everything once")
    for crowd in crowds:
        told = json.loads(await crowd.hear())
        report.hellos += told["hellos"]
        report.waits += told["waits"]
        for login, delivered in told["delivered"]:
            if {room: delivered[room] for room in ROOMS} != report.entries:
                report.broken.append(f"{login} was given {delivered}")
    if not all(math.isfinite(seconds) for seconds in report.live.values()):
        report.broken.append("not all were live")

"""The disk fills up under people who talk, stays full for a while, and has room again.

A real broker on a small disk of its own (a tmpfs in a private mount namespace; needs root on Linux). A ballast file
takes what is left. Every sender must get an answer to everything sent, an error while there is no room; what was
acknowledged must be in the log, and what was broadcast too; history must be read all the while; and once the ballast
is gone, everybody must be able to write within two seconds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from common import codec, messages
from common.errors import ChatError
from tests.faults.broker_process import BrokerProcess
from tests.support import unlimited
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_S

DISK_MB: Final = 48
WITHIN_S: Final = 2.0
"""The promise: seconds from the first free byte until every sender was acknowledged."""
PAUSE_S: Final = 0.02
"""Between a refusal and the next try: as fast as no honest client."""
WARM_S: Final = 1.0
FRAMES_AT_ONCE: Final = 200
INSIDE: Final = "TERTULIA_FAULTS_OWN_MOUNTS"


@dataclass
class Sender:
    """Somebody who sends until told to stop, a refused message again under the same nonce."""

    name: str
    acknowledged: dict[bytes, int] = field(default_factory=dict)
    """The number of each message, by nonce."""
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    times: list[float] = field(default_factory=list)
    """When each was acknowledged (monotonic)."""

    def work(self, client: RawClient, stop: threading.Event) -> None:
        """Send, one message at a time."""
        nonce = os.urandom(16)
        while not stop.is_set() or nonce not in self.acknowledged:
            reply = self._try(client, nonce)
            if reply is None:
                self.unanswered += 1
                return
            if isinstance(reply, ChatError):
                self.refused[reply.code] += 1
                time.sleep(PAUSE_S)
                continue
            self.acknowledged[nonce] = reply.seq
            self.times.append(time.monotonic())
            if stop.is_set():
                return
            nonce = os.urandom(16)

    def _try(self, client: RawClient, nonce: bytes) -> messages.Sent | ChatError | None:
        try:
            return client.try_ask(messages.Send(room="lobby", text=nonce.hex() + "x" * 500, nonce=nonce))  # type: ignore[no-any-return]
        except AssertionError:
            return None


@dataclass
class Onlooker:
    """Somebody who hears the room, and reads its history again and again."""

    heard: dict[int, bytes] = field(default_factory=dict)
    """The nonce of what was broadcast, by number."""
    pages: list[float] = field(default_factory=list)
    """When each page of history came (monotonic)."""
    failed: Counter[str] = field(default_factory=Counter)

    def work(self, client: RawClient, stop: threading.Event) -> None:
        """Hear and read."""
        while not stop.is_set():
            self.listen(client)
            page = client.try_ask(messages.History(log="lobby", limit=20))
            if isinstance(page, ChatError):
                self.failed[page.code] += 1
            else:
                self.pages.append(time.monotonic())

    def listen(self, client: RawClient) -> None:
        """Take what has come."""
        # Not for ever: under load there is always more.
        for _ in range(FRAMES_AT_ONCE):
            if not client.sub.poll(50):
                break
            event = codec.decode_event(client.sub.recv()).event
            if isinstance(event, messages.Message):
                self.heard[event.seq] = event.nonce


@dataclass
class Course:
    """What happened."""

    senders: list[Sender]
    onlooker: Onlooker
    full: float = 0.0
    """When everybody had been refused, and when there was room again (monotonic)."""
    room: float = 0.0
    log: dict[int, bytes] = field(default_factory=dict)

    def broken(self) -> list[str]:
        """Every promise that was not kept."""
        found = []
        for each in self.senders:
            if each.unanswered:
                found.append(f"{each.name} got no answer")
            if not set(each.refused) <= {"storage-failed", "busy"} or not each.refused:
                found.append(f"{each.name} was told {dict(each.refused)}")
            lost = [seq for nonce, seq in each.acknowledged.items() if self.log.get(seq) != nonce]
            if lost:
                found.append(f"{each.name} lost {len(lost)}")
        if len(set(self.log.values())) != len(self.log):
            found.append("a message twice in the log")
        if any(self.log.get(seq) != nonce for seq, nonce in self.onlooker.heard.items()):
            found.append("something was broadcast that is not in the log")
        if not any(self.full < at < self.room for at in self.onlooker.pages) or self.onlooker.failed:
            found.append(f"history could not be read: {dict(self.onlooker.failed)}")
        if self.recovered() > WITHIN_S:
            found.append(f"writing again took {self.recovered():.2f} s")
        return found

    def recovered(self) -> float:
        """Seconds from the first free byte until the last sender was acknowledged again."""
        after = [next((at for at in each.times if at > self.room), float("inf")) for each in self.senders]
        return max(after) - self.room

    def lines(self) -> Iterator[str]:
        """For people to read."""
        refused: Counter[str] = sum((each.refused for each in self.senders), Counter())
        while_full = sum(self.full < at < self.room for each in self.senders for at in each.times)
        yield f"full for {self.room - self.full:.1f} s, {len(self.senders)} senders"
        yield f"acknowledged {sum(len(each.acknowledged) for each in self.senders)}, {while_full} of them while full"
        yield (
            f"refused {', '.join(f'{times} {code}' for code, times in refused.items())}; each sender was told: "
            + str(all(each.refused for each in self.senders))
        )
        pages = sum(self.full < at < self.room for at in self.onlooker.pages)
        yield f"pages of history while full {pages}, broadcast {len(self.onlooker.heard)}, in the log {len(self.log)}"
        yield f"every sender writes again {self.recovered():.2f} s after there is room"


def fill(ballast: Path) -> None:
    """Take every byte that is left."""
    try:
        with ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 4_096, 1):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError:
                    continue
    except OSError:
        pass


def again(ballast: Path) -> None:
    """Take what was freed meanwhile, too."""
    fill(ballast)
    time.sleep(0.1)


def play(directory: Path, seconds: float, people: int) -> Course:
    """Fill the disk under a broker in `directory`, which is a small disk, and give it room again."""
    with BrokerProcess(unlimited.toml(), directory=directory) as broker, connected(broker, people) as clients:
        course = Course([Sender(f"person{number}") for number in range(people)], Onlooker())
        stop, over = threading.Event(), threading.Event()
        threads = [
            threading.Thread(target=sender.work, args=(client, stop))
            for sender, client in zip(course.senders, clients[1:], strict=True)
        ]
        hearing = threading.Thread(target=course.onlooker.work, args=(clients[0], over))
        for thread in (*threads, hearing):
            thread.start()
        time.sleep(WARM_S)
        ballast = directory / "ballast"
        fill(ballast)
        # The write-ahead log's file is written over again and again, so it is a while until more is needed.
        given_up = time.monotonic() + PATIENCE_S
        while not all(sender.refused for sender in course.senders) and time.monotonic() < given_up:
            again(ballast)
        course.full = time.monotonic()
        while time.monotonic() < course.full + seconds:
            again(ballast)
        course.room = time.monotonic()
        ballast.unlink()
        time.sleep(WITHIN_S + WARM_S)
        stop.set()
        for thread in threads:
            thread.join()
        over.set()
        hearing.join()
        while clients[0].sub.poll(200):
            course.onlooker.listen(clients[0])
        course.log = whole_log(clients[0])
        assert broker.terminate() == 0
        # What a broker says is there must be on the disk, too.
        broker.start()
        with RawClient(broker.address) as late:
            late.register("late")
            assert whole_log(late) == course.log
    return course


@contextmanager
def connected(broker: BrokerProcess, people: int) -> Iterator[list[RawClient]]:
    """An onlooker who hears the lobby, and so many senders."""
    clients = [RawClient(broker.address) for _ in range(people + 1)]
    try:
        for number, client in enumerate(clients):
            client.register(f"person{number}")
        clients[0].enter("lobby")
        yield clients
    finally:
        for client in clients:
            client.close()


def whole_log(client: RawClient) -> dict[int, bytes]:
    """The lobby's messages, nonce by number."""
    found: dict[int, bytes] = {}
    after = 0
    while True:
        page = client.ask(messages.History(log="lobby", after=after))
        found |= {entry.seq: entry.nonce for entry in page.entries}
        if not page.more:
            return found
        after = page.entries[-1].seq


def can_mount() -> bool:
    """Whether this process may have a small disk of its own."""
    if sys.platform != "linux" or os.geteuid() or shutil.which("unshare") is None:
        return False
    script = 'mount -t tmpfs -o size=1m tmpfs "$1"'
    with tempfile.TemporaryDirectory() as name:
        command = ["unshare", "--mount", "sh", "-c", script, "sh", name]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The scenario's options."""
    parser.add_argument("--seconds", type=float, default=30, metavar="S", help="of full disk (default: 30)")
    parser.add_argument("--people", type=int, default=6, metavar="N", help="senders (default: 6)")


def run(arguments: argparse.Namespace) -> int:
    """Fill and free; 1 if a promise was broken."""
    if not can_mount():
        print("This needs root on Linux, to mount a small disk.", file=sys.stderr)
        return 1
    if INSIDE not in os.environ:
        # The disk is seen, and gone, with this process alone.
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.orig_argv[1:]])
    with tempfile.TemporaryDirectory(prefix="tertulia-faults-") as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", name], check=True)
        try:
            course = play(Path(name), arguments.seconds, arguments.people)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)
    for line in course.lines():
        print(line)
    broken = course.broken()
    for line in broken:
        print(f"BROKEN: {line}")
    return int(bool(broken))

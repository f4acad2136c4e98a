"""Eavesdroppers with hand-made SUB and XSUB connections: they upset the broadcast socket, and note all that they hear.

Each process has an account of its own that is in none of the rooms, and connections of strangers besides. What is
heard of a room that one is not in is reported word for word. Must not know when somebody is let in.
"""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
from collections import Counter
from typing import Final, Self

from common import topics
from common.addresses import parse
from common.keys import KeyPair, generate
from tests.faults import zmtp
from tests.faults.hostile_members import SeenFrom
from tests.faults.joins_pair import MARK
from tests.faults.zmtp import Violation
from tests.faults.zmtp_peer import BROADCAST, Peer
from tests.support import patience
from tests.support.loopback import RawClient

CONNECTIONS: Final = 6
"""Held by one process at a time."""
FRAMES: Final = 12
"""Sent on one connection, unless the broker ends it before."""
PATIENCE_S: Final = 0.5
"""For the answer to a handshake: there is none for whoever is banned."""
FOREIGN: Final = (b"", b"hello there", b"\2", b"\xff\xff")


class Eavesdroppers:
    """The attacking processes, at work once this is made."""

    def __init__(self, address: str, rooms: list[str], processes: int) -> None:
        self._processes = []
        for number in range(processes):
            command = ["nice", sys.executable, "-m", "tests.faults.joins_attack", address, str(number), *rooms]
            self._processes.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        self._told("ready")
        # All have their accounts before the first begins: its attack would keep the others out for a while.
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        self._told("at work")

    def _told(self, word: str) -> None:
        for process in self._processes:
            assert process.stdout is not None
            if process.stdout.readline() != word + "\n":
                raise RuntimeError("an eavesdropper failed; its traceback is above")

    def stop(self) -> tuple[dict[str, int], list[str]]:
        """End them; what they did together, and what they heard."""
        counted: Counter[str] = Counter()
        heard: list[str] = []
        while self._processes:
            process = self._processes.pop()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            result = json.loads(process.stdout.readline())
            counted.update(result["counted"])
            heard += result["heard"]
            process.wait(patience.PATIENCE_S)
            process.stdout.close()
        return dict(counted), heard

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._processes:
            self.stop()


class Eavesdropper:
    """One process's connections, used in turn."""

    def __init__(self, address: str, number: int, rooms: list[str]) -> None:
        self._address = parse(address)
        self._number = number
        self._rooms = rooms
        self._chance = random.Random(number)
        self.peers: list[Peer] = []
        """The connections that stand."""
        self.counted: Counter[str] = Counter()
        self.heard: list[str] = []
        self.member = self._make_member()

    def _make_member(self) -> KeyPair:
        """An account, in the default room only."""
        source = f"127.20.{self._number}.1"
        with RawClient(SeenFrom(self._address.host, self._address.port, self._address.key, source)) as client:
            client.register(f"eva-{self._number}-{random.randbytes(3).hex()}")
            return client.keys

    def turn(self) -> None:
        """Make a connection, say what is not proper on all of them, and hear what comes."""
        while len(self.peers) < CONNECTIONS:
            self._connect()
        for peer in list(self.peers):
            try:
                self._speak(peer)
                self._hear(peer)
            except (OSError, Violation):
                self.counted["hung_up"] += 1
                self._drop(peer)
        if self._chance.random() < 0.05 and self.peers:
            # Some go by themselves, since it is the going that upsets the socket most.
            self.counted["gone"] += 1
            self._drop(self._chance.choice(self.peers))

    def _connect(self) -> None:
        self.counted["connections"] += 1
        count = self.counted["connections"]
        source = f"127.{30 + self._number}.{count // 250 % 250}.{1 + count % 250}"
        keys = self.member if self._chance.random() < 0.1 else generate()
        try:
            peer = Peer(self._address, BROADCAST, keys=keys, source=source, patience=PATIENCE_S)
        except OSError:
            self.counted["refused"] += 1
            return
        try:
            peer.handshake(self._chance.choice((b"SUB", b"XSUB")))
        except (OSError, Violation):
            self.counted["refused"] += 1
            peer.reset()
            return
        self.peers.append(peer)

    def _speak(self, peer: Peer) -> None:
        """Subscriptions to the rooms, whole and in part, and frames that are none."""
        chance, said = self._chance, []
        for _ in range(FRAMES):
            room = topics.topic(chance.choice(self._rooms))
            kind = chance.random()
            if kind < 0.6:
                guess = (room, room, room[: chance.randrange(len(room))], b"", b"@guest", b"~" + chance.randbytes(2))
                said.append(zmtp.subscription(chance.choice(guess)))
            elif kind < 0.8:
                said.append(b"\0" + room)
            else:
                said.append(chance.choice(FOREIGN))
        peer.send(b"".join(zmtp.frame(peer.curve.message(each)) for each in said))
        self.counted["frames"] += len(said)

    def _hear(self, peer: Peer) -> None:
        """Whatever has come: nothing is expected, but everything is kept that speaks of a secret."""
        for payload in peer.come():
            self.counted["events"] += 1
            if MARK.encode() in payload:
                self.heard.append(f"an eavesdropper heard {payload!r}")

    def _drop(self, peer: Peer) -> None:
        try:
            self._hear(peer)
        except (OSError, Violation):
            pass
        self.peers.remove(peer)
        peer.reset()

    def finish(self) -> None:
        """Hear all connections out: the broker ends each, in answer to a last frame that is none."""
        for peer in list(self.peers):
            try:
                peer.send(zmtp.frame(peer.curve.message(FOREIGN[1])))
                while True:
                    self._hear(peer)
                    peer.wait()
            except (OSError, Violation):
                self._drop(peer)


def main(address: str, number: str, *rooms: str) -> None:
    """The attacking process: `ready` out, and at the end of the input what was done and heard."""
    eavesdropper = Eavesdropper(address, int(number), list(rooms))
    print("ready", flush=True)
    os.read(sys.stdin.fileno(), 3)
    print("at work", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        eavesdropper.turn()
    eavesdropper.finish()
    print(json.dumps({"counted": eavesdropper.counted, "heard": eavesdropper.heard}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

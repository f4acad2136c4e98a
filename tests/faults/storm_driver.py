"""A process full of `StormClient`s: `python -m tests.faults.storm_driver ADDRESS FILE FIRST COUNT [--heartbeats]`.

It says `ready` once all are live. Then it takes orders on standard input, a line each: `cut` (the broker is gone),
`shut` (break every connection from this side), `heads {"log": seq, …}` (where the logs end for good). To the first two
it answers `live SECONDS` once all are live again, to the last a line of JSON once all have everything; the moments are
of CLOCK_MONOTONIC. At the end of its input it ends. Must not know why it is done.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import zmq

from common import addresses
from tests.faults.storm_accounts import load
from tests.faults.storm_client import StormClient, monotonic

TICK_S: Final = 0.1
LIVE_TICKS: Final = 10
"""How many ticks a client that is live sleeps."""
ARRIVING: Final = 100


class Driver:
    """All clients of this process, and what is asked of them.

    Their sockets are watched by epoll, for `zmq_poll` asks each of thousands about itself each time: that would cost
    more than the storm. A socket's descriptor tells of news only once, so that each is read until there is no more, and
    again after its client has done anything with it.
    """

    def __init__(self, clients: list[StormClient], ports: tuple[int, int]) -> None:
        self.clients = clients
        self._ports = ports
        self._epoll = select.epoll()
        self._of: dict[int, tuple[StormClient, Callable[[float], None]]] = {}
        for client in clients:
            self._of[client.dealer.getsockopt(zmq.FD)] = client, client.read_replies
            self._of[client.sub.getsockopt(zmq.FD)] = client, client.read_events
        for descriptor in (sys.stdin.fileno(), *self._of):
            self._epoll.register(descriptor, select.EPOLLIN)
        self._awaited: str | None = "ready"
        self._not_live = set(clients)
        self._tick_due = 0.0
        self._ticks = 0
        self._heads: dict[str, int] = {}
        self._input = b""

    def run(self) -> None:
        """Until the input ends."""
        while True:
            ready = {descriptor for descriptor, _ in self._epoll.poll(max(0.0, self._tick_due - monotonic()))}
            if sys.stdin.fileno() in ready and not self._orders():
                return
            for descriptor in ready:
                if descriptor in self._of:
                    client, read = self._of[descriptor]
                    read(monotonic())
                    client.look_again()
            if monotonic() >= self._tick_due:
                self._tick()

    def _tick(self) -> None:
        now = monotonic()
        self._ticks += 1
        # Those that are live have only their heartbeat to think of.
        for client in {*self._not_live, *self.clients[self._ticks % LIVE_TICKS :: LIVE_TICKS]}:
            if client.begun:
                client.tick(now)
                client.look_again()
        if self._awaited == "ready":
            # At first a few at a time: it is their return that is to be a storm.
            arriving = sum(client.begun and not client.greeted for client in self.clients)
            for client in [each for each in self.clients if not each.begun][: max(0, ARRIVING - arriving)]:
                client.begin()
        self._tick_due = monotonic() + TICK_S
        if self._awaited is None:
            return
        if self._not_live:
            self._not_live = {client for client in self._not_live if not client.live}
            if self._not_live:
                return
        if self._awaited == "heads":
            if all(client.logs[log].last == head for client in self.clients for log, head in self._heads.items()):
                self._say(json.dumps(self._report()))
        else:
            self._say("ready" if self._awaited == "ready" else f"live {monotonic()}")

    def _report(self) -> dict[str, object]:
        return {
            "delivered": [[client.login, client.delivered] for client in self.clients],
            "hellos": sum(client.hellos for client in self.clients),
            "waits": sum(client.waits for client in self.clients),
        }

    def _say(self, what: str) -> None:
        print(what, flush=True)
        self._awaited = None

    def _orders(self) -> bool:
        chunk = os.read(sys.stdin.fileno(), 65_536)
        *lines, self._input = (self._input + chunk).split(b"\n")
        for line in lines:
            word, _, rest = line.decode().partition(" ")
            self._awaited = word
            self._not_live = set(self.clients)
            if word == "heads":
                self._heads = json.loads(rest)
            else:
                if word == "shut":
                    shut_connections(self._ports)
                for client in self.clients:
                    client.cut()
            self._tick_due = 0.0
        return bool(chunk)


def shut_connections(ports: tuple[int, int]) -> int:
    """Break every TCP connection of this process to one of these ports; how many there were."""
    broken = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            copy = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        with copy:
            try:
                if copy.family in (socket.AF_INET, socket.AF_INET6) and copy.getpeername()[1] in ports:
                    copy.shutdown(socket.SHUT_RDWR)
                    broken += 1
            except OSError:
                continue
    return broken


def main() -> None:
    """As the module says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address", type=addresses.parse)
    parser.add_argument("file", type=Path)
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--heartbeats", action="store_true")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 4 * given.count + 64)
    people = load(given.file)[given.first : given.first + given.count]
    clients = [StormClient(context, given.address, who, heartbeats=given.heartbeats) for who in people]
    Driver(clients, (given.address.port, given.address.port + 1)).run()
    sys.stdout.flush()
    # Without waiting for thousands of sockets to be closed one by one.
    os._exit(0)


if __name__ == "__main__":
    main()

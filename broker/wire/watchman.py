"""Looks after the broker's own TCP connections: who sends too much, says nothing, or is one too many is shut.

Neither ZMQ_RCVHWM nor ZMQ_MAXMSGSIZE bounds memory: libzmq holds a message of thousands of frames whole, and every
subscription that was denied. Nor does ZMQ_SNDHWM, which counts messages. So a thread reads from
the kernel how many bytes went over each connection, and shuts down what is over its budget; libzmq then frees what
it holds. Linux only. Must not know what travels.

Source: tcp(7), TCP_INFO.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from broker import log
from broker.chat.effects import Connection
from broker.wire import peers
from broker.wire.gate import Offence
from broker.wire.judge import Judge, Place, Seen, Verdict
from broker.wire.memory import Trimmer

SCAN_S: Final = 0.05
"""Seconds between two looks at the least: one peer pushes some 15 MB in that time."""
SHARE: Final = 0.05
"""Of a core at the most: with thousands of connections the looks become rarer instead of dearer."""
TRIM_S: Final = 1.0
"""Seconds between two looks at whether memory can be given back."""
_DESCRIPTORS: Final = "/proc/self/fd"


class Scanner:
    """Finds this process's connections on the broker's ports, and what came on each. Raises `OSError` if it cannot."""

    def __init__(self, port: int, sent: Callable[[Connection], int]) -> None:
        """`sent` tells how many bytes of replies were handed to libzmq for a connection."""
        self._ports = range(port, port + 3)
        self._sent = sent
        self._meter = peers.TrafficMeter()
        self._seen: dict[int, tuple[int, Seen | None]] = {}
        """By descriptor: the inode, and the connection if it is one of the broker's."""
        self.look(0.0)

    def look(self, now: float) -> list[Seen]:
        """Every connection that stands."""
        before, self._seen = self._seen, {}
        found = []
        for name in os.listdir(_DESCRIPTORS):
            descriptor = int(name)
            identity = peers.identify(descriptor)
            if identity is None:
                continue
            known = before.get(descriptor)
            seen = known[1] if known and known[0] == identity[1] else self._first(identity, now)
            self._seen[descriptor] = (identity[1], seen)
            if seen is not None and (traffic := self._meter.of(descriptor)) is not None:
                seen.note(traffic, self._sent(seen.connection))
                found.append(seen)
        return found

    def _first(self, connection: Connection, now: float) -> Seen | None:
        endpoint = peers.endpoint(connection[0])
        if endpoint is None or endpoint.port not in self._ports:
            return None
        return Seen(connection, endpoint.host, now, Place(endpoint.port - self._ports[0]))


class Watchman:
    """The thread. `offended(address, connection, reason)` is told of each connection that misbehaved."""

    def __init__(self, scanner: Scanner, judge: Judge, offended: Callable[[str, Connection, Offence], None]) -> None:
        self._scanner = scanner
        self._judge = judge
        self._offended = offended
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchman", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause, trimmer, next_trim = SCAN_S, Trimmer(), time.monotonic() + TRIM_S
        while not self._stop.wait(pause):
            before = time.thread_time()
            try:
                self.look(time.monotonic())
            except Exception:
                # The top of this thread: without it nothing bounds what peers send.
                log.failure("watchman-failed")
            if time.monotonic() >= next_trim:
                next_trim = time.monotonic() + TRIM_S
                given = trimmer.trim()
                if given:
                    log.event("memory-given-back", logging.DEBUG, bytes=given)
            pause = max(SCAN_S, (time.thread_time() - before) / SHARE)

    def look(self, now: float) -> list[Verdict]:
        """Look once, and shut what is to be shut."""
        verdicts = self._judge.judge(self._scanner.look(now), now)
        shut: Counter[str] = Counter()
        for verdict in verdicts:
            peers.cut(verdict.seen.connection)
            if isinstance(verdict.reason, Offence):
                self._offended(verdict.seen.host, verdict.seen.connection, verdict.reason)
            else:
                shut[verdict.reason] += 1
        for reason, count in shut.items():
            log.event("shut", reason=reason, connections=count)
        return verdicts

"""The bell: a ring from any thread wakes the reactor, and none is lost."""

from __future__ import annotations

import threading
from collections import deque

import zmq

from broker.wire.bell import Bell
from tests.support.patience import PATIENCE_MS


def test_every_result_of_many_threads_is_fetched() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    bell = Bell(context)
    results: deque[int] = deque()
    count, threads = 2_000, 4

    def work() -> None:
        for number in range(count):
            results.append(number)
            bell.ring()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    fetched = 0
    while fetched < count * threads:
        assert bell.socket.poll(PATIENCE_MS), f"a ring was lost after {fetched}"
        bell.hush()
        while results:
            results.popleft()
            fetched += 1
    for worker in workers:
        worker.join()
    bell.close()
    bell.ring()
    context.term()


def test_a_bell_rings_once_until_it_is_hushed() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    bell = Bell(context)
    bell.ring()
    bell.ring()
    assert bell.socket.poll(PATIENCE_MS)
    bell.hush()
    assert not bell.socket.poll(0)
    bell.ring()
    assert bell.socket.poll(PATIENCE_MS)
    bell.close()
    context.term()

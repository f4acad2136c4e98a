"""Threads that answer what the rules ask aside: passwords are hashed, logs are read, messages are searched for.

A pool for each, so that nobody's history waits behind somebody's hash or search. Each has a bounded queue; a full one
is said at once. Whatever goes wrong becomes a failed result, and the thread goes on. Must not know what an answer is
for.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from broker import log
from broker.chat.effects import Ask
from broker.chat.ports import (
    CheckPassword,
    CheckToken,
    FindMessages,
    HashPassword,
    Query,
    ReadLog,
    ReadMessage,
    ReadStored,
    Store,
)
from broker.wire.passwords import Passwords
from common.limits import HASHES_WAITING

READS_WAITING: Final = 512
"""Pages of history that may wait: a storm of reconnecting clients asks for one a room."""
SEARCHES_WAITING: Final = 64
"""Searches that may wait: nearly all take some milliseconds."""


class Done(NamedTuple):
    """An answer, or that there is none because the worker failed."""

    ask: Ask
    result: object
    failed: bool


def answer(query: Query, store: Store, passwords: Passwords) -> object:
    """Look up or compute what `query` asks for."""
    match query:
        case ReadLog():
            return store.read_log(query)
        case ReadMessage():
            return store.read_message(query)
        case FindMessages():
            return store.find_messages(query)
        case ReadStored():
            return store.read_stored(query)
        case CheckToken(account, digest, oldest):
            # Nobody has the number 0: an unknown account takes the same look.
            return store.has_token(account or 0, digest, oldest)
        case CheckPassword(account, password):
            tagged = None if account is None else store.password(account)
            right = passwords.check(password, tagged)
            return passwords.hash(password) if right and tagged and passwords.outdated(tagged) else right
        case HashPassword(password):
            return passwords.hash(password)


class Workers:
    """The pools. `ask` from the reactor; `results` fill from the threads, and `ring` says so."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        ring: Callable[[], None],
        *,
        hashers: int = 2,
        readers: int = 2,
        hashes_waiting: int = HASHES_WAITING,
        reads_waiting: int = READS_WAITING,
        searches_waiting: int = SEARCHES_WAITING,
    ) -> None:
        self.results: deque[Done] = deque()
        self._store = store
        self._passwords = passwords
        self._ring = ring
        self._hashes: queue.Queue[Ask | None] = queue.Queue(hashes_waiting)
        self._reads: queue.Queue[Ask | None] = queue.Queue(reads_waiting)
        self._searches: queue.Queue[Ask | None] = queue.Queue(searches_waiting)
        pools = (("hasher", self._hashes, hashers), ("reader", self._reads, readers), ("searcher", self._searches, 1))
        self._threads = {
            threading.Thread(target=self._run, args=(jobs,), name=f"{name}-{number}", daemon=True): jobs
            for name, jobs, count in pools
            for number in range(count)
        }
        self._stopping = False

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def ask(self, ask: Ask) -> bool:
        """Queue a question; False if too many wait already."""
        match ask.query:
            case CheckPassword() | HashPassword():
                jobs = self._hashes
            case FindMessages():
                jobs = self._searches
            case _:
                jobs = self._reads
        try:
            jobs.put_nowait(ask)
        except queue.Full:
            return False
        return True

    def stop(self, timeout: float) -> None:
        """End the threads after what they are at; what still waits is dropped. `timeout` in seconds for all."""
        self._stopping = True
        for jobs in (self._hashes, self._reads, self._searches):
            try:
                while True:
                    jobs.get_nowait()
            except queue.Empty:
                pass
        for jobs in self._threads.values():
            jobs.put(None)
        for thread in self._threads:
            thread.join(timeout / len(self._threads))

    def _run(self, jobs: queue.Queue[Ask | None]) -> None:
        while (ask := jobs.get()) is not None:
            try:
                done = Done(ask, answer(ask.query, self._store, self._passwords), False)
            except Exception:
                # The top of this thread; the origin is told `internal`, the log the cause.
                log.failure("worker-failed", query=type(ask.query).__name__)
                done = Done(ask, None, True)
            if not self._stopping:
                self.results.append(done)
                self._ring()

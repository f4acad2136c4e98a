"""The journal: one thread, the only writer. What has queued is committed in one transaction.

A group that fails takes with it every job that was submitted before the reactor heard of it: the rules have
changed their memory ahead of the disk, so those jobs may build on what was not written (a message in a room
whose creation failed). The reactor undoes all of them, latest first, and calls `resume`; what is submitted
after that builds on a memory that agrees with the disk again, and is taken.

If a sync failed (`StoreBroken`) the thread ends: nobody can say what is on disk until the next start.

Must not know the rules, sockets or SQL.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple, Protocol, runtime_checkable

from broker import log
from broker.chat.effects import Append, Commit
from broker.chat.ports import NewEntries, Place, Store, StoreBroken, StoreFailed, Write

GROUP: Final = 1_024
"""Jobs in one transaction: the sync is well shared long before, and nobody waits for an endless one."""

IDLE_S: Final = 0.02
"""Seconds without a job after which a piece of what can wait is done."""

Job = Commit | Append


class Settled(NamedTuple):
    """A job that is done, or that failed."""

    job: Job
    places: list[tuple[Place, ...]] | tuple[Place, ...] | None
    """The places of an Append's entries; of a Commit, one tuple for each `NewEntries`. None if it failed."""
    error: StoreFailed | None
    """Why it failed. Jobs that failed together share one error."""


class _Resume(NamedTuple):
    error: StoreFailed | None


class _Stop(NamedTuple):
    pass


@runtime_checkable
class Tidying(Protocol):
    """A store with work that can wait for an idle moment."""

    def tidy(self) -> bool:
        """Do a bounded piece of it; whether there may be more."""

    def keep_up(self) -> bool:
        """After a commit: do what must not wait for ever, if it is time to; whether there is something to tidy."""


class Journal:
    """`submit`, `resume` and `stop` are for the reactor's thread; `results` is filled by the journal's."""

    def __init__(self, store: Store, wake: Callable[[], None], capacity: int) -> None:
        """`wake` is called on the journal's thread after each group's results were appended; it must not raise.

        `capacity` is the number of jobs that may wait.
        """
        self.results: deque[Settled] = deque()
        self._store = store
        self._tidying = store if isinstance(store, Tidying) else None
        self._wake = wake
        self._capacity = capacity
        self._queue: SimpleQueue[Job | _Resume | _Stop] = SimpleQueue()
        self._open = True
        self._failure: StoreFailed | None = None
        self._group: list[Job] = []
        # What an earlier run left to do is looked for at the first idle moment.
        self._untidy = self._tidying is not None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def submit(self, job: Job) -> bool:
        """Queue a job; False, and nothing queued, if too many wait or the journal has ended."""
        if self._open and self._queue.qsize() < self._capacity:
            self._queue.put(job)
            return True
        return False

    def resume(self, error: StoreFailed | None = None) -> None:
        """Take jobs again: the reactor has undone every job that was submitted before this call.

        With `error`, the failure that was heard of: one that came about since is not lifted by mistake.
        Without, whichever there is; then it must be called once per failure.
        """
        self._queue.put(_Resume(error))

    def stop(self, timeout: float) -> bool:
        """Take no more jobs, commit those that wait, and end. False if that took longer than `timeout` seconds."""
        self._open = False
        if not self._thread.ident:
            return True
        self._queue.put(_Stop())
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the journal's thread runs; if it does not, `submit` takes nothing."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            going = True
            while going:
                try:
                    going = self._round()
                except Exception:  # the top of the thread: whatever it was, nobody is left waiting
                    log.failure("fault", where="journal")
                    self._fail(StoreFailed("The journal met a fault; the broker's log has the cause."))
        finally:
            self._open = False
            self._abandon()

    def _abandon(self) -> None:
        """Fail what still waits, if the thread ends by itself: nothing can be relied on, or nobody can be told."""
        error = self._failure or StoreFailed("The journal has ended; the broker's log has the cause.")
        waiting: list[Job] = []
        while not self._queue.empty():
            item = self._queue.get()
            if not isinstance(item, _Resume | _Stop):
                waiting.append(item)
        self.results.extend(Settled(job, None, error) for job in waiting)
        if waiting:
            with suppress(Exception):
                self._wake()

    def _round(self) -> bool:
        """Commit a group; False if it was the last: told to stop, or nothing can be relied on any more."""
        mark = self._collect(self._next())
        if self._group:
            if self._failure is None:
                self._commit()
            else:
                self._fail(self._failure)
        if isinstance(mark, _Resume) and mark.error in (None, self._failure):
            self._failure = None
        return not isinstance(mark, _Stop) and not isinstance(self._failure, StoreBroken)

    def _next(self) -> Job | _Resume | _Stop:
        """Wait for something to do, tidying up meanwhile."""
        while self._untidy:
            try:
                return self._queue.get(timeout=IDLE_S)
            except Empty:
                self._tidy()
                if self._failure is not None:
                    return _Stop()
        return self._queue.get()

    def _tidy(self) -> None:
        assert self._tidying is not None
        self._untidy = self._tried(self._tidying.tidy)

    def _tried(self, work: Callable[[], bool]) -> bool:
        """Do what can wait; one that fails is tried again after the next commit, or at the next start.

        A sync that failed is as bad here as anywhere.
        """
        try:
            return work()
        except StoreBroken as error:
            log.event("storage-failed", logging.ERROR, cause=str(error))
            self._failure = error
            return False
        except StoreFailed as error:
            log.event("tidying-failed", logging.WARNING, cause=str(error))
            return False

    def _collect(self, item: Job | _Resume | _Stop) -> _Resume | _Stop | None:
        """Gather the jobs that queued up to a mark, and return the mark; None if there is none yet."""
        group = self._group
        try:
            while not isinstance(item, _Resume | _Stop):
                group.append(item)
                if len(group) == GROUP:
                    return None
                item = self._queue.get_nowait()
        except Empty:
            return None
        return item

    def _commit(self) -> None:
        writes: list[Write] = []
        for job in self._group:
            if type(job) is Append:
                writes.append(job.entries)
            else:
                writes.extend(job.writes)  # type: ignore[union-attr]  # mypy does not narrow by `type`
                self._untidy = self._tidying is not None
        try:
            places = self._store.commit(writes)
        except StoreFailed as error:
            self._fail(error)
            return
        group, self._group = self._group, []
        at = 0
        for job in group:
            if isinstance(job, Append):
                self.results.append(Settled(job, places[at], None))
                at += 1
            else:
                upto = at + sum(type(write) is NewEntries for write in job.writes)
                self.results.append(Settled(job, places[at:upto], None))
                at = upto
        self._wake()
        # Whoever waits for an answer has it: what follows delays only those who come next.
        if self._tidying is not None and self._tried(self._tidying.keep_up):
            self._untidy = True

    def _fail(self, error: StoreFailed) -> None:
        """Report the group as failed, and so, from now on, whatever comes before `resume`."""
        self._failure = error
        group, self._group = self._group, []
        self.results.extend(Settled(job, None, error) for job in group)
        self._wake()

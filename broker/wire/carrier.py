"""Carries out what the rules ask for, in order: replies, broadcasts, commits, questions, cuts, log lines.

Everything the rules do happens inside `Carrier.perform`, the one place where an unexpected exception of
theirs is caught: it is logged with its traceback, and who asked is told `internal`. Must not know the rules'
reasons; for the thread that owns the sockets.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from broker import log
from broker.chat.effects import Answer, Append, Ask, Commit, Cut, Effect, Now, Origin, Publish, Refuse, Settle, Stamp
from broker.wire import peers
from broker.wire.workers import Done
from common import codec
from common.errors import Busy, ChatError, Internal, StorageFailed

GENTLE_S: Final = 0.01
"""What a gentle cut waits: libzmq's thread sends within a millisecond what was published, if the peer reads at all."""
RETRY_JOURNAL_S: Final = 0.2
"""What a client is told to wait when the journal is full: it empties at tens of thousands a second."""
RETRY_WORKERS_S: Final = 1.0
"""Likewise for the workers: sixteen hashes take about two seconds."""

Job = Commit | Append
Send = Callable[[bytes, bytes], None]
"""Sends a body to a routing id."""
OPERATOR: Final = "operator"
"""The key of origins on the operator's socket; no public key is that short."""


class Settled(Protocol):
    """What the journal says of a job: its places, or why it failed."""

    @property
    def job(self) -> Job: ...
    @property
    def places(self) -> Any: ...
    @property
    def error(self) -> Exception | None: ...


class Journal(Protocol):
    """What is needed of the journal here."""

    @property
    def results(self) -> deque[Any]: ...
    @property
    def alive(self) -> bool: ...
    def submit(self, job: Job, /) -> bool: ...
    def resume(self, error: Any = None) -> None: ...


class Questions(Protocol):
    """What is needed of the workers here."""

    @property
    def results(self) -> deque[Done]: ...
    def ask(self, ask: Ask, /) -> bool: ...


Appended = Callable[[Append, Any, Now], list[Effect]]


class Carrier:
    """Runs the rules and carries out their effects."""

    def __init__(
        self,
        appended: Appended,
        send: Send,
        send_operator: Send,
        publish: Callable[[str, bytes], Any],
        journal: Journal,
        workers: Questions,
        clock: Callable[[], Now],
    ) -> None:
        self._appended = appended
        self._send = send
        self._send_operator = send_operator
        self._publish = publish
        self._journal = journal
        self._workers = workers
        self._clock = clock
        self._under_way: deque[Job] = deque()
        self._behind: deque[tuple[Job, Settle]] = deque()
        """What waits for a job to be done or taken back, in the order of the jobs."""
        self._waiting: deque[tuple[float, Sequence[Effect]]] = deque()
        self._how: dict[type, Callable[[Any], None]] = {
            Append: self._append,
            Publish: self._announce,
            Answer: self._reply,
            Refuse: self._refuse,
            Commit: self._commit,
            Ask: self._ask,
            Settle: self._wait,
            Cut: self._cut,
            Stamp: self._stamp,
        }

    @property
    def idle(self) -> bool:
        """Whether no commit is under way."""
        return not self._under_way

    @property
    def can_write(self) -> bool:
        """Whether the journal still runs; if it does not, only a new start helps."""
        return self._journal.alive

    def perform(self, origin: Origin | None, produce: Callable[..., Sequence[Effect]], *given: object) -> None:
        """Call `produce(*given)` and carry out what it returns; a fault is logged and told to `origin`."""
        try:
            self._carry_out(produce(*given))
        except Exception:
            # The one broad handler around the rules: a fault in one request must not end the broker.
            log.failure("fault", key=origin.key if origin else None)
            if origin is not None:
                self.refuse(origin, Internal())

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        how = self._how
        for position, effect in enumerate(effects):
            if type(effect) is Cut and effect.gently:
                self._waiting.append((time.monotonic() + GENTLE_S, effects[position:]))
                return
            how[type(effect)](effect)

    @property
    def due(self) -> float:
        """When `carry_on` has something to do, by the monotonic clock; infinite if nothing waits."""
        return self._waiting[0][0] if self._waiting else math.inf

    def carry_on(self, now: float) -> None:
        """Carry out the gentle cuts whose moment has come by `now`, and what waits behind them."""
        while self._waiting and self._waiting[0][0] <= now:
            effects = self._waiting.popleft()[1]
            # All cuts of the list have waited together, the others behind the first of them.
            for effect in effects:
                if type(effect) is Cut:
                    self._cut(effect)
            rest = [effect for effect in effects if type(effect) is not Cut]
            self.perform(None, lambda rest=rest: rest)

    def refuse(self, origin: Origin, error: ChatError) -> None:
        """Send an error."""
        self._deliver(origin, codec.encode_error(origin.id, error, origin.session))

    def settle(self, now: Now) -> None:
        """Go on with the commits that the journal has done, or take all of them back if one failed."""
        results, under_way, perform, appended = self._journal.results, self._under_way, self.perform, self._appended
        while results:
            settled = results.popleft()
            job = settled.job
            if settled.error is not None:
                # Jobs that were under way when an earlier one failed are reported, too, but are undone by now.
                if under_way and under_way[0] is job:
                    self._take_back(settled.error)
                continue
            under_way.popleft()
            if type(job) is Append:
                perform(job.origin, appended, job, settled.places, now)
            else:
                perform(job.origin, job.then, settled.places, now)
            while self._behind and self._behind[0][0] is job:
                self._go_on()

    def collect(self, now: Now) -> None:
        """Go on with what the workers have answered."""
        results = self._workers.results
        while results:
            done = results.popleft()
            if done.failed:
                self.refuse(done.ask.origin, Internal())
            else:
                self.perform(done.ask.origin, done.ask.then, done.result, now)

    def _take_back(self, error: Exception) -> None:
        """Undo every commit under way, latest first: each may build upon the one before it."""
        log.event("storage-failed", logging.ERROR, cause=str(error), commits=len(self._under_way))
        while self._under_way:
            job = self._under_way.pop()
            if isinstance(job, Commit) and job.undo is not None:
                try:
                    job.undo()
                except Exception:
                    # One undo that fails must not keep the others from being done.
                    log.failure("fault")
            if job.origin is not None:
                self.refuse(job.origin, StorageFailed())
        self._journal.resume(error)
        for _ in range(len(self._behind)):
            self._go_on()

    def _go_on(self) -> None:
        """Carry out the first of what waits, or have it wait again for what has come under way since."""
        settle = self._behind.popleft()[1]

        def produce() -> list[Effect]:
            waits = self._under_way and not settle.settled()
            return [settle] if waits else settle.then(self._clock())

        self.perform(settle.origin, produce)

    def _deliver(self, origin: Origin, body: bytes) -> None:
        (self._send if origin.key != OPERATOR else self._send_operator)(origin.route, body)

    def _append(self, effect: Append) -> None:
        if self._journal.submit(effect):
            self._under_way.append(effect)
        else:
            self.refuse(effect.origin, Busy(retry_after=RETRY_JOURNAL_S))

    def _commit(self, effect: Commit) -> None:
        if self._journal.submit(effect):
            self._under_way.append(effect)
            return
        if effect.undo is not None:
            effect.undo()
        if effect.origin is not None:
            self.refuse(effect.origin, Busy(retry_after=RETRY_JOURNAL_S))

    def _announce(self, effect: Publish) -> None:
        self._publish(effect.log, codec.encode_event(effect.log, effect.event))

    def _reply(self, effect: Answer) -> None:
        origin, reply = effect.origin, effect.reply
        reply.id = origin.id
        self._deliver(origin, codec.encode_reply(reply, origin.session))

    def _refuse(self, effect: Refuse) -> None:
        self.refuse(effect.origin, effect.error)

    def _ask(self, effect: Ask) -> None:
        if not self._workers.ask(effect):
            if effect.unasked is not None:
                effect.unasked()
            self.refuse(effect.origin, Busy(retry_after=RETRY_WORKERS_S))

    def _wait(self, effect: Settle) -> None:
        if self._under_way:
            self._behind.append((self._under_way[-1], effect))
        else:
            self._carry_out(effect.then(self._clock()))

    def _cut(self, effect: Cut) -> None:
        peers.cut(effect.connection)

    def _stamp(self, effect: Stamp) -> None:
        log.event(effect.event, **effect.fields)

"""`hello` for many sessions over one connection: paced, one at a time for each, and said once for all who want it.

What is announced of a session while its first `hello` is under way is for nobody yet; it is kept here until the answer
comes, which may be of before. Must not know what follows from an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from client.link.calls import Outcome
from client.web.relay.asking import Asked, Asking
from client.web.relay.bounds import ANSWER_S, HELLOS, LEAVINGS
from common import limits
from common import messages as m
from common.errors import ChatError

Greeted = Callable[[Outcome, float, float], None]
"""Takes what was answered, when it was asked, and the time."""


@dataclass(slots=True)
class _Wanted:
    address: str = ""
    quiet: bool = True
    done: list[Greeted] = field(default_factory=list)


class Greeter:
    """Asks for the state of sessions."""

    def __init__(self, asking: Asking, client: str) -> None:
        self._asking = asking
        self._client = client[: limits.CLIENT_LENGTH]
        self._waiting: dict[str, _Wanted] = {}
        """By label, those not asked yet, the first first."""
        self._under_way: set[str] = set()
        self._outdated: set[str] = set()
        """Those under way whose answer is of before something that was heard since."""
        self._departures: dict[tuple[str, int], float] = {}

    def greet(self, label: str, address: str, quiet: bool, now: float, done: Greeted) -> None:
        """Ask what `label` is; `done` gets an answer to a question that was asked no sooner than now."""
        wanted = self._waiting.setdefault(label, _Wanted())
        wanted.address = address or wanted.address
        wanted.quiet = wanted.quiet and quiet
        wanted.done.append(done)
        self.pump(now)

    def outdate(self, label: str) -> None:
        """Something was announced of that label: what is under way may be answered with what was so before."""
        if label in self._under_way:
            self._outdated.add(label)

    def left(self, inbox: str, id: int, now: float) -> None:
        """The account of that inbox was heard to leave a room: the answer to a first `hello` may be of before."""
        if not self._under_way:
            self._departures.clear()
            return
        self._departures.pop((inbox, id), None)
        self._departures[inbox, id] = now
        if len(self._departures) > LEAVINGS:
            del self._departures[next(iter(self._departures))]

    def departures(self, inbox: str) -> list[tuple[int, float]]:
        """The rooms that an account was heard to leave while any `hello` was under way, and when."""
        return [(id, at) for (whose, id), at in self._departures.items() if whose == inbox]

    def pump(self, now: float) -> None:
        """Ask as many as may be asked."""
        room = HELLOS - len(self._under_way)
        if room <= 0:
            return
        free = (label for label in self._waiting if label not in self._under_way)
        for label in list(islice(free, room)):
            # What cannot be sent is answered at once, and that may have asked for this one.
            wanted = self._waiting.pop(label, None)
            if wanted is not None:
                self._ask(label, wanted, now)

    def _ask(self, label: str, wanted: _Wanted, now: float) -> None:
        def answered(outcome: Outcome, asked: Asked, now: float) -> None:
            self._under_way.discard(label)
            outdated = label in self._outdated
            self._outdated.discard(label)
            for done in wanted.done:
                if outdated and isinstance(outcome, m.Welcome):
                    self.greet(label, wanted.address, wanted.quiet, now, done)
                else:
                    done(outcome, asked.sent, now)
            self.pump(now)

        hello = m.Hello(versions=[limits.PROTOCOL_VERSION], client=self._client, quiet=True if wanted.quiet else None)
        self._under_way.add(label)
        try:
            self._asking.ask(label, hello, wanted.address, now, ANSWER_S, answered)
        except ChatError as error:
            self._under_way.discard(label)
            for done in wanted.done:
                done(error, now, now)

    def fail(self, error: ChatError, now: float) -> None:
        """The broker is away: nothing that waits is asked."""
        waiting, self._waiting = self._waiting, {}
        for wanted in waiting.values():
            for done in wanted.done:
                done(error, now, now)

"""`bye` for sessions that nobody looks at any more, said until the broker has heard it.

One that was lost with the connection would leave somebody present for as long as the gateway lives. Must not know what
follows from the end of a session.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from client.link.calls import Outcome
from client.link.failures import NoAnswer
from client.web.relay.asking import Asked, Asking
from client.web.relay.bounds import ANSWER_S, HELLOS
from common import messages as m
from common.errors import Busy, ChatError


class Farewells:
    """Those that are said, and those that have yet to be."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._unsaid: dict[str, str] = {}
        """Addresses by label."""

    def withdraw(self, label: str, quiet: bool = False) -> None:
        """Somebody is there again, unless one asks quietly."""
        if not quiet:
            self._unsaid.pop(label, None)

    def say(self, label: str, address: str, answering: bool, now: float, done: Callable[[float], None]) -> None:
        """Say it, if there is a broker; `done` is called once there is an answer, or none. Else `again` says it."""

        def answered(outcome: Outcome, _asked: Asked, now: float) -> None:
            if isinstance(outcome, (NoAnswer, Busy)):
                self._unsaid[label] = address
            done(now)

        self.withdraw(label)
        if not answering:
            self._unsaid[label] = address
            return
        try:
            self._asking.ask(label, m.Bye(), address, now, ANSWER_S, answered)
        except ChatError:
            self._unsaid[label] = address
            done(now)

    def again(self, now: float) -> None:
        """Say some of those that are owed; there is a broker."""
        for label, address in list(islice(self._unsaid.items(), HELLOS)):
            self.say(label, address, True, now, lambda now: None)

"""Greeting the broker and pinging it: whether it answers, what its clock shows, where the logs end.

A connection is up when libzmq says so, and the broker is there when it has answered `hello` on it. A ping
without answer takes that back; `hello` is then repeated until it is answered. Must not know what an answer
means for rooms and posts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from client.link.calls import Call, Calls, Outcome
from client.link.clock import Clock
from client.link.failures import LinkLost, NoAnswer, pause
from common import limits
from common import messages as m
from common.errors import AccountDisabled, ChatError, UnsupportedVersion

HELLO_S: Final = 2.0
"""Seconds after which an unanswered `hello` is repeated; twice as many each further time, up to `SILENCE_S`."""
PING_S: Final = 4.0
"""Seconds after which an unanswered ping means that the broker is not there."""
REFUSED_S: Final = 1.0
"""Seconds until a refused `hello` is repeated if the refusal names none."""


class Heartbeat:
    """The pulse of one link."""

    def __init__(
        self,
        calls: Calls,
        clock: Clock,
        random: Callable[[int], bytes],
        client: str,
        welcomed: Callable[[m.Welcome, float], None],
        ponged: Callable[[m.Pong | ChatError, float], None],
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._random = random
        self._hello = m.Hello(versions=[limits.PROTOCOL_VERSION], client=client[: limits.CLIENT_LENGTH])
        self._welcomed = welcomed
        self._ponged = ponged
        self._greeting: Call | None = None
        self._ping: Call | None = None
        self._hello_due = math.inf
        self._ping_due = math.inf
        self._patience = HELLO_S
        self.connected = False
        """Whether there is a connection."""
        self.answering = False
        """Whether the broker has answered on it, and not fallen silent since."""
        self.welcome: m.Welcome | None = None
        """The latest answer to `hello`."""
        self.fatal: ChatError | None = None
        """Why greeting was given up: no protocol version in common, or the key's account is disabled."""

    def up(self, now: float) -> None:
        """There is a connection."""
        self.connected = True
        self._patience = HELLO_S
        self._greet(now)

    def down(self, now: float) -> None:
        """The connection is gone."""
        self.connected = self.answering = False
        self._hello_due = self._ping_due = math.inf
        self._calls.cut(now)
        self._greeting = self._ping = None

    def _greet(self, now: float) -> None:
        held = self._calls.held(self._hello)
        self._hello_due = held if held > now else math.inf
        if held <= now and self._greeting is None and self.fatal is None:
            self._greeting = self._calls.open(
                self._hello, now, self._greeted, timeout=self._patience, urgent=True, waits=()
            )

    def _greeted(self, call: Call, outcome: Outcome, now: float) -> None:
        self._greeting = None
        if isinstance(outcome, m.Welcome):
            self._note(call, outcome, now)
            self.answering = True
            self._patience = HELLO_S
            self._ping_due = max(now, self._calls.held(m.Ping()))
            self._welcomed(outcome, now)
        elif isinstance(outcome, UnsupportedVersion) or (isinstance(outcome, AccountDisabled) and self.welcome is None):
            self.fatal = outcome
        elif isinstance(outcome, NoAnswer):
            if not isinstance(outcome, LinkLost):
                # Ever less often: what a crowded broker has not answered yet is not made less by asking again.
                self._patience = min(2 * self._patience, limits.SILENCE_S)
                self._greet(now)
        elif isinstance(outcome, ChatError):
            self._hello_due = max(self._calls.held(self._hello), now + pause(outcome, REFUSED_S, self._random))

    def refresh(self, now: float, then: Callable[[m.Welcome | None, float], None]) -> None:
        """Ask for the whole state again on a link that lives; `then` gets it, or None if that failed."""

        def done(call: Call, outcome: Outcome, now: float) -> None:
            if isinstance(outcome, m.Welcome):
                self._note(call, outcome, now)
            then(outcome if isinstance(outcome, m.Welcome) else None, now)

        self._calls.open(self._hello, now, done, timeout=limits.SILENCE_S)

    def _note(self, call: Call, outcome: m.Welcome, now: float) -> None:
        if call.sent is not None and call.times == 1:
            self._clock.sample(call.sent, now, outcome.time)
        self.welcome = outcome

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self.connected and now >= self._hello_due:
            self._greet(now)
        if self.answering and self._ping is None and now >= self._ping_due:
            self._ping_due = math.inf
            self._ping = self._calls.open(m.Ping(), now, self._answered, timeout=PING_S, urgent=True, waits=())

    def _answered(self, call: Call, outcome: Outcome, now: float) -> None:
        self._ping = None
        if isinstance(outcome, LinkLost):
            return
        if isinstance(outcome, NoAnswer):
            self.answering = False
            self._calls.hold()
            self._greet(now)
            return
        # Any other answer, a refusal too, is a sign of life. Jitter keeps clients from pinging in step.
        regular = now + limits.HEARTBEAT_S * (0.9 + self._random(1)[0] / 1280)
        self._ping_due = max(regular, self._calls.held(m.Ping()))
        if isinstance(outcome, m.Pong):
            if call.sent is not None and call.times == 1:
                self._clock.sample(call.sent, now, outcome.time)
            self._ponged(outcome, now)
        elif isinstance(outcome, ChatError):
            self._ponged(outcome, now)

    def deadline(self) -> float:
        """When `tick` next has something to do."""
        hello = self._hello_due if self.connected else math.inf
        ping = self._ping_due if self.answering and self._ping is None else math.inf
        return min(hello, ping)

"""Requests under way: numbers, answers, time limits, and what a cut or a wait means for each.

Every request stands on its own. One that went out twice is refused only once both are. After a cut, those that may be
made twice (`REPEATABLE`) go out again with the same number; the others fail with `LinkLost`, since nobody can tell
whether they were carried out. One that is told to wait (`rate-limited`, `busy`) was not carried out, whatever it is: it
goes out again after the wait if its time allows, and until then no other of its kind does. The length is that of the
lists of what may be made twice. Must not know what an answer is for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from client.link.failures import LinkLost, NoAnswer, pause
from common import codec, names
from common import messages as m
from common.errors import BadRequest, Busy, ChatError, RateLimited

RESEND_S: Final = 4.0
"""Seconds after which a repeatable request is sent again on a link that lives: its answer was dropped."""

REPEATABLE: Final[frozenset[type[m.Command]]] = frozenset(
    {
        m.Hello,
        m.Ping,
        m.Sessions,
        m.Profile,
        m.UpdateProfile,
        m.Users,
        m.Rooms,
        m.Join,
        m.Enter,
        m.Hide,
        m.Members,
        m.Invite,
        m.Moderate,
        m.Subject,
        m.Mark,
        m.SetStatus,
        m.Send,
        m.Direct,
        m.Edit,
        m.Retract,
        m.React,
        m.Search,
        m.History,
        m.StoreGet,
        m.StorePut,
        m.StoreList,
    }
)
"""Commands that have the same effect made once or twice."""

WAIT_S: Final = 1.0
"""Seconds to wait if a refusal that asks for it names no time."""
Waits = tuple[type[ChatError], ...]
WAITS: Final[Waits] = (RateLimited, Busy)
"""Refusals after which a request is made again by itself, unless whoever makes it says otherwise."""

Outcome = m.Reply | ChatError
Done = Callable[["Call", Outcome, float], None]


@dataclass(slots=True, eq=False)
class Call:
    """One request under way."""

    id: int
    command: m.Command
    done: Done
    ends: float
    """When it fails unanswered."""
    urgent: bool
    """Goes out before the broker has said `welcome` on this connection."""
    sent: float | None = None
    """When it went out last, or None if it waits for the link."""
    times: int = 0
    """How often it went out; the answer to one sent twice says nothing about a round trip."""
    copies: int = 0
    """How many of these, on this connection, are not answered."""
    doubtful: bool = False
    """Whether one went out and its answer did not come: what is said of another does not hold for that one."""
    refusal: ChatError | None = None
    """What one of several was refused with; the answer to the last one counts."""
    waits: Waits = WAITS
    not_before: float = -math.inf
    """When it may go out, having been told to wait."""
    failure: ChatError = field(default_factory=NoAnswer)
    """What it fails with when its time is up."""


class Calls:
    """All requests under way, by number."""

    def __init__(self, transmit: Callable[[bytes], None], random: Callable[[int], bytes]) -> None:
        self._transmit = transmit
        self._random = random
        self._held: dict[str, tuple[float, ChatError]] = {}
        """Until when no request of a kind goes out, and what said so."""
        self._open: dict[int, Call] = {}
        self._kinds: dict[int, type[m.Reply]] = {}
        self._last = 0
        self._flowing = False

    def open(
        self,
        command: m.Command,
        now: float,
        done: Done,
        *,
        timeout: float = math.inf,
        urgent: bool = False,
        waits: Waits = WAITS,
    ) -> Call:
        """Begin a request; `done` gets its outcome once. It goes out now, or when the link allows.

        Refused with one of `waits` it is made again after the wait. An `urgent` one is not held back: whoever makes
        it looks at `held` first.
        """
        self._last += 1
        call = Call(self._last, command, done, now + timeout, urgent, waits=waits)
        self._open[call.id] = call
        self._kinds[call.id] = m.OPS[command.op][1]
        until, refusal = self._held.get(_kind(command), (-math.inf, NoAnswer()))
        if not urgent and until > now:
            call.not_before = until
            if until >= call.ends or not isinstance(refusal, waits):
                # The broker would say the same: it is said here, at the next tick.
                call.failure = type(refusal)(refusal.message, retry_after=until - now)
                call.ends = now
        if urgent or (self._flowing and now >= call.not_before):
            self._send(call, now)
        return call

    def held(self, command: m.Command) -> float:
        """Until when nothing like this command may go out, because the broker said so; long ago if it did not."""
        return self._held.get(_kind(command), (-math.inf, None))[0]

    def _send(self, call: Call, now: float) -> None:
        call.sent, call.refusal = now, None
        call.times += 1
        call.copies += 1
        self._transmit(codec.encode_request(call.id, call.command))

    @property
    def under_way(self) -> int:
        """How many requests wait for their answers, or for the time to be made."""
        return len(self._open)

    def received(self, frame: bytes, now: float) -> bool:
        """Take in a reply frame. Returns whether it answered a request; strays and late doubles do not."""
        try:
            id, outcome = codec.decode_reply(frame, self._kinds)
        except BadRequest:
            return False
        if (call := self._open.get(id)) is None:
            return False
        call.copies -= 1
        if isinstance(outcome, (RateLimited, Busy)):
            self._hold_back(call, outcome, now)
        if isinstance(outcome, ChatError) and call.copies > 0:
            # The broker reads them in order: the next may be granted what this one was not.
            call.refusal = outcome
        elif not self._waits(call, outcome):
            self._finish(call, outcome, now)
        return True

    def _hold_back(self, call: Call, refusal: ChatError, now: float) -> None:
        """Make nothing that is like this call before the broker is ready for it."""
        held = {kind: held for kind, held in self._held.items() if held[0] > now}
        self._held = held | {_kind(call.command): (now + pause(refusal, WAIT_S, self._random), refusal)}

    def _waits(self, call: Call, outcome: Outcome) -> bool:
        """Whether the call itself is to be made again afterwards."""
        until = self.held(call.command)
        if not isinstance(outcome, call.waits) or until >= call.ends:
            return False
        call.sent, call.not_before = None, until
        return True

    def _finish(self, call: Call, outcome: Outcome, now: float) -> None:
        self.forget(call)
        call.done(call, outcome, now)

    def forget(self, call: Call) -> None:
        """Nobody waits for this one any more; `done` will not be called."""
        self._open.pop(call.id, None)
        self._kinds.pop(call.id, None)

    def withdraw(self, id: int, now: float) -> None:
        """Fail a request that has not gone out even once, or waits to go out again; for any other its answer counts."""
        call = self._open.get(id)
        if call is not None and (not call.times or (call.sent is None and now < call.not_before)):
            self._finish(call, NoAnswer(), now)

    def flow(self, now: float) -> None:
        """The broker welcomed this connection: send what waited, and again what was cut."""
        self._flowing = True
        for call in list(self._open.values()):
            if call.sent is None and now >= self._due(call):
                self._send(call, now)

    def hold(self) -> None:
        """The broker fell silent: send again when it answers what may be sent twice, keep waiting for the rest."""
        self._flowing = False
        for call in self._open.values():
            if type(call.command) in REPEATABLE:
                call.sent = None

    def cut(self, now: float) -> None:
        """The connection is gone, and the answers with it."""
        self.hold()
        for call in list(self._open.values()):
            call.doubtful = call.doubtful or call.copies > 0
            call.copies, call.refusal = 0, None
            if call.urgent or call.sent is not None:
                self._finish(call, LinkLost(), now)

    def tick(self, now: float) -> None:
        """Let time pass: fail what is overdue, repeat what was probably dropped."""
        for call in list(self._open.values()):
            if call.id not in self._open:
                continue
            if now >= call.ends:
                self._finish(call, call.failure, now)
            elif now >= self._due(call):
                self._again(call, now)

    def _again(self, call: Call, now: float) -> None:
        if call.refusal is None or call.sent is None:
            self._send(call, now)
            return
        # The answer to one of the others was dropped, for the broker has had the time to answer them all.
        call.doubtful = True
        if not self._waits(call, call.refusal):
            self._finish(call, call.refusal, now)

    def deadline(self) -> float:
        """When `tick` next has something to do."""
        due = math.inf
        for call in self._open.values():
            due = min(due, call.ends, self._due(call))
        return due

    def _due(self, call: Call) -> float:
        """When it may go out, for the first time or again, unless something happens before."""
        if not self._flowing:
            return math.inf
        if call.sent is None:
            return max(call.not_before, self.held(call.command))
        if call.urgent or type(call.command) not in REPEATABLE:
            return math.inf
        return max(call.sent + RESEND_S, self.held(call.command))


def _kind(command: m.Command) -> str:
    """What is counted together: all posts, each login by itself, and each other operation."""
    if isinstance(command, (m.Send, m.Direct, m.Edit, m.Retract, m.React)):
        return "post"
    if isinstance(command, m.Login):
        return f"login {names.key(command.login)}"
    return command.op

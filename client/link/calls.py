"""Requests under way: numbers, answers, time limits, and what a cut means for each.

Every request stands on its own. After a cut, those that may be made twice (`REPEATABLE`) go out again with the
same number; the others fail with `LinkLost`, since nobody can tell whether they were carried out.
Must not know what an answer is for: whoever opens a call says what to do with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from client.link.failures import LinkLost, NoAnswer
from common import codec
from common import messages as m
from common.errors import BadRequest, ChatError

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
        m.Subject,
        m.Send,
        m.Direct,
        m.History,
    }
)
"""Commands that have the same effect made once or twice."""

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


class Calls:
    """All requests under way, by number."""

    def __init__(self, transmit: Callable[[bytes], None]) -> None:
        self._transmit = transmit
        self._open: dict[int, Call] = {}
        self._kinds: dict[int, type[m.Reply]] = {}
        self._last = 0
        self._flowing = False

    def open(
        self, command: m.Command, now: float, done: Done, *, timeout: float = math.inf, urgent: bool = False
    ) -> Call:
        """Begin a request; `done` gets its outcome once. It goes out now, or when the link allows."""
        self._last += 1
        call = Call(self._last, command, done, now + timeout, urgent)
        self._open[call.id] = call
        self._kinds[call.id] = m.OPS[command.op][1]
        if self._flowing or urgent:
            self._send(call, now)
        return call

    def _send(self, call: Call, now: float) -> None:
        call.sent = now
        call.times += 1
        self._transmit(codec.encode_request(call.id, call.command))

    def received(self, frame: bytes, now: float) -> bool:
        """Take in a reply frame. Returns whether it answered a request; strays and late doubles do not."""
        try:
            id, outcome = codec.decode_reply(frame, self._kinds)
        except BadRequest:
            return False
        call = self._open.get(id)
        if call is None:
            return False
        self._finish(call, outcome, now)
        return True

    def _finish(self, call: Call, outcome: Outcome, now: float) -> None:
        self.forget(call)
        call.done(call, outcome, now)

    def forget(self, call: Call) -> None:
        """Nobody waits for this one any more; `done` will not be called."""
        self._open.pop(call.id, None)
        self._kinds.pop(call.id, None)

    def withdraw(self, id: int, now: float) -> None:
        """Fail a request that has not gone out even once; for any other its answer still counts."""
        call = self._open.get(id)
        if call is not None and not call.times:
            self._finish(call, NoAnswer(), now)

    def flow(self, now: float) -> None:
        """The broker welcomed this connection: send what waited, and again what was cut."""
        self._flowing = True
        for call in list(self._open.values()):
            if call.sent is None:
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
            if call.urgent or call.sent is not None:
                self._finish(call, LinkLost(), now)

    def tick(self, now: float) -> None:
        """Let time pass: fail what is overdue, repeat what was probably dropped."""
        for call in list(self._open.values()):
            if call.id not in self._open:
                continue
            if now >= call.ends:
                self._finish(call, NoAnswer(), now)
            elif self._may_repeat(call) and call.sent is not None and now >= call.sent + RESEND_S:
                self._send(call, now)

    def deadline(self) -> float:
        """When `tick` next has something to do."""
        due = math.inf
        for call in self._open.values():
            due = min(due, call.ends)
            if call.sent is not None and self._may_repeat(call):
                due = min(due, call.sent + RESEND_S)
        return due

    def _may_repeat(self, call: Call) -> bool:
        return self._flowing and not call.urgent and type(call.command) in REPEATABLE

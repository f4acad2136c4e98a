"""Who hears a log, and how one event becomes the same bytes for all of them.

A channel gathers the frames of a turn of the event loop and writes them at once to each socket. Most events are for all
who hear the channel; only while somebody has just come, and something older may still be on its way, each is asked
by itself. Whoever is in doubt hears nothing. Before who hears it changes, what was gathered goes out to those who heard
it before. Must not know the broker's connection, nor what a socket is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from client.web.relay import frames
from client.web.relay.rings import Ring, Rings
from client.web.relay.sessions import Session
from common import limits
from common import messages as m

GATHERED_BYTES: Final = 131_072
"""Bytes that are gathered before they are written: what is added to a socket's queue at once."""


class Outlet(Protocol):
    """What takes frames for one browser."""

    def push(self, frames: bytes, count: int) -> None:
        """Take that many whole frames; never blocks."""


class Channel:
    """One log: a room under one id, or an inbox."""

    def __init__(self, log: str, rings: Rings) -> None:
        self.log = log
        self.prefix = frames.prefix(log)
        self.id: int | None = None
        """The room's id, 0 of an inbox; None until a marker has said which room the topic is of."""
        self._kept: int | None = None
        """The id under which the ring is kept."""
        self.members: dict[Session, None] = {}
        self.parting = False
        """Whether the topic was given back before a request that may end the last membership."""
        self.ring: Ring | None = None
        self._rings = rings
        self._pending: list[bytes] = []
        self._size = 0
        self._outlets: list[Outlet] | None = None
        self._newcomers: set[Session] = set()
        """Those for whom something may be on its way that is older than their membership."""
        self._floor = 0
        """The greatest `since` of anybody who hears it."""

    @property
    def is_inbox(self) -> bool:
        """Whether it is an inbox, and no room."""
        return self.log.startswith("@")

    def settle(self, id: int, head: int) -> None:
        """A marker said which room it is, and where its log ends."""
        self.flush()
        if self._kept != id:
            self.close()
        self.id = self._kept = id
        self.ring = self._rings.open(self.log, id, head)
        self._rings.ends_at(self.log, id, head)
        # Nothing is on its way any more that was sent before the marker.
        self.changed()

    def unsettle(self) -> None:
        """It is not certain any more which room it is: nothing is given out until a marker comes, and what is kept is
        good again only if that says that nothing is missing."""
        self.flush()
        self.id = self.ring = None
        self.changed()

    def close(self) -> None:
        """Forget what was kept."""
        if self._kept is not None:
            self._rings.close(self.log, self._kept)
        self.id = self._kept = self.ring = None
        self.changed()

    def changed(self) -> None:
        """Who hears it has changed, or is about to."""
        self.flush()
        self._outlets = None

    def _hears(self, session: Session) -> bool:
        if session.doubtful or self.id is None:
            return False
        if self.is_inbox:
            return session.inbox == self.log
        hearing = session.hearing.get(self.log)
        return hearing is not None and hearing.id == self.id

    def listeners(self) -> list[Session]:
        """The sessions that may hear it now."""
        return [session for session in self.members if self._hears(session)]

    def _collect(self) -> list[Outlet]:
        outlets: list[Outlet] = []
        self._newcomers.clear()
        self._floor = 0
        for session in self.listeners():
            outlets.extend(browser.outlet for browser in session.sockets if browser.attached)
            hearing = session.hearing.get(self.log)
            if hearing is not None:
                self._floor = max(self._floor, hearing.since)
                if hearing.from_time != 0:
                    self._newcomers.add(session)
        self._outlets = outlets
        return outlets

    def entry(self, event: m.AnyEntry) -> bool:
        """Give out an entry. Returns whether it follows on the last one; if not, nothing was given out."""
        if self.id is None or self.ring is None:
            return True
        if event.seq <= self.ring.last:
            return True  # A double: it was here, or in what a marker said is to be asked for.
        frame = frames.event(self.prefix, event)
        if not self._rings.add(self.log, self.id, event.seq, event.prev, frame):
            return False
        outlets = self._outlets if self._outlets is not None else self._collect()
        if event.seq > self._floor:
            if self._newcomers:
                for session in self._newcomers:
                    session.hearing[self.log].from_time = 0
                self._newcomers.clear()
            if outlets:
                self._gather(frame)
        else:
            self._one_by_one(frame, lambda session: event.seq > self._since(session))
        return True

    def _since(self, session: Session) -> int:
        hearing = session.hearing.get(self.log)
        return hearing.since if hearing is not None else 0

    def tell(self, event: m.AnyEvent, time: int | None, now: float) -> None:
        """Give out what is no entry; `time` is the broker's (ms), if it has one."""
        outlets = self._outlets if self._outlets is not None else self._collect()
        if not outlets:
            return
        frame = frames.event(self.prefix, event)
        if not self._newcomers:
            self._gather(frame)
            return

        def may(session: Session) -> bool:
            hearing = session.hearing.get(self.log)
            if hearing is None or hearing.from_time == 0:
                return True
            after = hearing.from_time is not None and time is not None and time > hearing.from_time
            if after or now - hearing.learned > limits.SILENCE_S:  # no connection holds anything back for longer
                hearing.from_time = 0
                self._newcomers.discard(session)
                return True
            return False

        self._one_by_one(frame, may)

    def _one_by_one(self, frame: bytes, may: Callable[[Session], bool]) -> None:
        self.flush()
        for session in self.listeners():
            if may(session):
                for browser in session.sockets:
                    if browser.attached:
                        browser.outlet.push(frame, 1)

    def _gather(self, frame: bytes) -> None:
        self._pending.append(frame)
        self._size += len(frame)
        if self._size > GATHERED_BYTES:
            self.flush()

    @property
    def waits(self) -> bool:
        """Whether something was gathered."""
        return bool(self._pending)

    def flush(self) -> None:
        """Write what was gathered to all who heard it."""
        if not self._pending:
            return
        count = len(self._pending)
        blob = self._pending[0] if count == 1 else b"".join(self._pending)
        self._pending.clear()
        self._size = 0
        for outlet in self._outlets or ():
            outlet.push(blob, count)

"""One session of the gateway's: whose it is, and what it may hear.

The broker's word comes on two ways that do not wait for each other: answers (`Welcome`, `RoomReply`, `Pong`) and events
(`joined-room`, `left-room`). An answer to what was asked before the last event about a room says nothing of that room:
then the session is in doubt, hears nothing, and asks again. All times are seconds of the local clock that never jumps.
Must not know sockets, nor who else there is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from client.web.relay import frames
from client.web.relay.bounds import LEAVINGS
from common import messages as m
from common import names, topics

if TYPE_CHECKING:
    from client.web.relay.browsers import Browser


@dataclass(slots=True)
class Hearing:
    """A room that a session may hear."""

    id: int
    since: int
    """Entries with `seq` above this may be read."""
    learned: float
    """When the session came to know of it."""
    from_time: int | None
    """The broker's time (ms) from which on events without `seq` are of the time of the membership. 0: all are, since
    the room is public. None: not known; only what comes after an entry, a marker or `joined-room` is."""


class Session:
    """What is known of one label (`as`) that is logged in."""

    def __init__(self, label: str, address: str, state: m.SessionState) -> None:
        self.label = label
        self.address = address
        """The address of its person, as its last socket had it; empty if it never had one."""
        self.state = state
        """Where it stands, kept up to date: rooms, their marks and notify, status."""
        self.hearing: dict[str, Hearing] = {}
        """The rooms it may hear, by name."""
        self.sockets: set[Browser] = set()
        self.adopted = False
        """Whether it is known and heard without a socket."""
        self.doubtful = True
        """Whether it hears nothing until the broker has said what it may hear."""
        self.over = False
        """Whether it is bound to no account any more, or forgotten here."""
        self.leaving = ""
        """Why the gateway itself logs it out, while the broker was asked for that and has not answered."""
        self.gone_at: float | None = None
        """When its last socket went, until the broker was told."""
        self._left: dict[int, float] = {}
        """When a room, by its id, was heard to be left last."""

    @property
    def login(self) -> str:
        """The account's, as it spells it."""
        return self.state.login

    @property
    def inbox(self) -> str:
        """The name of its inbox."""
        return topics.inbox(self.state.login)

    @property
    def logs(self) -> set[str]:
        """The logs for which topics are held. None while it is leaving: whoever holds one when the broker takes the
        grants back is cut off."""
        return set() if self.leaving else {self.inbox, *self.hearing}

    def farewell(self, reason: str) -> str:
        """What its browsers are told when it ends for `reason`, as the broker has it. The gateway knows more of a
        logout that it has asked for itself, and may hear of it as of any other before it has the answer."""
        return self.leaving if self.leaving and reason in ("logout", "logged-out") else reason

    def tell_gap(self) -> None:
        """Have its browsers say `hello`, but for those that do so now."""
        for browser in self.sockets:
            if browser.attached and not browser.greeting:
                browser.outlet.push(frames.notice("gap"), 1)

    def push(self, frame: bytes) -> None:
        """Give one frame to all its browsers that have said `hello`."""
        for browser in self.sockets:
            if browser.attached:
                browser.outlet.push(frame, 1)

    def entitled(self, log: str, seq: int) -> bool:
        """Whether it may read that entry of that log (a room's name, or `@` and a login). False while in doubt."""
        if self.over or self.doubtful:
            return False
        if log == self.inbox:
            return True
        hearing = self.hearing.get(log)
        return hearing is not None and seq > hearing.since

    def view(self, name: str) -> m.RoomView | None:
        """The room of that name as it sees it."""
        return next((view for view in self.state.rooms if view.name == name), None)

    def find(self, name: str) -> str | None:
        """The name, as its maker spelled it, of a room that the session hears."""
        if name in self.hearing:
            return name
        key = names.key(name)
        return next((known for known in self.hearing if names.key(known) == key), None)

    def adopt(self, welcome: m.Welcome, state: m.SessionState, asked: float, now: float) -> bool:
        """Take over the whole state, as the broker answered it to what was asked at `asked`.

        Returns False if that is not all there is to know: something was heard meanwhile that contradicts it.
        """
        certain = True
        # Several may have asked for it at once, and each takes it over: so each has a copy to change.
        state = m.SessionState(**{name: getattr(state, name) for name in m.SessionState.__struct_fields__})
        hearing: dict[str, Hearing] = {}
        rooms = []
        for view in state.rooms:
            if self._left.get(view.id, asked - 1) >= asked:
                certain = False
                continue
            rooms.append(view)
            before = self.view(view.name)
            if before is not None and before.id == view.id:
                # Marks only rise: one that was heard meanwhile is newer than the answer.
                view.read = max(view.read, before.read)
            known = self.hearing.get(view.name)
            if known is not None and known.id == view.id and known.since >= view.since:
                hearing[view.name] = known
            else:
                hearing[view.name] = Hearing(view.id, view.since, now, welcome.time if view.private else 0)
        if any(known.learned >= asked and name not in hearing for name, known in self.hearing.items()):
            certain = False
        state.rooms = rooms
        marks = {talk.talk: talk.read for talk in self.state.talks}
        for talk in state.talks:
            talk.read = max(talk.read, marks.get(talk.talk, 0))
        self.state, self.hearing = state, hearing
        self.doubtful = not certain
        self._left = {id: at for id, at in self._left.items() if at >= asked}
        return certain

    def joined(self, view: m.RoomView, asked: float | None, now: float) -> bool:
        """The account is a member of a room now: by an event, or by the answer to what was asked at `asked`.

        Returns False if that may be out of date already.
        """
        if asked is not None and self._left.get(view.id, asked - 1) >= asked:
            return False
        from_time = None if view.private and asked is not None else 0
        known = self.hearing.get(view.name)
        if known is not None and known.id == view.id:
            known.since = max(known.since, view.since) if asked is not None else view.since
            if from_time is not None:
                known.from_time = from_time
        else:
            self.hearing[view.name] = Hearing(view.id, view.since, now, from_time)
        self.state.rooms = [each for each in self.state.rooms if each.name != view.name] + [view]
        return True

    def left(self, id: int, now: float) -> str | None:
        """The account is no member of a room any more, says an event. Returns the room's name if it was one."""
        self.departed(id, now)
        return self.drop(id)

    def departed(self, id: int, at: float) -> None:
        """The account was heard to leave a room: an answer to what was asked before says nothing of that room."""
        self._left[id] = max(at, self._left.pop(id, at))
        if len(self._left) > LEAVINGS:
            del self._left[next(iter(self._left))]

    def drop(self, id: int) -> str | None:
        """Hear a room no longer. Returns its name if it was heard."""
        name = next((name for name, known in self.hearing.items() if known.id == id), None)
        if name is not None:
            del self.hearing[name]
        self.state.rooms = [view for view in self.state.rooms if view.id != id]
        return name

    def marked(self, talk: str, read: int, notify: m.Notify | None) -> None:
        """A conversation was marked."""
        view = self.view(talk)
        if view is not None:
            view.read, view.notify = read, notify
        elif talk.startswith(topics.INBOX):
            others = [each for each in self.state.talks if each.talk != talk]
            self.state.talks = [m.TalkView(talk=talk, read=read, notify=notify), *others]

    def compare(self, heads: Collection[str], asked: float) -> tuple[bool, bool]:
        """Hold the logs that the answer to a `ping` of `asked` names against the rooms that are known.

        Returns whether it lacks some of these, and whether it has more. What was heard since then it cannot know.
        """
        missing = any(name not in heads and known.learned < asked for name, known in self.hearing.items())
        left = any(at >= asked for at in self._left.values())
        more = not left and any(log != self.inbox and log not in self.hearing for log in heads)
        return missing, more

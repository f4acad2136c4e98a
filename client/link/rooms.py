"""Which account this session belongs to, which rooms that is in, and hence which topics and logs to follow.

Three sources tell: replies (ordered among themselves), events on the inbox (ordered among themselves, and they
may be lost), and now and then the whole state, in `welcome`. What a reply told comes a second time as an event,
perhaps after the next reply already said otherwise; such an echo must not undo it, so it is expected and
swallowed. What was lost shows in the heartbeat. Long since all three tell of one standing. Must not know requests or
sockets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Set
from copy import copy
from typing import Final, Literal

from client.link.actions import Action
from client.link.logs import Log
from client.link.subscriptions import Subscriptions
from client.link.updates import RoomJoined, RoomLeft, SessionEnded, TalkMarked
from common import limits, names, topics
from common import messages as m
from common.scopes import DIRECT, READ, Scopes

ECHO_S: Final = 5.0
"""Seconds within which an event that repeats a reply is expected: far above any delay of a link that lives."""
RUMOUR_S: Final = 0.3
"""Seconds the stream must stand still below a head heard of elsewhere before entries count as lost."""

Turn = Literal["joined", "left"]


class Rooms:
    """The account's standing, and the logs that follow from it."""

    def __init__(
        self, subscriptions: Subscriptions, act: Callable[[Action], None], dropped: Callable[[str], None]
    ) -> None:
        """`dropped` is told the name of each room that the account is no longer in."""
        self._subscriptions = subscriptions
        self._act = act
        self._dropped = dropped
        self._echoes: dict[tuple[Turn, int], list[float]] = {}
        """Events still to come that repeat a reply, each with when it is not expected any more."""
        self.login: str | None = None
        self.operator = self.bot = False
        self.current = ""
        self.views: dict[str, m.RoomView] = {}
        self.talks: dict[str, m.TalkView] = {}
        """The private conversations that were marked, those marked last at the end."""
        self.status: m.Status = "available"
        self.note = ""
        self.scopes: Scopes | None = None
        """What the key of this session may be used for; None for all that the account may do."""
        self.logs: dict[str, Log] = {}
        """The inbox and the rooms, as far as this session may hear them, by the log's name."""
        self._doubted: tuple[float, Set[str]] | None = None
        """The logs there are by the last heartbeat, where these are not those known here; and when to believe it."""
        self.changed = False
        """Whether `state` differs from what was last reported; whoever reports it clears this."""

    @property
    def inbox(self) -> str:
        """The name of the inbox's log; empty when logged out."""
        return topics.inbox(self.login) if self.login is not None else ""

    @property
    def state(self) -> m.SessionState | None:
        """The standing as one value; None when logged out."""
        if self.login is None:
            return None
        return m.SessionState(
            login=self.login,
            operator=self.operator,
            current=self.current,
            rooms=list(self.views.values()),
            inbox=self.logs[self.inbox].last if self.inbox in self.logs else 0,
            talks=list(reversed(self.talks.values())),
            status=self.status,
            note=self.note,
            bot=self.bot,
            scopes=None if self.scopes is None else list(self.scopes.written),
        )

    def hears(self, log: str) -> bool:
        """Whether the broker lets this session hear that log."""
        if self.scopes is None:
            return True
        return DIRECT in self.scopes if log == self.inbox else self.scopes.room(READ, names.key(log))

    @property
    def heads(self) -> set[str]:
        """The logs of which a heartbeat tells where they end."""
        return {log for log in (self.inbox, *self.views) if self.hears(log)} if self.login is not None else set()

    def find(self, name: str) -> str | None:
        """The name of a joined room as its creator wrote it, however `name` is written."""
        if name in self.views:
            return name
        key = names.key(name)
        return next((known for known in self.views if names.key(known) == key), None)

    def adopt(self, state: m.SessionState, beacon: str, now: float, reason: str, parting: Collection[str] = ()) -> None:
        """Take over the whole state. Rooms that are gone from it were left for `reason`; those in `parting`
        are about to be left, and are not subscribed to."""
        if self.login is not None and self.login != state.login:
            self.end("forgotten")
        before, self.talks = self.talks if self.login is not None else None, {}
        self.login, self.operator, self.current = state.login, state.operator, state.current
        self.bot, self.status, self.note = state.bot, state.status, state.note
        self.scopes = None if state.scopes is None else Scopes(state.scopes)
        for log in [log for log in self.logs if not self.hears(log)]:
            # The key was registered anew for less: nothing more will come of it, and no grant.
            del self.logs[log]
            self._subscriptions.drop(log)
        for talk in reversed(state.talks):
            self.talks[talk.talk] = talk
            if before is not None:
                self._compare(talk.talk, before.get(talk.talk), talk)
        if self._subscriptions.beacon != beacon:
            self._subscriptions.drop(self._subscriptions.beacon)
            self._subscriptions.beacon = beacon
        self._subscriptions.want(beacon, now)
        self._follow(self.inbox, 0, state.inbox, now)
        there = {view.name: view for view in state.rooms}
        for name, view in list(self.views.items()):
            if name not in there:
                self._drop(name, reason, now)
            elif there[name].id != view.id:
                self._drop(name, "deleted", now)
        for view in state.rooms:
            self._add(view, now, subscribe=view.name not in parting)
        self.changed = True

    def marked(self, talk: str, read: int, notify: m.Notify | None) -> None:
        """A conversation is marked like that now. Of a room that one is not in, it is old news."""
        new: m.RoomView | m.TalkView
        if talk in self.views:
            known = self.views[talk]
            self.views[talk] = new = copy(known)
            new.read, new.notify = read, notify
            self._compare(talk, known, new)
        elif talk.startswith(topics.INBOX):
            before = self.talks.pop(talk, None)
            self.talks[talk] = new = m.TalkView(talk=talk, read=read, notify=notify)
            for oldest in list(self.talks)[: max(0, len(self.talks) - limits.TALKS)]:
                del self.talks[oldest]
            self._compare(talk, before, new)

    def moderated(self, name: str, moderators: list[str]) -> None:
        """The room's own event says who keeps order there besides whoever made it."""
        self.views[name].moderators = moderators
        self.changed = True

    def _compare(self, talk: str, known: m.RoomView | m.TalkView | None, new: m.RoomView | m.TalkView) -> None:
        """Tell what is marked otherwise than was known. Of two that were read the larger counts: replies and events
        come on different ways, and a broker that was killed has forgotten a few seconds."""
        if known is not None:
            new.read = max(new.read, known.read)
        if known is None or (known.read, known.notify) != (new.read, new.notify):
            self.changed = True
            self._act(TalkMarked(talk, new.read, new.notify))

    def said(self, command: m.Mark | m.SetStatus) -> None:
        """This was granted; an event says the same, if it is not lost."""
        if isinstance(command, m.SetStatus):
            self.changed = self.changed or (self.status, self.note) != (command.status, command.note)
            self.status, self.note = command.status, command.note
            return
        key = names.key(command.talk)
        talk = next((known for known in (*self.views, *self.talks) if names.key(known) == key), None)
        if talk is not None:
            known = self.views.get(talk) or self.talks[talk]
            log = self.logs.get(talk if talk in self.views else self.inbox)
            self.marked(talk, min(command.read or 0, log.last if log else 0), command.notify or known.notify)

    def _follow(self, log: str, id: int, head: int, now: float) -> None:
        if not self.hears(log):
            return
        known = self.logs.get(log)
        if known is None or known.id != id:
            self.logs[log] = Log(log, id, head)
        else:
            known.rumoured(head, now, RUMOUR_S)
        self._subscriptions.want(log, now)

    def _add(self, view: m.RoomView, now: float, subscribe: bool = True) -> bool:
        known = self.views.get(view.name)
        if known is not None and known.id != view.id:
            self._drop(view.name, "deleted", now)
            known = None
        self.views[view.name] = view
        if known is not None:
            self._compare(view.name, known, view)
        self.changed = self.changed or view != known
        if subscribe:
            self._follow(view.name, view.id, view.head, now)
        if known is None:
            self._act(RoomJoined(view))
        return known is None

    def _drop(self, name: str, reason: str, now: float) -> None:
        view = self.views.pop(name)
        self.logs.pop(name, None)
        self._subscriptions.drop(name)
        self._expect(("left", view.id), now)
        self._act(RoomLeft(name, reason))
        self._dropped(name)
        self.changed = True

    def joined(self, view: m.RoomView, current: str, now: float) -> None:
        """A reply says that the account is in this room."""
        self.changed = self.changed or current != self.current
        self.current = current
        if self._add(view, now):
            self._expect(("joined", view.id), now)

    def left(self, name: str, reason: str, now: float) -> None:
        """A reply, or the room's own last event, says that the account is no longer in this room."""
        if name in self.views:
            self._drop(name, reason, now)

    def heard_joined(self, event: m.JoinedRoom, now: float) -> None:
        """The inbox, or the beacon, says that the account is in a room: perhaps through another device."""
        known = self.views.get(event.room.name)
        if not self._echo(("joined", event.room.id), now) or (known is not None and known.id == event.room.id):
            self._add(event.room, now)

    def heard_left(self, event: m.LeftRoom, now: float) -> None:
        """The inbox, or the beacon, says that the account is no longer in a room."""
        view = self.views.get(event.name)
        if self._echo(("left", event.id), now) or view is None or view.id != event.id:
            return
        self._drop(event.name, event.reason, now)
        self._echo(("left", event.id), now)

    def heard_of(self, logs: Set[str], until: float) -> None:
        """There are these logs. What does not fit to that has until then to be told of by an event."""
        if self._doubted is None and not self._fits(logs):
            self._doubted = until, logs

    def _fits(self, logs: Set[str]) -> bool:
        return logs == self.heads

    def tick(self, now: float) -> bool:
        """Let time pass. Returns whether the whole state is needed, since no event has told what does not fit."""
        if self._doubted is None or now < self._doubted[0]:
            return False
        logs, self._doubted = self._doubted[1], None
        return not self._fits(logs)

    def deadline(self) -> float:
        """When `tick` next has something to do."""
        return self._doubted[0] if self._doubted else math.inf

    def _expect(self, what: tuple[Turn, int], now: float) -> None:
        self._echoes.setdefault(what, []).append(now + ECHO_S)

    def _echo(self, what: tuple[Turn, int], now: float) -> bool:
        # Counted, for replies can be several turns ahead of the events.
        current = {known: [until for until in ends if until >= now] for known, ends in self._echoes.items()}
        self._echoes = {known: ends for known, ends in current.items() if ends}
        if what not in self._echoes:
            return False
        self._echoes[what].pop(0)
        return True

    def watch(self, name: str, now: float) -> None:
        """Hear a room after all that was about to be left."""
        view = self.views.get(name)
        if view is not None:
            self._follow(name, view.id, view.head, now)

    def mistrust(self, name: str) -> None:
        """The log under this name is another one now: follow nothing until the whole state says what it is."""
        self.logs.pop(name, None)

    def end(self, reason: str) -> None:
        """The session is bound to no account any more."""
        if self.login is None:
            return
        self._subscriptions.drop_all()
        self.login, self.operator, self.current = None, False, ""
        self.status, self.note = "available", ""
        self.bot, self.scopes = False, None
        self.views.clear()
        self.talks.clear()
        self.logs.clear()
        self._act(SessionEnded(reason))
        self.changed = True

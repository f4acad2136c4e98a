"""All sessions of the gateway and all logs that they hear, over one link: the sans-IO core of the relay.

What the broker says is taken in here, what follows for each session is worked out, and events are handed to the
channels. The rule for every doubt is one: the session hears nothing, and asks the broker. It is so after the broadcast
connection was lost, after a hole in a log's chain (anything may have been lost with it), and when two things that the
broker said do not fit together. The module has its length because these parts meet in one place. `now` is the local
monotonic clock in seconds. Must not know zmq, asyncio or JSON.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final

from client.link import session as link
from client.link.actions import Action, Transmit
from client.link.calls import Outcome
from client.link.failures import LinkLost, NoAnswer
from client.link.subscriptions import Subscriptions
from client.web.relay import frames
from client.web.relay.asking import Asking
from client.web.relay.bounds import LINGER_S, LOSS_S, RETRY_S
from client.web.relay.channels import Channel
from client.web.relay.farewells import Farewells
from client.web.relay.greeter import Greeter
from client.web.relay.places import Places
from client.web.relay.sessions import Session
from common import codec, topics
from common import messages as m
from common.errors import BadRequest, ChatError

Known = Callable[[Session | ChatError | None, m.Welcome | None, float], None]
"""Takes a session that was asked for, None if it is logged out, or why that cannot be said; what the broker answered;
and the time."""

_ENTRIES: Final = (m.Said, m.Edited, m.Retracted, m.Reacted, m.Invited)


class Hub:
    """The sessions by label, the channels by log."""

    def __init__(self, client: str, random: Callable[[int], bytes]) -> None:
        self._actions: list[Action] = []
        self.asking = Asking(lambda frame: self._actions.append(Transmit(frame)))
        self._greeter = Greeter(self.asking, client)
        self._farewells = Farewells(self.asking)
        self._subscriptions = Subscriptions(lambda action: self._actions.append(action), random)
        self.places = Places(self._subscriptions)
        self.sessions: dict[str, Session] = {}
        self._of_inbox: dict[str, set[Session]] = {}
        self._retry: dict[Session, float] = {}
        """Sessions that ask again, and when."""
        self._dirty: dict[Channel, None] = {}
        self._heard: list[tuple[str, m.AnyEvent]] = []
        self.overheard: list[Callable[[str, m.AnyEvent], None]] = []
        self.own: link.Session | None = None
        """The gateway's own session, whose heart beats for all."""
        self.answering = False
        """Whether the broker answers."""
        self._run = ""
        self._loss_at = -math.inf

    # What the shared connection calls.

    def take(self) -> list[Action]:
        """What is to be done now, in order."""
        taken, self._actions = self._actions, []
        return taken

    def reply_received(self, frame: bytes, now: float) -> bool:
        """A frame came on the command socket. Returns whether it was for one of these sessions."""
        return self.asking.received(frame, now)

    def broadcast_up(self, now: float) -> None:
        """The broadcast socket is connected."""
        self._subscriptions.connected(now)

    def broadcast_down(self, now: float) -> None:
        """The broadcast socket has lost its connection: what is said until it is back goes unheard."""
        self._subscriptions.lost()
        for channel in self.places.channels.values():
            channel.unsettle()
        for session in self.sessions.values():
            self.places.suspend(session)

    def commands_down(self, now: float) -> None:
        """The command socket has lost its connection."""
        self._greeter.fail(NoAnswer(), now)
        self.asking.fail(LinkLost(), now)

    def stepped(self, now: float) -> None:
        """See whether the broker answers, and whether it is the one that it was."""
        if self.own is None or self.own.heartbeat.welcome is None:
            return
        welcome, answering = self.own.heartbeat.welcome, self.own.heartbeat.answering
        if self._subscriptions.beacon != welcome.beacon:
            self._subscriptions.drop(self._subscriptions.beacon)
            self._subscriptions.beacon = welcome.beacon
            self._subscriptions.want(welcome.beacon, now)
        turned = answering is not self.answering
        self.answering = answering
        if turned and not answering:
            self._greeter.fail(NoAnswer(), now)
        if answering and (turned or welcome.run != self._run):
            self._run = welcome.run
            self._renew(now)
        if turned:
            notice = frames.notice("link", state="live" if answering else "offline")
            for session in self.sessions.values():
                session.push(notice)

    def tick(self, now: float) -> None:
        """Let time pass; to be called every `TICK_S`."""
        self.asking.tick(now)
        for log in self._subscriptions.tick(now):
            channel = self.places.channels.get(log)
            for session in list(channel.members) if channel is not None else ():
                self._ask_again(session, now)
        for session in [each for each in self.sessions.values() if each.gone_at is not None]:
            if session.gone_at is not None and now >= session.gone_at + LINGER_S:
                self._depart(session, now)
        if self.answering:
            self._farewells.again(now)
            for session in [session for session, due in self._retry.items() if now >= due]:
                del self._retry[session]
                self.refresh(session, now)

    # Sessions come and go.

    def know(self, label: str, address: str, quiet: bool, now: float, done: Known) -> None:
        """Ask the broker what `label` is, and take over what it says; `done` gets the session.

        A session that nobody holds by then (no socket, not adopted) is forgotten after `LINGER_S`.
        """
        if not self.answering:
            done(NoAnswer(), None, now)
            return

        self._farewells.withdraw(label, quiet)

        def greeted(outcome: Outcome, asked: float, now: float) -> None:
            if isinstance(outcome, m.Welcome):
                done(self._welcomed(label, address, quiet, outcome, asked, now), outcome, now)
            else:
                done(outcome if isinstance(outcome, ChatError) else NoAnswer(), None, now)

        self._greeter.greet(label, address, quiet, now, greeted)

    def _welcomed(
        self, label: str, address: str, quiet: bool, welcome: m.Welcome, asked: float, now: float
    ) -> Session | None:
        session, state = self.sessions.get(label), welcome.session
        if session is not None and (state is None or state.login != session.login):
            # Another account's now: nothing of what was the first one's may be seen by the second.
            self.end(session, "logged-out")
            session = None
        if state is None:
            return None
        if session is None:
            session = self.sessions[label] = Session(label, address, state)
            self._of_inbox.setdefault(session.inbox, set()).add(session)
            session.gone_at = None if quiet else now
        session.address = address or session.address
        before = {(name, known.id) for name, known in session.hearing.items()}
        suspended = session.doubtful
        for id, at in self._greeter.departures(session.inbox):
            session.departed(id, at)
        if not session.adopt(welcome, state, asked, now):
            self._ask_again(session, now)
        self.places.put(session, now)
        if before != {(name, known.id) for name, known in session.hearing.items()}:
            session.tell_gap()
        elif suspended and not session.doubtful:
            for log in self.places.of(session):
                self.places.tell_end(session, log)
        return session

    def end(self, session: Session, reason: str) -> None:
        """A session is bound to its account no more: its browsers are told so and closed."""
        self.forget(session)
        for browser in list(session.sockets):
            browser.end(session.farewell(reason))

    def take_leave(self, label: str, reason: str, now: float) -> Session | None:
        """Before a session is asked to be logged out: it hears nothing, and no topic is held for it, until the broker
        has answered: then `end` it, or `refresh` it, no longer `leaving`. `reason` is what its browsers are told."""
        self._greeter.outdate(label)
        session = self.sessions.get(label)
        if session is not None:
            session.leaving = reason
            self.places.vacate(session, now)
        return session

    def forget(self, session: Session) -> None:
        """Know a session no more."""
        session.over, session.doubtful = True, True
        session.gone_at = None
        session.hearing.clear()
        self._retry.pop(session, None)
        if self.sessions.get(session.label) is session:
            del self.sessions[session.label]
        of_inbox = self._of_inbox.get(session.inbox, set())
        of_inbox.discard(session)
        if not of_inbox:
            self._of_inbox.pop(session.inbox, None)
        self.places.remove(session)

    def _depart(self, session: Session, now: float) -> None:
        """Nobody looks at a session any more: say so to the broker, whose rooms then need not wait.

        The topics of what it leaves are given back first. One that was adopted learns afterwards where it still is.
        """
        session.gone_at = None
        if session.adopted:
            self.places.vacate(session, now)
        else:
            self.forget(session)

        def said(now: float) -> None:
            if session.adopted:
                self._ask_again(session, now)

        self._farewells.say(session.label, session.address, self.answering, now, said)

    def account(self, inbox: str) -> Iterable[Session]:
        """The sessions of the account whose inbox that is."""
        return self._of_inbox.get(inbox, ())

    # Doubts.

    def doubt(self, session: Session, now: float) -> None:
        """Something does not fit: the session hears nothing until the broker has said what it may hear."""
        self.places.suspend(session)
        self.refresh(session, now)

    def _renew(self, now: float) -> None:
        """Every session asks anew, also for being present again, as the broker may have been started anew."""
        for session in list(self.sessions.values()):
            self.refresh(session, now)

    def refresh(self, session: Session, now: float) -> None:
        """Ask the broker what a session may hear; there may be more."""
        quiet = not session.sockets and session.gone_at is None

        def done(found: Session | ChatError | None, _welcome: m.Welcome | None, now: float) -> None:
            if isinstance(found, ChatError) and not session.over:
                self._ask_again(session, now)

        self.know(session.label, session.address, quiet, now, done)

    def _ask_again(self, session: Session, now: float) -> None:
        if not session.over:
            self._retry.setdefault(session, now + RETRY_S)

    def _lost(self, channel: Channel, now: float) -> None:
        """Entries of a log did not come, and other events may not have come either."""
        channel.unsettle()
        self._subscriptions.renew(channel.log, now)
        for session in self.sessions.values():
            self.places.suspend(session)
        if now >= self._loss_at + LOSS_S:
            self._loss_at = now
            self._renew(now)
        else:
            for session in self.sessions.values():
                self._retry.setdefault(session, self._loss_at + LOSS_S)

    # What each session hears.

    def joined(self, session: Session, view: m.RoomView, asked: float | None, now: float) -> None:
        """A session is a member of a room, by an event or by the answer to what was asked at `asked`."""
        if session.joined(view, asked, now):
            self.places.put(session, now)
            if asked is None:
                self.places.tell_end(session, view.name)
        else:
            self.doubt(session, now)

    def left(self, session: Session, id: int, now: float) -> None:
        """A session is no member of a room any more."""
        name = session.left(id, now)
        if name is not None:
            self.places.put(session, now)

    # What the broker announces.

    def event_received(self, frame: bytes, now: float) -> None:
        """A frame came on the broadcast socket."""
        try:
            log, event = codec.decode_event(frame)
        except BadRequest:
            return  # Of a kind that a newer broker knows, or no event at all.
        if log == self._subscriptions.beacon:
            self._on_beacon(event, now)
            return
        channel = self.places.channels.get(log)
        if channel is None:
            return
        if isinstance(event, _ENTRIES):
            if not channel.entry(event):
                self._lost(channel, now)
                return
        elif channel.is_inbox:
            # The event itself goes out before what follows from it: it may end what is heard.
            channel.tell(event, None, now)
            for session in list(self._of_inbox.get(log, ())):
                self._told(session, event, now)
        else:
            self._about(channel, event, now)
        if channel.waits:
            self._dirty[channel] = None
        if self.overheard:
            self._heard.append((log, event))

    def _told(self, session: Session, event: m.AnyEvent, now: float) -> None:
        """What an account's sessions are told of themselves."""
        if isinstance(event, m.JoinedRoom):
            self.joined(session, event.room, None, now)
        elif isinstance(event, m.LeftRoom):
            self.left(session, event.id, now)
        elif isinstance(event, m.Marked):
            session.marked(event.talk, event.read, event.notify)

    def _about(self, channel: Channel, event: m.AnyEvent, now: float) -> None:
        """What is told of a room."""
        for change in event.changes if isinstance(event, m.Roster) else ():
            if change.change == "left" and channel.id is not None:
                self._greeter.left(topics.inbox(change.login), channel.id, now)
            for session in self._of_inbox.get(topics.inbox(change.login), ()):
                if change.change == "status":
                    session.state.status = change.status
                elif change.change == "left" and session in channel.members:
                    # Who has left hears nothing of what follows, whatever became of what their inbox was told. They
                    # may be back already, for changes of a moment come together; the broker then says so.
                    self.doubt(session, now)
        channel.tell(event, getattr(event, "time", None), now)
        if isinstance(event, m.Deleted):
            channel.flush()
            for session in list(channel.members):
                hearing = session.hearing.get(channel.log)
                if hearing is not None and hearing.id == event.id:
                    self.left(session, event.id, now)
            if channel.id == event.id and self.places.channels.get(channel.log) is channel:
                channel.unsettle()
                self._subscriptions.renew(channel.log, now)

    def _on_beacon(self, event: m.AnyEvent, now: float) -> None:
        if isinstance(event, m.Live):
            self._live(event, now)
        elif isinstance(event, (m.Ended, m.JoinedRoom, m.LeftRoom, m.Marked)):
            session = self.sessions.get(event.session)
            if session is None or isinstance(event, m.Ended):
                self._greeter.outdate(event.session)
            if session is None:
                return
            if isinstance(event, m.Ended):
                self.end(session, event.reason)
                return
            self._told(session, event, now)
            event.session = ""
            session.push(frames.event(frames.prefix(session.inbox), event))

    def _live(self, event: m.Live, now: float) -> None:
        if event.log not in self._subscriptions:
            return
        again = self._subscriptions.granted(event.log)
        if event.log == self._subscriptions.beacon:
            if again:
                # The connection is another, and nobody said so.
                self.broadcast_down(now)
                self._subscriptions.granted(event.log)
                self._subscriptions.remade(now)
            if any(session.doubtful for session in self.sessions.values()):
                self._renew(now)
            return
        channel = self.places.channels.get(event.log)
        if channel is None:
            return
        channel.settle(event.id, event.head)
        frame = frames.live(channel.prefix, event.id, event.head)
        for session in channel.members:
            hearing = session.hearing.get(event.log)
            if hearing is not None and hearing.id != event.id:
                self._ask_again(session, now)
        for session in channel.listeners():
            session.push(frame)

    def flush(self) -> None:
        """Write what was gathered; then let others know what was heard."""
        if self._dirty:
            dirty, self._dirty = self._dirty, {}
            for channel in dirty:
                channel.flush()
        if self._heard:
            heard, self._heard = self._heard, []
            for log, event in heard:
                for each in self.overheard:
                    each(log, event)

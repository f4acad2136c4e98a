"""The sans-IO core of a client: bytes and the time go in, actions come out.

The shell says when the two sockets are connected, hands over every frame, calls `tick` when `deadline` has
come, and after each of these does what `take` returns, in order. `now` is the local monotonic clock in
seconds. Nothing that arrives makes a method raise. The module has its length because it is the one place where
the parts meet (see the package's page); each part can be read and tested alone. Must not know zmq or asyncio.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from client.link.actions import Action, Answered, Transmit
from client.link.backfill import Backfill
from client.link.calls import WAITS, Call, Calls, Outcome, Waits
from client.link.clock import Clock
from client.link.heartbeat import Heartbeat
from client.link.logs import Log
from client.link.outbox import Outbox, Postable
from client.link.rooms import RUMOUR_S, Rooms
from client.link.subscriptions import Subscriptions
from client.link.updates import (
    Arrived,
    LinkChanged,
    LinkState,
    ModeratorsChanged,
    RosterChanged,
    StateChanged,
    SubjectChanged,
    WritesNow,
)
from common import codec, limits, names, topics
from common import messages as m
from common.errors import BadRequest, ChatError, NotLoggedIn, NotMember

TIMEOUT_S: Final = 15.0
"""Seconds until an unanswered request of the application fails, time offline included."""


class Session:
    """One client's conversation with a broker, over any number of connections."""

    def __init__(self, *, client: str, clock: Clock, random: Callable[[int], bytes]) -> None:
        """`client` describes the program in the list of sessions; `random` gives that many random bytes."""
        self._actions: list[Action] = []
        self._random = random
        self.clock = clock
        self.calls = Calls(lambda frame: self._actions.append(Transmit(frame)), random)
        self.subscriptions = Subscriptions(self._act, random)
        self.rooms = Rooms(self.subscriptions, self._act, self._dropped)
        self.backfill = Backfill(self.calls, self.rooms.logs, self._filled, self._refresh, random)
        self.outbox = Outbox(random)
        self.heartbeat = Heartbeat(self.calls, clock, random, client, self._welcomed, self._ponged)
        self.link = LinkState.CONNECTING
        self._resuming = False
        self._refreshing = 0
        self._posting: dict[bytes, Call] = {}
        """The requests of posts under way, by nonce."""
        self._parting: dict[int, str] = {}
        """Rooms that are being left, by the call that does it: not heard any more, not yet gone."""

    def _act(self, action: Action) -> None:
        self._actions.append(action)

    # What the shell calls.

    def take(self) -> list[Action]:
        """What is to be done now, in order; each is given out once."""
        taken, self._actions = self._actions, []
        return taken

    def deadline(self) -> float:
        """When to call `tick` next, if nothing happens before; infinity for never."""
        due = min(self.calls.deadline(), self.subscriptions.deadline(), self.heartbeat.deadline())
        if self.heartbeat.answering:
            due = min(due, self.backfill.deadline(), self.outbox.deadline(), self.rooms.deadline())
        return due

    def tick(self, now: float) -> None:
        """Let time pass."""
        self.calls.tick(now)
        self.heartbeat.tick(now)
        vain = self.subscriptions.tick(now)
        if self.heartbeat.answering and (self.rooms.tick(now) or vain):
            self._refresh(now)
        self._settle(now)

    def commands_up(self, now: float) -> None:
        """The command socket is connected."""
        self.heartbeat.up(now)
        self._settle(now)

    def commands_down(self, now: float) -> None:
        """The command socket has lost its connection."""
        self._resuming = True
        self.heartbeat.down(now)
        self._settle(now)

    def broadcast_up(self, now: float) -> None:
        """The broadcast socket is connected; libzmq has sent all subscriptions."""
        self.subscriptions.connected(now)
        self._settle(now)

    def broadcast_down(self, now: float) -> None:
        """The broadcast socket has lost its connection."""
        self._resuming = True
        self.subscriptions.lost()
        if self.heartbeat.answering and self.rooms.login is not None:
            # With the other connection alive, this is how the broker takes a grant back: we may have been
            # expelled, and what said so may have gone down with the connection.
            self._refresh(now)
        self._settle(now)

    def reply_received(self, frame: bytes, now: float) -> None:
        """A frame came on the command socket."""
        self.calls.received(frame, now)
        self._settle(now)

    def event_received(self, frame: bytes, now: float) -> None:
        """A frame came on the broadcast socket."""
        try:
            log, event = codec.decode_event(frame)
        except BadRequest:
            return  # Of a kind that a newer broker knows, or no event at all.
        self._heard(log, event, now)
        self._settle(now)

    def request(self, command: m.Command, now: float, timeout: float = TIMEOUT_S, waits: Waits = WAITS) -> int:
        """Make a request; `Answered` with the returned number brings its outcome. Refused with one of `waits` it is
        made again by itself, if `timeout` allows."""
        parting = None
        if isinstance(command, m.Leave):
            parting = self.rooms.find(command.room)
        elif isinstance(command, m.Enter) and self.rooms.find(command.room) != self.rooms.current:
            parting = self.rooms.find(self.rooms.current)
        call = self.calls.open(command, now, self._answered, timeout=timeout, waits=waits)
        if parting is not None:
            # Whoever still holds the grant when the broker withdraws it is cut off: take it back first.
            self._parting[call.id] = parting
            self.subscriptions.drop(parting)
        self._settle(now)
        return call.id

    def withdraw(self, number: int, now: float) -> None:
        """Nobody waits for this request any more: it fails unless it has gone out already."""
        self.calls.withdraw(number, now)
        self._settle(now)

    def nonce(self) -> bytes:
        """A new nonce; it begins with the time, so that the broker's index grows at one end."""
        return (self.clock.now() % 2**48).to_bytes(6, "big") + self._random(limits.NONCE_BYTES - 6)

    def post(self, command: Postable, now: float) -> None:
        """Put a message, or a change, in the outbox; `Settled` with its nonce brings its outcome. Raises `TooMany`."""
        self.outbox.add(command)
        self._settle(now)

    # What the broker answers.

    def _answered(self, call: Call, outcome: Outcome, now: float) -> None:
        parted = self._parting.get(call.id)
        if isinstance(outcome, m.LoggedIn) and self.heartbeat.welcome is not None:
            self._adopt(outcome.session, now, "left")
        elif isinstance(outcome, m.RoomReply):
            self.rooms.joined(outcome.room, outcome.current, now)
        elif isinstance(outcome, m.Left) and isinstance(call.command, (m.Leave, m.Delete)):
            self._left(call.command, outcome, now)
        elif isinstance(outcome, m.Sent) and isinstance(call.command, Postable):
            self._rumour(self._log_of(call.command), outcome.seq, now)
        elif isinstance(call.command, m.Logout) and isinstance(outcome, m.Reply):
            self._ended("logout")
        elif isinstance(call.command, (m.Mark, m.SetStatus)) and isinstance(outcome, m.Reply):
            self.rooms.said(call.command)
        elif isinstance(outcome, NotLoggedIn) and self.rooms.login is not None:
            self._refresh(now)
        entered = isinstance(call.command, m.Enter) and isinstance(outcome, m.RoomReply) and parted is not None
        astray = isinstance(outcome, m.Left) and outcome.current not in self.rooms.views
        if entered or astray:
            # Only the whole state says whether the room was left, or what the room is where one finds oneself.
            self._refresh(now, lambda now: self._finish(call, outcome, now))
        else:
            self._finish(call, outcome, now)

    def _finish(self, call: Call, outcome: Outcome, now: float) -> None:
        parted = self._parting.pop(call.id, None)
        if parted is not None:
            self.rooms.watch(parted, now)
        self._act(Answered(call.id, outcome))

    def _left(self, command: m.Leave | m.Delete, reply: m.Left, now: float) -> None:
        name = self.rooms.find(command.room)
        if name is not None:
            self.rooms.left(name, "left" if isinstance(command, m.Leave) else "deleted", now)
        self.rooms.current = reply.current
        self.rooms.changed = True

    def _welcomed(self, welcome: m.Welcome, now: float) -> None:
        self._state(welcome, now, "gone")
        self.calls.flow(now)

    def _state(self, welcome: m.Welcome, now: float, reason: str) -> None:
        if welcome.session is not None:
            self._adopt(welcome.session, now, reason)
        elif self.rooms.login is not None:
            self._ended("forgotten")

    def _adopt(self, state: m.SessionState, now: float, reason: str) -> None:
        assert self.heartbeat.welcome is not None
        self.rooms.adopt(state, self.heartbeat.welcome.beacon, now, reason, self._parting.values())
        for log in self.rooms.logs.values():
            self.backfill.watch(log)

    def _refresh(self, now: float, then: Callable[[float], None] | None = None) -> None:
        """Ask for the whole state, since something does not fit together; one question at a time, unless `then`."""
        if self._refreshing and then is None:
            return
        self._refreshing += 1

        def done(welcome: m.Welcome | None, now: float) -> None:
            self._refreshing -= 1
            if welcome is not None:
                self._state(welcome, now, "left" if then else "gone")
            if then is not None:
                then(now)

        self.heartbeat.refresh(now, done)

    def _ponged(self, pong: m.Pong | ChatError, now: float) -> None:
        if isinstance(pong, ChatError):
            if isinstance(pong, NotLoggedIn) and self.rooms.login is not None:
                self._refresh(now)
            return
        for log, head in pong.heads.items():
            self._rumour(log, head, now)
        if pong.run != self._run:
            self._refresh(now)
        # An event that says why may be on its way yet, on the other connection.
        self.rooms.heard_of(pong.heads.keys(), now + self._patience)

    @property
    def _patience(self) -> float:
        """Seconds in which an event comes that was sent when a reply was."""
        return max(RUMOUR_S, 2 * (self.clock.round_trip_ms or 0) / 1000)

    @property
    def _run(self) -> str | None:
        return self.heartbeat.welcome.run if self.heartbeat.welcome else None

    def _rumour(self, log: str, head: int, now: float) -> None:
        known = self.rooms.logs.get(log)
        if known is not None:
            known.rumoured(head, now, self._patience)
            self.backfill.watch(known)

    def _log_of(self, command: Postable) -> str:
        if isinstance(command, m.Direct):
            return self.rooms.inbox
        log = command.room if isinstance(command, m.Send) else command.log
        return self.rooms.inbox if log.startswith(topics.INBOX) else self.rooms.find(log) or ""

    # What the broker announces.

    def _heard(self, log: str, event: m.AnyEvent, now: float) -> None:
        if log == self.subscriptions.beacon:
            if isinstance(event, m.Live):
                self._live(event, now)
            elif isinstance(event, m.Ended):
                self._ended(event.reason)
            else:
                # What is told on the inbox, for a session that may not hear it.
                self._told(event, now)
        elif isinstance(event, (m.Said, m.Invited, m.Edited, m.Retracted, m.Reacted)):
            known = self.rooms.logs.get(log)
            if known is not None:
                self._deliver(known, known.heard(event), False)
                if known.behind:
                    self.backfill.watch(known)
        elif log == self.rooms.inbox:
            if isinstance(event, m.WritesNow):
                self._act(WritesNow(topics.inbox(event.login), event.login, event.on))
            else:
                self._told(event, now)
        elif log in self.rooms.views:
            self._about(log, self.rooms.views[log], event, now)

    def _told(self, event: m.AnyEvent, now: float) -> None:
        """What the account's sessions are told of themselves."""
        if isinstance(event, m.JoinedRoom):
            self.rooms.heard_joined(event, now)
        elif isinstance(event, m.LeftRoom):
            self.rooms.heard_left(event, now)
        elif isinstance(event, m.Marked):
            self.rooms.marked(event.talk, event.read, event.notify)

    def _about(self, log: str, view: m.RoomView, event: m.AnyEvent, now: float) -> None:
        if isinstance(event, m.Roster):
            view.online = event.online
            self._act(RosterChanged(log, event))
            if any(each.change == "status" and each.login == self.rooms.login for each in event.changes):
                # By another device perhaps; the note that goes with it stands in the whole state alone.
                self._refresh(now)
        elif isinstance(event, m.WritesNow) and event.login != self.rooms.login:
            self._act(WritesNow(log, event.login, event.on))
        elif isinstance(event, m.SubjectChanged):
            view.subject = event.subject
            self.rooms.changed = True
            self._act(SubjectChanged(log, event.subject, event.by, event.time))
        elif isinstance(event, m.ModeratorsChanged):
            self.rooms.moderated(log, event.moderators)
            self._act(ModeratorsChanged(log, tuple(event.moderators), event.by, event.time))
        elif isinstance(event, m.Deleted) and event.id == view.id:
            self.rooms.left(log, event.reason, now)

    def _live(self, event: m.Live, now: float) -> None:
        if event.log not in self.subscriptions:
            return
        again = self.subscriptions.granted(event.log)
        if event.log == self.subscriptions.beacon and again:
            self._resuming = True
            self.subscriptions.remade(now)
        if event.run != self._run and self.heartbeat.answering:
            self._refresh(now)
        log = self.rooms.logs.get(event.log)
        if log is None:
            return
        if log.id != event.id:
            self.rooms.mistrust(event.log)
            self._refresh(now)
        else:
            log.ends_at(event.head)
            self.backfill.watch(log)

    def _ended(self, reason: str) -> None:
        self.rooms.end(reason)
        self._give_up(NotLoggedIn())

    def _dropped(self, room: str) -> None:
        self._give_up(NotMember(f"You are no longer in {room}."), ("room", names.key(room)))

    def _give_up(self, error: ChatError, target: tuple[str, str] | None = None) -> None:
        for settled in self.outbox.fail(error, target):
            call = self._posting.pop(settled.nonce, None)
            if call is not None:
                # After a cut it would go out again: into another room of that name, or for another account.
                self.calls.forget(call)
            self._act(settled)

    # What follows from either.

    def _filled(self, log: Log, entries: list[m.AnyEntry]) -> None:
        self._deliver(log, entries, True)

    def _deliver(self, log: Log, entries: list[m.AnyEntry], replayed: bool) -> None:
        for entry in entries:
            self._act(Arrived(log.name, entry, replayed))
            if not isinstance(entry, m.Invited) and entry.sender == self.rooms.login:
                self._settle_post(entry.nonce, m.Sent(seq=entry.seq, time=entry.time), 0.0)

    def _settle_post(self, nonce: bytes, outcome: m.Sent | ChatError, now: float, doubtful: bool = False) -> None:
        settled = self.outbox.answered(nonce, outcome, now, doubtful)
        if settled is not None:
            self._act(settled)

    def _send_posts(self, now: float) -> None:
        for post in self.outbox.ready(now):
            self._posting[post.nonce] = self.calls.open(post.command, now, self._posted, waits=())

    def _posted(self, call: Call, outcome: Outcome, now: float) -> None:
        assert isinstance(call.command, Postable)
        self._posting.pop(call.command.nonce, None)
        if isinstance(outcome, m.Sent):
            self._rumour(self._log_of(call.command), outcome.seq, now)
        if isinstance(outcome, (m.Sent, ChatError)):
            self._settle_post(call.command.nonce, outcome, now, call.doubtful)
        if isinstance(outcome, NotLoggedIn) and self.rooms.login is not None:
            self._refresh(now)

    def _settle(self, now: float) -> None:
        """After each input: ask for what is missing, send what may be sent, report what has changed."""
        if self.heartbeat.answering:
            for log in self.backfill.pump(now):
                self.subscriptions.renew(log.name, now)
            self._send_posts(now)
        if self.rooms.changed:
            self.rooms.changed = False
            self._act(StateChanged(self.rooms.state))
        link = self._judge()
        if link is not self.link:
            self.link = link
            self._act(LinkChanged(link))

    def _judge(self) -> LinkState:
        if not self.heartbeat.answering:
            return LinkState.CONNECTING if self.heartbeat.welcome is None else LinkState.OFFLINE
        if self._resuming and self.rooms.login is not None:
            if self.backfill.busy or not self.subscriptions.complete:
                return LinkState.RESUMING
        self._resuming = False
        return LinkState.LIVE

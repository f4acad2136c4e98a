"""The model: which conversations there are, which one is looked at, and what each update does to them.

Pure: updates in, `Wish`es out (what should be read from the broker, when to ring). The screen only shows what
stands here. Must not know prompt_toolkit, sockets or the clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from client.link.updates import (
    Arrived,
    LinkChanged,
    LinkState,
    Overrun,
    RoomJoined,
    RoomLeft,
    RosterChanged,
    SessionEnded,
    Settled,
    StateChanged,
    SubjectChanged,
    Update,
)
from client.tui.conversations import Conversation
from client.tui.records import FAR_LIMIT, LIMIT, Kind, Record
from common import names
from common.errors import ChatError
from common.messages import AnyEntry, DirectMessage, Invited, Message, RoomView, Sent

FAREWELLS: Final = {
    "left": "You left #{room}.",
    "removed": "You were removed from #{room}.",
    "deleted": "#{room} was deleted.",
    "creator-gone": "#{room} is gone, because whoever made it has left.",
    "gone": "While you were away, #{room} went or you were taken out of it.",
}
ENDINGS: Final = {
    "logout": "You are logged out.",
    "revoked": "This session was ended from another one of yours.",
    "password": "Your password was changed elsewhere, which ended this session.",
    "disabled": "This account was disabled by the operator.",
    "forgotten": "The broker no longer knows this session.",
}


@dataclass(frozen=True)
class Load:
    """Read the members and the newest messages of a conversation."""

    log: str


@dataclass(frozen=True)
class Missed:
    """Read what a log holds after that `seq`."""

    log: str
    after: int


@dataclass(frozen=True)
class Ring:
    """Somebody means this person."""

    log: str


@dataclass(frozen=True)
class Over:
    """The session has ended; the sentence says why."""

    sentence: str


Wish = Load | Missed | Ring | Over


class Model:
    """Everything that is shown. `me` is the person's login."""

    def __init__(self, me: str, default_room: str = "lobby") -> None:
        self.me = me
        self.default_room = default_room
        self.conversations: dict[str, Conversation] = {}
        self.current = default_room
        self.previous = ""
        self.known_rooms: list[str] = []
        """Rooms that the broker listed, for completion."""
        self.known_users: list[str] = []
        self.now = 0
        """The broker's time of what is applied next; the caller keeps it."""
        self.heard: Callable[[Conversation, Record], None] = lambda talk, record: None
        """Called with every record that is new, but not with what is read from the history."""
        self._mention = re.compile("(?!)")
        self._owners: dict[bytes, str] = {}
        self.named(me)

    def named(self, me: str) -> None:
        """The person's login is known."""
        self.me = me
        self._mention = re.compile(rf"(?<!\w)@?{re.escape(me)}(?!\w)", re.IGNORECASE) if me else re.compile("(?!)")

    def arrive(self, me: str, default_room: str, current: str) -> None:
        """Logged in: where the person is."""
        self.named(me)
        self.default_room = default_room
        if current != self.current:
            guessed = self.conversations.pop(self.current, None)
            self.current = current
            if guessed is not None:
                self.here.records = guessed.records

    # Looking

    @property
    def here(self) -> Conversation:
        """The conversation that is looked at."""
        return self.conversations.get(self.current) or self.open(self.current)

    @property
    def order(self) -> list[Conversation]:
        """All conversations as they are listed: the default room, other rooms, people."""
        return sorted(self.conversations.values(), key=lambda talk: (talk.private, talk.log != self.default_room))

    @property
    def waiting(self) -> int:
        """One's own messages that are not acknowledged yet."""
        return len(self._owners)

    def owner(self, nonce: bytes) -> str:
        """The conversation in which an unacknowledged message was written; empty if there is none."""
        return self._owners.get(nonce, "")

    def find(self, name: str) -> Conversation | None:
        """The conversation of a room or, with `@`, a person, however the name is written."""
        if name in self.conversations:
            return self.conversations[name]
        key = names.key(name)
        return next((talk for log, talk in self.conversations.items() if names.key(log) == key), None)

    def turn(self, log: str) -> None:
        """Look at a conversation."""
        if log != self.current:
            self.here.left_alone()
            self.previous, self.current = self.current, log
        self.here.turned_to()

    def open(self, log: str) -> Conversation:
        """The conversation, made if it is not there; `@login` for a private one."""
        talk = self.find(log)
        if talk is None:
            view = None if log.startswith("@") else _unknown(log)
            talk = self.conversations[log] = Conversation(log, view)
        return talk

    def close(self, log: str) -> None:
        """Take a conversation off the screen; look at the previous one, or at the default room."""
        self.conversations.pop(log, None)
        if self.current == log:
            rooms = [talk.log for talk in self.order if not talk.private]
            self.current = next((to for to in (self.previous, *rooms) if to in self.conversations), self.default_room)
            self.here.turned_to()
        if self.previous == log:
            self.previous = ""

    def next_unread(self) -> Conversation | None:
        """Where to look next: private messages and mentions first, then what else is unread."""
        unread = [talk for talk in self.order if talk.unread and talk.log != self.current]
        return max(unread, key=lambda talk: (talk.mentions > 0, talk.private), default=None)

    # Telling

    def note(self, log: str, text: str, kind: Kind = "answer") -> None:
        """Add a line that nobody said to a conversation."""
        talk = self.open(log)
        record = talk.records.add(Record(kind, self.now, text))
        if record is not None:
            self.heard(talk, record)

    def said(self, log: str, text: str, nonce: bytes) -> None:
        """The person said something; it waits for its acknowledgement."""
        talk = self.open(log)
        talk.records.wait(Record("message", self.now, text, self.me, nonce=nonce, fate="pending", mine=True))
        self._owners[nonce] = talk.log

    # Hearing

    def apply(self, update: Update) -> list[Wish]:
        """Take in what the link tells."""
        match update:
            case Arrived(log, entry, replayed):
                return self._arrived(log, entry, replayed)
            case RosterChanged(log, roster):
                talk = self.find(log)
                for sentence in talk.roster(roster) if talk else ():
                    self.note(log, sentence, "notice")
            case SubjectChanged(log, subject, by, _):
                talk = self.find(log)
                if talk:
                    talk.subject = subject
                    self.note(
                        log, f"{by} set the topic: {subject}" if subject else f"{by} took the topic away", "notice"
                    )
            case RoomJoined(view):
                return self._joined(view)
            case RoomLeft(name, reason):
                self._left(name, reason)
            case Settled(nonce, outcome):
                self._settled(nonce, outcome)
            case SessionEnded(reason):
                return [Over(ENDINGS.get(reason, f"The session has ended ({reason})."))]
            case StateChanged(state):
                if state is not None:
                    self.named(state.login)
            case Overrun(after):
                return [Missed(log, seq) for log, seq in after.items()]
            case LinkChanged(state):
                if state is LinkState.OFFLINE:
                    for talk in self.conversations.values():
                        talk.loading = False
        return []

    def _arrived(self, log: str, entry: AnyEntry, replayed: bool) -> list[Wish]:
        if isinstance(entry, Invited):
            self.note(self.current, f"{entry.sender} invites you to #{entry.room}: /join {entry.room}", "notice")
            return [] if replayed else [Ring(self.current)]
        talk = self.open(self._home(log, entry))
        if talk.records.oldest is None:
            talk.records.oldest = entry.prev if talk.private else self._head(talk)
        record = talk.records.add(self._record(entry))
        talk.records.trim(FAR_LIMIT if talk.reading_back else LIMIT)
        self._owners.pop(entry.nonce, None)
        if record is None:
            return []
        self.heard(talk, record)
        if record.mine:
            return []
        if talk.log != self.current:
            talk.missed(record)
            if record.mention or talk.private:
                return [Ring(talk.log)]
        return []

    def _head(self, talk: Conversation) -> int | None:
        return talk.view.head if talk.view else None

    def _home(self, log: str, entry: Message | DirectMessage) -> str:
        """The conversation in which an entry of a log belongs."""
        if isinstance(entry, Message):
            return log
        return f"@{entry.to if names.key(entry.sender) == names.key(self.me) else entry.sender}"

    def _record(self, entry: Message | DirectMessage) -> Record:
        mine = names.key(entry.sender) == names.key(self.me)
        mention = not mine and self._mention.search(entry.text) is not None
        return Record(
            "message", entry.time, entry.text, entry.sender, entry.seq, entry.nonce, mine=mine, mention=mention
        )

    def _joined(self, view: RoomView) -> list[Wish]:
        talk = self.conversations.get(view.name)
        if talk is None or talk.view is None or talk.view.id not in (0, view.id):
            talk = Conversation(view.name)
            self.conversations[view.name] = talk
        talk.view, talk.subject, talk.online = view, view.subject, view.online
        return [Load(view.name)]

    def _left(self, name: str, reason: str) -> None:
        talk = self.find(name)
        if talk is None:
            return
        self.close(talk.log)
        self.note(self.current, FAREWELLS.get(reason, FAREWELLS["gone"]).format(room=name), "notice")

    def _settled(self, nonce: bytes, outcome: Sent | ChatError) -> None:
        talk = self.conversations.get(self._owners.pop(nonce, ""))
        if talk is None:
            return
        if isinstance(outcome, ChatError):
            talk.records.fail(nonce, outcome.message)
            return
        record = talk.records.settle(nonce, outcome.seq, outcome.time)
        if record is not None:
            self.heard(talk, record)

    # Reading

    def took_page(self, log: str, entries: Sequence[AnyEntry], before: int | None, more: bool) -> int:
        """Take in a page of a log's history, read below `before`. Returns how many records it brought here."""
        start = 0 if not more else entries[0].seq - 1 if entries else 0
        touched: dict[str, int] = {} if log.startswith("@") else {log: 0}
        for entry in entries:
            if isinstance(entry, Invited):
                continue
            talk = self.open(self._home(log, entry))
            added = talk.records.add(self._record(entry)) is not None
            touched[talk.log] = touched.get(talk.log, 0) + added
        for talk in self.conversations.values():
            if talk.log in touched or (talk.private and log.startswith("@")):
                oldest = talk.records.oldest
                if oldest is None or before is None or oldest < before:
                    talk.records.oldest = start if oldest is None else min(start, oldest)
        return sum(touched.values())


def _unknown(name: str) -> RoomView:
    """A room of which only the name is known as yet."""
    return RoomView(
        id=0,
        name=name,
        kept=False,
        private=False,
        open=False,
        subject="",
        creator=None,
        head=0,
        online=0,
        joined=False,
        since=0,
    )

"""The model: which conversations there are, which one is looked at, and what each update does to them.

Pure: updates in, `Wish`es out (what should be read from the broker, when to ring). The screen only shows what
stands here. Its length is that of the updates, each of which has its method. Must not know prompt_toolkit,
sockets or the clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import Final

from client.link.updates import (
    Arrived,
    LinkChanged,
    LinkState,
    Overrun,
    Postponed,
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
from client.tui.marks import Marks
from client.tui.places import Places
from client.tui.records import FAR_LIMIT, LIMIT, Kind, Record
from client.tui.wishes import ENDINGS, FAREWELLS, Load, Missed, Over, Ring, Wish
from common import names
from common.errors import ChatError
from common.messages import AnyEntry, DirectMessage, Invited, Message, RoomView, Sent

SHOWN_WAIT_S: Final = 1.0
"""A shorter wait for the broker is over before it is read."""


class Model(Places):
    """Everything that is shown. `me` is the person's login."""

    def __init__(self, me: str, default_room: str = "lobby") -> None:
        super().__init__(default_room)
        self.me = me
        self.known_rooms: list[str] = []
        """Rooms that the broker listed, for completion."""
        self.known_users: list[str] = []
        self.marks = Marks()
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

    @property
    def waiting(self) -> int:
        """One's own messages that are not acknowledged yet."""
        return len(self._owners)

    def owner(self, nonce: bytes) -> str:
        """The conversation in which an unacknowledged message was written; empty if there is none."""
        return self._owners.get(nonce, "")

    # Telling

    def note(self, log: str, text: str, kind: Kind = "answer", time: int | None = None) -> None:
        """Add a line that nobody said to a conversation."""
        talk = self.open(log)
        record = talk.records.add(Record(kind, self.now if time is None else time, text))
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
                if talk is not None:
                    for sentence in talk.roster(roster, self.me):
                        self.heard(talk, Record("notice", roster.time, sentence))
            case SubjectChanged(log, subject, by, time):
                talk = self.find(log)
                if talk:
                    talk.subject = subject
                    what = f"{by} set the topic: {subject}" if subject else f"{by} took the topic away"
                    self.note(log, what, "notice", time)
            case RoomJoined(view):
                return self._joined(view)
            case RoomLeft(name, reason):
                self._left(name, reason)
            case Settled(nonce, outcome):
                self._settled(nonce, outcome)
            case Postponed(nonce, wait):
                talk = self.find(self.owner(nonce))
                if talk is not None:
                    talk.records.postpone(nonce, f"wait {ceil(wait)} s" if wait >= SHOWN_WAIT_S else "")
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
        if log.startswith("@"):
            self.marks.inbox(entry.seq)
        if isinstance(entry, Invited):
            self._invited(entry)
            return [] if replayed else [Ring(self.current)]
        if not isinstance(entry, (Message, DirectMessage)):
            return []
        talk = self.open(self._home(log, entry))
        if talk.records.oldest is None:
            talk.records.oldest = entry.prev if talk.private else self._head(talk)
        record = talk.records.add(self._record(entry))
        talk.records.trim(FAR_LIMIT if talk.reading_back else LIMIT)
        self._owners.pop(entry.nonce, None)
        if record is None:
            return []
        self.heard(talk, record)
        if talk.log == self.current:
            self.marks.read(talk, entry.seq)
        elif not record.mine:
            self.marks.unread(talk, entry.seq)
            talk.missed(record)
            if record.mention or talk.private:
                return [Ring(talk.log)]
        return []

    def _invited(self, entry: Invited) -> None:
        text = f"{entry.sender} invites you to #{entry.room}: /join {entry.room}"
        self.note(self.current, text, "notice", entry.time)

    def turn(self, log: str) -> None:
        """Look at a conversation; then what is in it is read."""
        super().turn(log)
        self.marks.read(self.here, self.here.records.newest)

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
        inbox = log.startswith("@")
        if not inbox and self.find(log) is None:
            return 0  # left meanwhile
        start = 0 if not more else entries[0].seq - 1 if entries else 0
        touched: dict[str, int] = {} if inbox else {log: 0}
        for entry in entries:
            if isinstance(entry, Invited):
                if before is None and self.marks.inbox_is_new(entry.seq):
                    self._invited(entry)
                continue
            if not isinstance(entry, (Message, DirectMessage)):
                continue
            talk = self.open(self._home(log, entry))
            record = talk.records.add(self._record(entry))
            touched[talk.log] = touched.get(talk.log, 0) + (record is not None)
            if before is None and record is not None and not record.mine and self.marks.is_new(talk, entry.seq):
                self.marks.unread(talk, entry.seq)
                talk.missed(record)
        if before is None:
            self._recalled(touched)
            if inbox:
                self.marks.inbox(entries[-1].seq if entries else 0)
        for talk in self.conversations.values():
            if talk.log in touched or (talk.private and log.startswith("@")):
                oldest = talk.records.oldest
                if oldest is None or before is None or oldest < before:
                    talk.records.oldest = start if oldest is None else min(start, oldest)
        return sum(touched.values())

    def _recalled(self, touched: Iterable[str]) -> None:
        """The newest messages of before are here: what is unread of them has been counted."""
        for talk in (self.conversations[log] for log in touched):
            if talk.log == self.current and talk.unread:
                talk.turned_to()
            if talk.log == self.current or not talk.unread:
                self.marks.read(talk, talk.records.newest)

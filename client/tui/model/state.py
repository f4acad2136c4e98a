"""The model: which conversations there are, which one is looked at, and what each update does to them.

Pure: updates in, `Wish`es out (what should be read from the broker, when to ring). The screen only shows what
stands here. Its length is that of the updates, each of which has its method; pages of history are taken in by
`client.tui.pages`. Must not know prompt_toolkit, sockets or the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from client.language import _, sentence
from client.link.updates import (
    Arrived,
    LinkChanged,
    LinkState,
    ModeratorsChanged,
    Overrun,
    Postponed,
    RoomJoined,
    RoomLeft,
    RosterChanged,
    SessionEnded,
    Settled,
    StateChanged,
    SubjectChanged,
    TalkMarked,
    Update,
    WritesNow,
)
from client.tui.model.conversations import Conversation
from client.tui.model.marks import Marks
from client.tui.model.places import Places
from client.tui.model.records import FAR_LIMIT, LIMIT, Kind, Reaction, Record
from client.tui.model.wishes import ENDINGS, FAREWELLS, OTHER_ENDING, Load, Missed, Over, Ring, Tell, Wish
from common import attention, names, topics
from common.errors import ChatError
from common.messages import (
    AnyEntry,
    DirectMessage,
    Edited,
    Invited,
    Message,
    Reacted,
    Retracted,
    RoomView,
    Sent,
    SessionState,
    Status,
)

SHOWN_WAIT_S: Final = 1.0
"""A shorter wait for the broker is over before it is read."""


@dataclass(frozen=True)
class Wanted:
    """A change of a message that is under way."""

    log: str
    refusal: str
    """What to say if it is refused; `{why}` stands for the reason."""
    text: str = ""


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
        self.amended: Callable[[Conversation, Edited | Retracted | Reacted], None] = lambda talk, entry: None
        """Called with every change of a message that happens now."""
        self.attentive: Callable[[], bool] = lambda: True
        """Whether the person looks at the end of the conversation that is shown."""
        self.all_comings = True
        """Whether it is always said who comes and goes, in crowded rooms too."""
        self.status: Status = "available"
        self.status_note = ""
        self.operator = False
        """Whether the person is the broker's operator, who keeps order everywhere."""
        self._mention = attention.naming("")
        self._owners: dict[bytes, str] = {}
        self._wanted: dict[bytes, Wanted] = {}
        self._left_behind: dict[str, int] = {}
        self.named(me)

    def named(self, me: str) -> None:
        """The person's login is known."""
        self.me = me
        self._mention = attention.naming(me)

    def arrive(self, me: str, default_room: str, state: SessionState) -> None:
        """Logged in: where the person is."""
        self.named(me)
        self.default_room = default_room
        self._own_state(state)
        if state.current != self.current:
            guessed = self.conversations.pop(self.current, None)
            self.current = state.current
            if guessed is not None:
                self.here.records = guessed.records

    def member(self, view: RoomView) -> None:
        """The person was in this room before: where they never looked, nothing is read."""
        old = self._left_behind.get(f"room {view.id}")
        if old is not None and not view.read:
            self.marks.seen(view.name, old)
        self.marks.assume(view.name, max(view.read, view.since))

    def left_behind(self, marks: Mapping[str, int]) -> None:
        """Take over the marks that an earlier version kept on this machine, where the broker has none."""
        self._left_behind = dict(marks)
        for key, seq in marks.items():
            if key.startswith(topics.INBOX):
                self.marks.seen(topics.inbox(self.me) if key == topics.INBOX else key, seq)

    @property
    def waiting(self) -> int:
        """One's own messages, and changes of messages, that are not acknowledged yet."""
        return len(self._owners) + len(self._wanted)

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

    def said(self, log: str, text: str, nonce: bytes, reply_to: int = 0) -> None:
        """The person said something; it waits for its acknowledgement."""
        talk = self.open(log)
        talk.excerpt = None
        talk.records.wait(
            Record("message", self.now, text, self.me, nonce=nonce, fate="pending", mine=True, reply_to=reply_to)
        )
        self._owners[nonce] = talk.log

    def wanted(self, log: str, refusal: str, nonce: bytes, text: str = "") -> None:
        """The person changes a message; that waits for its acknowledgement, too. `text` is what they wrote for it."""
        self._wanted[nonce] = Wanted(log, refusal, text)

    # Hearing

    def apply(self, update: Update) -> list[Wish]:
        """Take in what the link tells."""
        match update:
            case Arrived(log, entry, replayed):
                return self._arrived(log, entry, replayed)
            case RosterChanged(log, roster):
                talk = self.find(log)
                if talk is not None:
                    for sentence in talk.roster(roster, self.me, all=self.all_comings):
                        self.heard(talk, Record("notice", roster.time, sentence))
                for change in roster.changes:
                    if change.change == "status" and names.key(change.login) == names.key(self.me):
                        self.status = change.status
            case SubjectChanged(log, subject, by, time):
                talk = self.find(log)
                if talk:
                    talk.subject = subject
                    what = _("{login} set the topic: {subject}") if subject else _("{login} took the topic away")
                    self.note(log, what.format(login=by, subject=subject), "notice", time)
            case ModeratorsChanged(log, moderators, by, time):
                self._moderated(log, list(moderators), by, time)
            case RoomJoined(view):
                return self._joined(view)
            case RoomLeft(name, reason):
                self._left(name, reason)
            case WritesNow(log, login, on):
                talk = self.find(log)
                if talk is not None and names.key(login) != names.key(self.me):
                    talk.writes(login, on, self.now)
            case TalkMarked(log, read, notify):
                if self.marks.told(log, read, notify):
                    self._marked(log)
            case Settled(nonce, outcome):
                return self._settled(nonce, outcome)
            case Postponed(nonce, wait):
                talk = self.find(self.owner(nonce))
                if talk is not None:
                    talk.records.postpone(nonce, _("wait {n} s").format(n=ceil(wait)) if wait >= SHOWN_WAIT_S else "")
            case SessionEnded(reason):
                return [Over(_(ENDINGS.get(reason, OTHER_ENDING)).format(reason=reason))]
            case StateChanged(state):
                if state is not None:
                    self.named(state.login)
                    self._own_state(state)
            case Overrun(after):
                return [Missed(log, seq) for log, seq in after.items()]
            case LinkChanged(state):
                if state is LinkState.OFFLINE:
                    for talk in self.conversations.values():
                        talk.loading = False
        return []

    def _moderated(self, log: str, moderators: list[str], by: str, time: int) -> None:
        """Others keep order in a room now: who is new among them, and who no longer does."""
        talk = self.find(log)
        if talk is None:
            return
        before, talk.moderators = talk.moderators, moderators
        for login in moderators:
            if login not in before:
                said = _("{login} keeps order here now, by {by}").format(login=login, by=by)
                self.note(log, said, "notice", time)
        for login in before:
            if login not in moderators:
                said = _("{login} no longer keeps order here, by {by}").format(login=login, by=by)
                self.note(log, said, "notice", time)

    def may_take_back(self, talk: Conversation, record: Record) -> bool:
        """Whether the broker would let the person take a message back, as far as is known here."""
        order = self.operator or talk.made_by(self.me) or talk.moderated_by(self.me)
        return record.mine or (not talk.private and order)

    def _own_state(self, state: SessionState) -> None:
        """The whole state of the session: what one says of oneself, and how everything is marked."""
        self.status, self.status_note, self.operator = state.status, state.note, state.operator
        for view in state.rooms:
            talk = self.find(view.name)
            if talk is not None:
                talk.moderators = view.moderators
        told = [(view.name, view.read, view.notify) for view in state.rooms]
        told += [(talk.talk, talk.read, talk.notify) for talk in state.talks]
        for log, read, notify in told:
            if self.marks.told(log, read, notify):
                self._marked(log)

    def _marked(self, log: str) -> None:
        """It is another state up to which a conversation was read: perhaps at another device."""
        talk = self.find(log)
        if talk is not None:
            talk.notify = self.marks.notify(log)
            talk.recount(self.read(talk))

    def read(self, talk: Conversation) -> int:
        """The `seq` up to which a conversation was read; nothing of one that nobody ever marked."""
        return self.marks.read(talk.log) or 0

    def attend(self) -> None:
        """What is on the screen is read, if the person is there."""
        talk = self.here
        if self.attentive():
            talk.turned_to()
            if talk.records.newest > self.read(talk):
                self.marks.seen(talk.log, talk.records.newest)

    def _arrived(self, log: str, entry: AnyEntry, replayed: bool) -> list[Wish]:
        if isinstance(entry, Invited):
            self.marks.seen(topics.inbox(self.me), entry.seq)
            self.invited(entry)
            return [] if replayed or self.status == "dnd" else [Ring(self.current)]
        if not isinstance(entry, (Message, DirectMessage)):
            self._changed(log, entry)
            return []
        talk = self.open(self.home(log, entry))
        if talk.records.oldest is None:
            talk.records.oldest = entry.prev if talk.private else self._head(talk)
        record = talk.records.add(self.record(entry))
        talk.records.trim(FAR_LIMIT if talk.reading_back else LIMIT)
        self._owners.pop(entry.nonce, None)
        if record is None:
            return []
        talk.spoke(record)
        self.heard(talk, record)
        if talk.log == self.current and self.attentive():
            self.marks.seen(talk.log, entry.seq)
        elif not record.mine and not record.retracted and entry.seq > self.read(talk):
            talk.missed(record)
            if not replayed and self._rings(talk, record):
                return [Ring(talk.log, record)]
        return []

    def _rings(self, talk: Conversation, record: Record) -> bool:
        """Whether the person wants to be told of a message that they do not see."""
        return attention.worth(talk.tells, self.status, named=record.mention)

    def _changed(self, log: str, entry: Edited | Retracted | Reacted) -> None:
        """Somebody did something to a message that was said before; in the inbox, in one of its conversations."""
        self._wanted.pop(entry.nonce, None)
        mine = names.key(entry.sender) == names.key(self.me)
        mention = isinstance(entry, Edited) and not mine and self._mention.search(entry.text) is not None
        inbox = log.startswith(topics.INBOX)
        room = None if inbox else self.find(log)
        talks = [talk for talk in self.conversations.values() if talk.private] if inbox else [room] if room else []
        for talk in talks:
            changed = [records.change(entry, mine=mine, mention=mention) for records in talk.scrollbacks]
            record = next(filter(None, changed), None)
            if record is not None and record.seq > self.read(talk):
                talk.recount(self.read(talk))
            if record is not None or not inbox:
                self.amended(talk, entry)

    def invited(self, entry: Invited) -> None:
        """Somebody lets this person into a private room."""
        said = _("{login} invites you to #{room}: {command}")
        text = said.format(login=entry.sender, room=entry.room, command=f"/join {entry.room}")
        self.note(self.current, text, "notice", entry.time)

    def turn(self, log: str) -> None:
        """Look at a conversation; then what is in it is read."""
        super().turn(log)
        self.attend()

    def open(self, log: str) -> Conversation:
        """The conversation, made if it is not there; `@login` for a private one."""
        talk = super().open(log)
        talk.notify = self.marks.notify(log)
        return talk

    def _head(self, talk: Conversation) -> int | None:
        return talk.view.head if talk.view else None

    def home(self, log: str, entry: Message | DirectMessage) -> str:
        """The conversation in which an entry of a log belongs."""
        if isinstance(entry, Message):
            return log
        return f"@{entry.to if names.key(entry.sender) == names.key(self.me) else entry.sender}"

    def record(self, entry: Message | DirectMessage) -> Record:
        """What is shown of a message."""
        mine = names.key(entry.sender) == names.key(self.me)
        return Record(
            "message",
            entry.time,
            entry.text,
            entry.sender,
            entry.seq,
            entry.nonce,
            mine=mine,
            mention=not mine and self._mention.search(entry.text) is not None,
            reply_to=entry.reply_to,
            edited=entry.edited,
            retracted=entry.retracted,
            reactions=tuple(Reaction(each.emoji, each.count, each.mine) for each in entry.reactions),
            changed_by=entry.changed,
        )

    def _joined(self, view: RoomView) -> list[Wish]:
        talk = self.conversations.get(view.name)
        if talk is None or talk.view is None or talk.view.id not in (0, view.id):
            if talk is not None:
                self.marks.forget(view.name)
            talk = Conversation(view.name)
            self.conversations[view.name] = talk
        talk.view, talk.subject, talk.online = view, view.subject, view.online
        talk.moderators = view.moderators
        self.marks.told(view.name, view.read, view.notify)
        talk.notify = view.notify
        if self.marks.read(view.name) is None:
            # One comes in now: what was said before is nothing that one has missed.
            self.marks.seen(view.name, view.head)
        return [Load(view.name)]

    def _left(self, name: str, reason: str) -> None:
        self.marks.forget(name)
        talk = self.find(name)
        if talk is None:
            return
        self.close(talk.log)
        self.note(self.current, _(FAREWELLS.get(reason, FAREWELLS["gone"])).format(room=name), "notice")

    def _settled(self, nonce: bytes, outcome: Sent | ChatError) -> list[Wish]:
        wanted = self._wanted.pop(nonce, None)
        if wanted is not None and isinstance(outcome, ChatError):
            return [Tell(wanted.log, wanted.refusal.format(why=sentence(outcome)), wanted.text)]
        talk = self.conversations.get(self._owners.pop(nonce, ""))
        if talk is None:
            return []
        if isinstance(outcome, ChatError):
            talk.records.fail(nonce, sentence(outcome))
            return []
        record = talk.records.settle(nonce, outcome.seq, outcome.time)
        if record is not None:
            self.heard(talk, record)
        return []

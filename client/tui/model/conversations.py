"""One room or one private conversation, as the person sees it: its records, its people, what is unread.

Must not know the other conversations, nor how any of it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from client.tui.model.crowd import Crowd
from client.tui.model.records import Record, Scrollback
from common import attention, names
from common.limits import TYPING_S
from common.messages import Change, MemberView, Notify, RoomView, Roster, Status

CROWDED: Final = 12
"""People present from which on it is not said who comes and goes, unless they have spoken lately."""
LATELY_MS: Final = 300_000
"""Milliseconds for which somebody has spoken lately."""
SPEAKERS: Final = 500
"""People of whom it is kept when they spoke."""
QUIET: Final = 200
"""Notices that are not shown, and kept in case somebody wants to see them."""


@dataclass
class Conversation:
    """A room (`log` is its name) or what is said with one person (`log` is `@login`)."""

    log: str
    view: RoomView | None = None
    """The room as it was when joined; None for a private conversation."""
    subject: str = ""
    members: dict[str, bool] = field(default_factory=dict)
    """Login to presence; empty until it was read."""
    statuses: dict[str, Status] = field(default_factory=dict)
    """What members say of themselves, where that is something else than that they are available."""
    bots: set[str] = field(default_factory=set)
    """Members that are programs."""
    moderators: list[str] = field(default_factory=list)
    """Who keeps order here besides whoever made the room, by login."""
    writers: dict[str, int] = field(default_factory=dict)
    """Who is writing, until when that holds (milliseconds by the broker's clock)."""
    online: int = 0
    records: Scrollback = field(default_factory=Scrollback)
    excerpt: Scrollback | None = None
    """Messages of long ago that are looked at instead of the newest, with a gap between."""
    excerpt_end: int = 0
    """The `seq` up to which the excerpt has everything."""
    unread: int = 0
    mentions: int = 0
    """How many of the unread name the person; in a private conversation all do."""
    unread_from: int = 0
    """The id of the first record that was unread when the conversation was last turned to."""
    unread_shown: int = 0
    notify: Notify | None = None
    """What of it is to be told; None for what is usual."""
    draft: str = ""
    """What is half written while another conversation is looked at."""
    editing: Record | None = None
    """The message of one's own in whose place the line will stand."""
    answering: Record | None = None
    """The message that the line will answer."""
    reading_back: bool = False
    """The person has scrolled up: what is above stays longer."""
    loading: bool = False
    """Older messages are being read."""
    loaded: bool = False
    """The newest messages of before were read."""
    quiet: list[Record] = field(default_factory=list)
    """Notices of comings and goings that are not shown."""
    _spoke: dict[str, int] = field(default_factory=dict)
    _crowd: Crowd = field(default_factory=Crowd)
    _crowd_record: int = -1
    _noise: set[int] = field(default_factory=set)

    @property
    def private(self) -> bool:
        """Whether this is a conversation with one person."""
        return self.view is None

    @property
    def peer(self) -> str:
        """The other person of a private conversation."""
        return self.log[1:]

    @property
    def title(self) -> str:
        """How people write its name."""
        return self.log if self.private else f"#{self.log}"

    @property
    def shown(self) -> Scrollback:
        """What is looked at: the newest messages, or an excerpt of older ones."""
        return self.records if self.excerpt is None else self.excerpt

    @property
    def scrollbacks(self) -> Iterator[Scrollback]:
        """All that hold messages of it."""
        yield self.records
        if self.excerpt is not None:
            yield self.excerpt

    @property
    def more(self) -> bool:
        """Whether the broker may hold messages older than those looked at."""
        floor = self.view.since if self.view else 0
        return self.shown.oldest is None or self.shown.oldest > floor

    @property
    def tells(self) -> Notify:
        """What of it is to be told: unless somebody said otherwise, all in private, and in rooms what names one."""
        return attention.told(self.notify, private=self.private)

    # Who is there

    def roster(self, roster: Roster, me: str = "", *, all: bool = True) -> list[str]:
        """Take in who came and went; returns the sentences for it. Nobody is told of their own coming.

        In the records, what follows upon each other is one notice, so that a restless night fills no screen. Without
        `all`, in a crowded room, only those are mentioned who have spoken lately.
        """
        now, quiet = Crowd(), Crowd()
        if self.records.last != self._crowd_record:
            self._crowd = Crowd()
        everybody = all or roster.online < CROWDED
        for change in roster.changes:
            self._member(change)
            if names.key(change.login) == names.key(me):
                continue
            if everybody or roster.time - self._spoke.get(change.login, -LATELY_MS) < LATELY_MS:
                now.add(change)
                self._crowd.add(change)
            else:
                quiet.add(change)
        self.online = roster.online
        if hidden := quiet.sentences():
            self.quiet = [*self.quiet[1 - QUIET :], Record("notice", roster.time, "; ".join(hidden))]
        said = now.sentences()
        if said:
            text = "; ".join(self._crowd.sentences())
            if not self.records.amend(self._crowd_record, text, roster.time):
                added = self.records.add(Record("notice", roster.time, text))
                self._crowd_record = added.id if added else 0
        return said

    def show_quiet(self, shown: bool) -> None:
        """Show the notices that were not shown where they belong, or no longer."""
        if shown:
            self._noise |= {record.id for record in self.records.mix_in(self.quiet)}
            self.quiet = []
        else:
            self.quiet = [*self.records.take_out(self._noise), *self.quiet][-QUIET:]
            self._noise.clear()

    def _member(self, change: Change) -> None:
        if change.change == "left":
            self.members.pop(change.login, None)
            self.statuses.pop(change.login, None)
            self.bots.discard(change.login)
            return
        if change.change != "status":
            self.members[change.login] = change.change != "offline"
        if change.bot:
            self.bots.add(change.login)
        self._status(change.login, change.status)

    def _status(self, login: str, status: Status) -> None:
        if status == "available":
            self.statuses.pop(login, None)
        else:
            self.statuses[login] = status

    def took_members(self, members: list[MemberView]) -> None:
        """The list of members was read from the broker."""
        self.members = {member.login: member.online for member in members}
        self.statuses = {member.login: member.status for member in members if member.status != "available"}
        self.bots = {member.login for member in members if member.bot}
        self.online = sum(self.members.values())

    def made_by(self, login: str) -> bool:
        """Whether the room was made by that person."""
        creator = self.view.creator if self.view else None
        return creator is not None and names.key(creator) == names.key(login)

    def moderated_by(self, login: str) -> bool:
        """Whether that person keeps order here without having made the room."""
        return names.key(login) in map(names.key, self.moderators)

    def writes(self, login: str, on: bool, now: int) -> None:
        """Somebody writes, or no longer does."""
        if on:
            self.writers[login] = now + int(TYPING_S * 1000)
        else:
            self.writers.pop(login, None)

    def writing(self, now: int) -> list[str]:
        """Who is writing at this time of the broker's clock."""
        return [login for login, until in self.writers.items() if until > now]

    # What was said

    def spoke(self, record: Record) -> None:
        """Somebody said something, so it matters when they go; and they are no longer writing it."""
        self.writers.pop(record.sender, None)
        self._spoke.pop(record.sender, None)
        self._spoke[record.sender] = record.time
        if len(self._spoke) > SPEAKERS:
            del self._spoke[next(iter(self._spoke))]

    def turned_to(self) -> None:
        """The person looks at its end: nothing is unread any more, and a line shows where the unread began."""
        if self.unread:
            self.unread_shown, self.unread, self.mentions = self.unread, 0, 0

    def left_alone(self) -> None:
        """The person looks elsewhere: what comes now will be unread."""
        self.unread_shown = 0
        if not self.unread:
            self.unread_from = 0

    def missed(self, record: Record) -> None:
        """A message came while the person looked elsewhere."""
        if not self.unread:
            self.unread_from = record.id
        self.unread += 1
        self.mentions += record.mention or self.private

    def recount(self, read: int) -> None:
        """Count anew what is unread, since it was read up to there, or since messages are no longer what they were."""
        unread = mentions = first = 0
        for index in range(len(self.records) - 1, -1, -1):
            record = self.records[index]
            if record.kind != "message" or not record.seq:
                continue
            if record.seq <= read:
                break
            if not record.mine and not record.retracted:
                unread, first = unread + 1, record.id
                mentions += record.mention or self.private
        self.unread, self.mentions = unread, mentions
        if unread:
            self.unread_from = first
        elif not self.unread_shown:
            self.unread_from = 0

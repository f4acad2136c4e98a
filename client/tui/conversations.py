"""One room or one private conversation, as the person sees it: its records, its people, what is unread.

Must not know the other conversations, nor how any of it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from client.tui.records import Record, Scrollback
from common.messages import Change, MemberView, RoomView, Roster

NAMED: Final = 8
"""People named in one notice; of more it says how many."""

_WHY: Final = {
    "": "",
    "left": "",
    "exit": "",
    "gone": "connection lost",
    "removed": "removed",
    "disabled": "account disabled",
}


@dataclass
class Conversation:
    """A room (`log` is its name) or what is said with one person (`log` is `@login`)."""

    log: str
    view: RoomView | None = None
    """The room as it was when joined; None for a private conversation."""
    subject: str = ""
    members: dict[str, bool] = field(default_factory=dict)
    """Login to presence; empty until it was read."""
    online: int = 0
    records: Scrollback = field(default_factory=Scrollback)
    unread: int = 0
    mentions: int = 0
    """How many of the unread name the person; in a private conversation all do."""
    unread_from: int = 0
    """The id of the first record that was unread when the conversation was last turned to."""
    unread_shown: int = 0
    draft: str = ""
    reading_back: bool = False
    """The person has scrolled up: what is above stays longer."""
    loading: bool = False
    """Older messages are being read."""
    loaded: bool = False
    """The newest messages of before were read."""
    _crowd: Crowd = field(default_factory=lambda: Crowd())
    _crowd_record: int = -1

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
    def more(self) -> bool:
        """Whether the broker may hold messages older than those here."""
        floor = self.view.since if self.view else 0
        return self.records.oldest is None or self.records.oldest > floor

    def roster(self, roster: Roster, me: str = "") -> list[str]:
        """Take in who came and went; returns the sentences for it. Nobody is told of their own coming.

        In the records, what follows upon each other is one notice, so that a restless night fills no screen.
        """
        now = Crowd()
        if self.records.last != self._crowd_record:
            self._crowd = Crowd()
        for change in roster.changes:
            self._member(change)
            if change.login != me:
                now.add(change)
                self._crowd.add(change)
        self.online = roster.online
        said = now.sentences()
        if said:
            text = "; ".join(self._crowd.sentences())
            if not self.records.amend(self._crowd_record, text, roster.time):
                added = self.records.add(Record("notice", roster.time, text))
                self._crowd_record = added.id if added else 0
        return said

    def _member(self, change: Change) -> None:
        if change.change == "left":
            self.members.pop(change.login, None)
        elif change.change != "status":
            self.members[change.login] = change.change != "offline"

    def took_members(self, members: list[MemberView]) -> None:
        """The list of members was read from the broker."""
        self.members = {member.login: member.online for member in members}
        self.online = sum(self.members.values())

    def turned_to(self) -> None:
        """The person looks at it: nothing is unread any more, and a line shows where the unread began."""
        self.unread_shown, self.unread, self.mentions = self.unread, 0, 0

    def left_alone(self) -> None:
        """The person looks elsewhere: what comes now will be unread."""
        self.unread_from = self.unread_shown = 0

    def missed(self, record: Record) -> None:
        """A message came while the person looked elsewhere."""
        if not self.unread:
            self.unread_from = record.id
        self.unread += 1
        self.mentions += record.mention or self.private


class Crowd:
    """Who came and went in a while, in few words."""

    def __init__(self) -> None:
        self._did: dict[str, str] = {}

    def add(self, change: Change) -> None:
        """One more change; presence alone is not worth a word."""
        before = self._did.get(change.login, "")
        if change.change == "joined":
            self._did[change.login] = "left and came back" if before.startswith("left") else "came in"
        elif change.change == "left":
            why = _WHY[change.reason]
            left = f"left ({why})" if why else "left"
            self._did[change.login] = "came and went" if before == "came in" else left

    def sentences(self) -> list[str]:
        """One sentence for each thing that some of them did."""
        by_deed: dict[str, list[str]] = {}
        for login, did in self._did.items():
            by_deed.setdefault(did, []).append(login)
        return [f"{_listed(who)} {did}" for did, who in by_deed.items()]


def _listed(logins: list[str]) -> str:
    if len(logins) > NAMED:
        return f"{', '.join(logins[:NAMED])} and {len(logins) - NAMED} more"
    return ", ".join(logins[:-1]) + " and " + logins[-1] if len(logins) > 1 else logins[0]

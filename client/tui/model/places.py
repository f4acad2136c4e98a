"""Which conversations there are, in which order they are listed, and which one is looked at.

Pure. Must not know what is said in them.
"""

from __future__ import annotations

from client.tui.model.conversations import Conversation
from common import names
from common.messages import RoomView


class Places:
    """The conversations of one person."""

    def __init__(self, default_room: str) -> None:
        self.default_room = default_room
        self.conversations: dict[str, Conversation] = {}
        self.current = default_room
        self.previous = ""

    @property
    def here(self) -> Conversation:
        """The conversation that is looked at."""
        return self.conversations.get(self.current) or self.open(self.current)

    @property
    def order(self) -> list[Conversation]:
        """All conversations as they are listed: the default room, other rooms, people."""
        return sorted(self.conversations.values(), key=lambda talk: (talk.private, talk.log != self.default_room))

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
        if self.previous == log:
            self.previous = ""

    def next_unread(self) -> Conversation | None:
        """Where to look next: rooms in which one is named, then private messages, then what else is unread.

        What somebody wants to be told nothing of is nothing to go to.
        """
        unread = [talk for talk in self.order if talk.unread and talk.log != self.current and talk.notify != "off"]
        return max(unread, key=lambda talk: (talk.mentions > 0 and not talk.private, talk.private), default=None)


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

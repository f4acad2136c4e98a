"""How far each conversation was read, kept over restarts, so that what came meanwhile is shown as unread.

A mark is the `seq` of the last message that was on the screen. Rooms are told apart by their number, since a
name may be used again. One file per account and broker, with numbers and names but no texts. Must not know how
anything is shown.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from client.tui.conversations import Conversation
from common import names

INBOX: Final = "@"
"""The mark of the whole inbox: for people without a mark of their own."""
MOST: Final = 2_000
"""Marks kept; those set longest ago go first."""


class Marks:
    """What was read, by conversation."""

    def __init__(self, known: Mapping[str, int] | None = None) -> None:
        self._marks = dict(known or {})
        self.changed = False
        """Whether there is something to save; whoever saves it sets this back."""

    @property
    def all(self) -> dict[str, int]:
        """What is to be kept."""
        return dict(list(self._marks.items())[-MOST:])

    def is_new(self, talk: Conversation, seq: int) -> bool:
        """Whether a message of before was never on the screen. Where nothing is known, nothing is new."""
        fallback = self._marks.get(INBOX) if talk.private else None
        mark = self._marks.get(_key(talk), fallback)
        return mark is not None and seq > mark

    def inbox_is_new(self, seq: int) -> bool:
        """The same for an entry of the inbox that belongs in no conversation."""
        return INBOX in self._marks and seq > self._marks[INBOX]

    def read(self, talk: Conversation, seq: int) -> None:
        """Everything up to `seq` is on the screen, or was."""
        self._set(_key(talk), seq)

    def unread(self, talk: Conversation, seq: int) -> None:
        """The message at `seq` was not seen: it, and what follows, is unread unless a mark says more."""
        if _key(talk) not in self._marks:
            self._set(_key(talk), seq - 1)

    def inbox(self, seq: int) -> None:
        """The inbox is known up to there."""
        self._set(INBOX, seq)

    def _set(self, key: str, seq: int) -> None:
        if seq > self._marks.get(key, -1):
            self._marks.pop(key, None)
            self._marks[key] = seq
            self.changed = True


def _key(talk: Conversation) -> str:
    return f"room {talk.view.id}" if talk.view else f"@{names.key(talk.peer)}"


def load(file: Path) -> Marks:
    """The marks in a file; none if it is missing, or not what it should be."""
    try:
        table = json.loads(file.read_bytes()[:1_000_000])
    except (OSError, ValueError):
        return Marks()
    if not isinstance(table, dict):
        return Marks()
    return Marks({key: seq for key, seq in table.items() if type(seq) is int and seq >= 0})


def save(marks: Marks, file: Path) -> None:
    """Put the marks in the place of those before. A disk that refuses is no reason to stop chatting."""
    marks.changed = False
    draft = ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        with os.fdopen(descriptor, "w") as new:
            json.dump(marks.all, new)
        os.replace(draft, file)
    except OSError:
        if draft and os.path.exists(draft):
            os.unlink(draft)

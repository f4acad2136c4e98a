"""Going from message to message by keys, and doing something to the one that is selected.

Must not know how it is marked on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from client.language import N_, _
from client.tui.commands import amending
from client.tui.model.records import Record, Scrollback
from client.tui.sitting import Sitting
from client.tui.text import clean, links

VERBS: Final[Mapping[str, str]] = {
    "r": N_("answer it"),
    "e": N_("edit it, if it is yours"),
    "d": N_("twice: take it back, if it is yours"),
    "+": N_("put an emoji to it, or take it away"),
    "o": N_("open the link in it"),
    "y": N_("copy it to the clipboard"),
    "q": N_("quote it in the line"),
    "s": N_("send it again, if it was refused"),
    "p": N_("write to its author in private"),
}
"""What letters do to the message that is selected."""


class Selection:
    """Which message is selected, if any."""

    def __init__(self, sitting: Sitting, show: Callable[[int], None]) -> None:
        """`show` brings the record of that id into view."""
        self._sitting = sitting
        self._show = show
        self.id = 0
        """The id of the record; 0 for none."""
        self._doomed = 0
        """The id of the record that the next `d` takes back."""

    def __bool__(self) -> bool:
        return self.record is not None

    @property
    def _records(self) -> Scrollback:
        return self._sitting.model.here.shown

    @property
    def record(self) -> Record | None:
        """The message that is selected; None if there is none, or no longer."""
        index = self._records.find(self.id) if self.id else None
        return None if index is None else self._records[index]

    def select(self, record: Record) -> None:
        """Select that one."""
        self.id = record.id
        self._doomed = 0
        self._show(record.id)

    def start(self) -> bool:
        """Select the newest message. Returns whether there is one."""
        return self._from(len(self._records), -1)

    def stop(self) -> None:
        """Select none."""
        self.id = self._doomed = 0

    def move(self, step: int) -> None:
        """Select the message above (-1) or below; below the newest there is none to select."""
        index = self._records.find(self.id)
        if index is not None and not self._from(index, step) and step > 0:
            self.stop()

    def move_far(self, step: int) -> None:
        """Several messages at a time."""
        for _time in range(10):
            index = self._records.find(self.id)
            if index is None or not self._from(index, step):
                return

    def _from(self, index: int, step: int) -> bool:
        index += step
        while 0 <= index < len(self._records):
            if self._records[index].kind == "message":
                self.select(self._records[index])
                return True
            index += step
        return False

    def links(self) -> list[str]:
        """The links in the message that is selected."""
        return links.found(clean.text(self.record.text)) if self.record is not None else []

    def reconsider(self) -> None:
        """Something else was done: the message stays, unless that is asked for twice again."""
        self._doomed = 0

    def take_back(self) -> str:
        """Take the message back, the second time: one key may be a slip. Returns what to say of it, if anything."""
        record = self.record
        if record is None:
            return ""
        if record.retracted:
            return _("it is taken back already")
        if record.fate == "pending":
            return _("it is on its way still")
        if self._doomed != record.id:
            self._doomed = record.id
            return _("d once more takes it back for everybody")
        talk = self._sitting.model.here
        amending.take_back(self._sitting, talk, record)
        return ""

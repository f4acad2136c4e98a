"""How far each conversation was read, and what of it is to be told: as the broker keeps it for all of one's devices.

What was read here and not told yet waits in `due`. A mark is the `seq` of the last message that was looked at, and only
grows. Must not know how anything is shown, nor when the broker is told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from common import names
from common.messages import Notify

LEFT_BEHIND: Final = 1_000_000
"""Bytes of an earlier version's file that are read."""


class Marks:
    """Marks by conversation: a room's name, or `@login`, however that is written."""

    def __init__(self) -> None:
        self._read: dict[str, int] = {}
        self._notify: dict[str, Notify | None] = {}
        self._due: dict[str, tuple[str, int]] = {}

    def read(self, log: str) -> int | None:
        """Up to where it was read; None if nobody ever said."""
        return self._read.get(names.key(log))

    def notify(self, log: str) -> Notify | None:
        """What of it is to be told; None if nobody ever said."""
        return self._notify.get(names.key(log))

    def told(self, log: str, read: int, notify: Notify | None) -> bool:
        """The broker says how a conversation is marked. Returns whether that is news."""
        key = names.key(log)
        news = read > self._read.get(key, 0) or notify != self._notify.get(key)
        if read:
            self._read[key] = max(read, self._read.get(key, 0))
        self._notify[key] = notify
        if key in self._due and self._due[key][1] <= read:
            del self._due[key]
        return news

    def seen(self, log: str, seq: int) -> None:
        """Everything up to `seq` was looked at here; the broker is to be told, unless it knows."""
        key = names.key(log)
        if seq > self._read.get(key, 0):
            self._read[key] = seq
            self._due[key] = (log, seq)
        else:
            self._read.setdefault(key, seq)

    def assume(self, log: str, seq: int) -> None:
        """Where nobody ever said, it was read up to there; nobody need be told."""
        self._read.setdefault(names.key(log), seq)

    def forget(self, log: str) -> None:
        """The room is gone, or left: what comes under its name is another one's."""
        for table in (self._read, self._notify, self._due):
            table.pop(names.key(log), None)

    @property
    def due(self) -> bool:
        """Whether the broker is to be told of something."""
        return bool(self._due)

    def take_due(self) -> list[tuple[str, int]]:
        """What the broker is to be told: conversation and `seq`. Each is given out once."""
        due, self._due = list(self._due.values()), {}
        return due

    def put_back(self, log: str, seq: int) -> None:
        """It could not be told; later, perhaps, unless there is more to tell by then."""
        self._due.setdefault(names.key(log), (log, seq))


def left_behind(file: Path) -> Mapping[str, int]:
    """The marks that an earlier version kept on this machine: `room ID`, `@login`, and `@` for the whole inbox."""
    try:
        table = json.loads(file.read_bytes()[:LEFT_BEHIND])
    except (OSError, ValueError):
        return {}
    if not isinstance(table, dict):
        return {}
    return {key: seq for key, seq in table.items() if type(seq) is int and seq >= 0}

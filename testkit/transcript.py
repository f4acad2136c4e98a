"""What was said in a test, by all and to all, for whoever reads why it failed. Must not know who was expected to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from client.link.updates import Arrived, Update
from common import messages as m

LINES: Final = 40
"""Lines that are shown, the newest."""
_WIDTH: Final = 200
"""Characters of a text that are shown."""


class Transcript:
    """Every entry of every log that one of the clients was told, once, in the broker's order."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, bytes], tuple[str, m.AnyEntry]] = {}

    def take(self, update: Update) -> None:
        """A client was told something."""
        if isinstance(update, Arrived):
            entry = update.entry
            nonce = b"%d" % entry.seq if isinstance(entry, m.Invited) else entry.nonce
            # What is private stands in two inboxes, under one nonce.
            self._entries.setdefault((entry.sender, nonce), (update.log, entry))

    def __str__(self) -> str:
        entries = sorted(self._entries.values(), key=lambda each: each[1].seq)
        lines = [_line(log, entry) for log, entry in entries]
        if not lines:
            return "Nothing was said so far."
        left = [f"  ({len(lines) - LINES} before)"] if len(lines) > LINES else []
        return "\n".join(["What was said, the newest last:", *left, *lines[-LINES:]])


def _line(log: str, entry: m.AnyEntry) -> str:
    match entry:
        case m.Edited():
            what = f"changes {entry.target} to: {_shown(entry.text)}"
        case m.Retracted():
            what = f"takes back {entry.target}"
        case m.Reacted():
            what = f"{'puts' if entry.on else 'takes'} {entry.emoji} {'to' if entry.on else 'from'} {entry.target}"
        case m.Invited():
            what = f"invites {log} to {entry.room}"
        case _:
            answers = f"(to {entry.reply_to}) " if entry.reply_to else ""
            what = f"{answers}{_shown(entry.text)}"
    where = f"to @{entry.to}" if isinstance(entry, m.DirectMessage) else log
    time = datetime.fromtimestamp(entry.time / 1000, UTC)
    return f"  {entry.seq:>4}  {time:%Y-%m-%d %H:%M:%S}  {where:<12}  {entry.sender:<12}  {what}"


def _shown(text: str) -> str:
    short = text if len(text) <= _WIDTH else text[:_WIDTH] + "…"
    return short if short.isprintable() else repr(short)

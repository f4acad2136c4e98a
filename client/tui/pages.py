"""Pages of history: what they bring to the conversations of a model.

A room's log has one conversation; one's inbox is dealt out to as many as there are people in it. Pure. Must not know
how a page was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from client.tui.model.conversations import Conversation
from client.tui.model.records import Scrollback
from client.tui.model.state import Model
from common import names, topics
from common.messages import AnyEntry, DirectMessage, Invited, Message


def take(model: Model, log: str, entries: Sequence[AnyEntry], before: int | None, more: bool) -> int:
    """Take in a page of a log, read below `before`. Returns how many records it brought to its conversation."""
    inbox = log.startswith(topics.INBOX)
    if not inbox and model.find(log) is None:
        return 0  # left meanwhile
    start = 0 if not more else entries[0].seq - 1 if entries else 0
    touched: dict[str, int] = {} if inbox else {log: 0}
    for entry in entries:
        if isinstance(entry, Invited):
            if before is None and entry.seq > (model.marks.read(log) or 0):
                model.invited(entry)
                model.marks.seen(log, entry.seq)
        elif isinstance(entry, (Message, DirectMessage)):
            talk = model.open(model.home(log, entry))
            record = talk.records.add(model.record(entry))
            touched[talk.log] = touched.get(talk.log, 0) + (record is not None)
            if record is not None and before is None:
                talk.spoke(record)
    if before is None:
        _recalled(model, touched)
    for talk in model.conversations.values():
        if talk.log in touched or (talk.private and inbox):
            oldest = talk.records.oldest
            if oldest is None or before is None or oldest < before:
                talk.records.oldest = start if oldest is None else min(start, oldest)
    return sum(touched.values())


def _recalled(model: Model, touched: Iterable[str]) -> None:
    """The newest messages of before are here: what is unread of them is counted."""
    for talk in (model.conversations[log] for log in touched):
        talk.recount(model.read(talk))
        if talk.log == model.current:
            model.attend()


def take_around(
    model: Model, talk: Conversation, before: Sequence[AnyEntry], after: Sequence[AnyEntry], older: bool, newer: bool
) -> Scrollback:
    """Look at an excerpt of a conversation: a page and the one that follows it. `older`, `newer`: there are more."""
    talk.excerpt = Scrollback()
    lengthen(model, talk, before, older)
    talk.excerpt_end = before[-1].seq if before else 0
    excerpt = talk.excerpt
    extend(model, talk, after, newer)
    return excerpt


def lengthen(model: Model, talk: Conversation, entries: Sequence[AnyEntry], more: bool) -> None:
    """Lengthen an excerpt by what stands before it."""
    if talk.excerpt is not None:
        _add(model, talk, entries, talk.excerpt)
        talk.excerpt.oldest = entries[0].seq - 1 if entries and more else 0


def extend(model: Model, talk: Conversation, entries: Sequence[AnyEntry], more: bool) -> None:
    """Lengthen an excerpt by what follows it; where it meets the newest messages, these are looked at again."""
    if talk.excerpt is None:
        return
    _add(model, talk, entries, talk.excerpt)
    if entries:
        talk.excerpt_end = entries[-1].seq
    held = talk.records.oldest
    if not more or (held is not None and talk.excerpt_end >= held):
        for index in range(len(talk.excerpt)):
            talk.records.add(talk.excerpt[index])
        if held is None or (talk.excerpt.oldest or 0) < held:
            talk.records.oldest = talk.excerpt.oldest
        talk.excerpt = None


def _add(model: Model, talk: Conversation, entries: Sequence[AnyEntry], records: Scrollback) -> None:
    log = topics.inbox(model.me) if talk.private else talk.log
    for entry in entries:
        if isinstance(entry, (Message, DirectMessage)) and names.key(model.home(log, entry)) == names.key(talk.log):
            records.add(model.record(entry))

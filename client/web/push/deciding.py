"""What of a message somebody is told while they do not look, and in which words.

The rule is the one of the terminal (`common.attention`); never of what one said oneself, of what was read already, or
of what may not be read. Edits ring nobody. Must not know subscriptions, sockets or the clock.
"""

from __future__ import annotations

from functools import lru_cache
from re import Pattern
from typing import NamedTuple

import msgspec

from client.tui.text import clean
from client.web.push.bounds import BODY_LENGTH, PADDED_BYTES
from common import attention, names, topics
from common import messages as m


class Notice(NamedTuple):
    """What is told of one message."""

    log: str
    talk: str
    seq: int
    sender: str
    text: str
    urgent: bool
    """Whether it is meant for this person in particular: worth waking a phone that saves power."""


def notice(state: m.SessionState, log: str, event: m.AnyEvent) -> Notice | None:
    """What to tell the account of an event of `log`; None if nothing."""
    if not isinstance(event, m.Message | m.DirectMessage) or event.retracted:
        return None
    me = names.key(state.login)
    if names.key(event.sender) == me:
        return None
    if isinstance(event, m.DirectMessage):
        if names.key(log) != names.key(f"{topics.INBOX}{state.login}"):
            return None
        talk = f"@{event.sender}"
    else:
        talk = log
    named = _naming(state.login).search(event.text) is not None
    found = Notice(log, talk, event.seq, event.sender, event.text, named or talk != log)
    return found if still(state, found) else None


def still(state: m.SessionState, told: Notice) -> bool:
    """Whether it is worth telling as things stand in `state`: not read, not switched off, not to be left in peace."""
    private = told.talk.startswith("@")
    marks: list[m.RoomView] | list[m.TalkView]
    if private:
        marks = [view for view in state.talks if names.key(view.talk) == names.key(told.talk)]
    else:
        marks = [view for view in state.rooms if names.key(view.name) == names.key(told.talk)]
        if not marks or told.seq <= marks[0].since:
            return False
    read, notify = (marks[0].read, marks[0].notify) if marks else (0, None)
    if told.seq <= read:
        return False
    named = _naming(state.login).search(told.text) is not None
    return attention.worth(attention.told(notify, private=private), state.status, named=named)


@lru_cache(maxsize=4_096)
def _naming(login: str) -> Pattern[str]:
    return attention.naming(login)


def payload(told: Notice, count: int) -> bytes:
    """What `sw.js` is sent of the newest of `count` messages of a conversation: JSON, whose length tells nothing."""
    private = told.talk.startswith("@")
    body = told.text if private else f"{told.sender}: {told.text}"
    said = {
        "title": clean.line(told.sender if private else f"#{told.talk}"),
        "body": _short(clean.line(body)),
        "talk": told.talk,
        "tag": told.talk,
        "seq": told.seq,
        "count": count,
    }
    content = msgspec.json.encode(said)
    return content + b" " * (-len(content) % PADDED_BYTES)


def _short(text: str) -> str:
    return text if len(text) <= BODY_LENGTH else f"{text[: BODY_LENGTH - 1]}…"

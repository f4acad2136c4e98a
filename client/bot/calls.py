"""Whether a message calls a command, and which: by the prefix, by naming the bot, or in private by the word alone.

Must not know which commands there are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from client.bot.things import Message
from common import names

_ADDRESS: Final = re.compile(r"\s*@(\w[\w.\-]*?)[,:]?(?:\s+|$)")
_WORD: Final = re.compile(r"\s*(\S+)[ \t]*")


@dataclass(frozen=True)
class Call:
    """What may be a command."""

    word: str
    line: str
    """What follows it."""
    prefixed: bool
    """Whether it began with the prefix."""
    meant: bool
    """Whether it was surely said to this bot: it was named, or it is private."""


def parse(message: Message, prefix: str, login: str) -> Call | None:
    """The call that a message may be; None if it is none."""
    text, named = message.text, False
    found = _ADDRESS.match(text)
    if found is not None and names.key(found[1]) == names.key(login):
        text, named = text[found.end() :], True
    prefixed = bool(prefix) and text.startswith(prefix)
    if prefixed:
        text = text[len(prefix) :]
    elif not named and not message.direct:
        return None
    if prefixed and text[:1].isspace():
        return None  # "! so what"
    word = _WORD.match(text)
    if word is None:
        return None
    return Call(word[1], text[word.end() :], prefixed, named or message.direct)

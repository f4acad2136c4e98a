"""`!help`, and which command somebody may have meant: made from the commands themselves.

Must not know who asks.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from client.bot import sentences
from client.bot.listeners import Command

NEAR: Final = 0.7
"""How much alike two words are, from 0 to 1, for one to be taken for a slip of the other."""
EXAMPLE: Final = "example:"
"""What a line of a docstring begins with that is an example; without one it is made from the parameters."""


def usage(command: Command, prefix: str) -> str:
    """How it is typed."""
    return f"{prefix}{command.title} {command.signature.usage}".rstrip()


def example(command: Command, prefix: str) -> str:
    """A line that works."""
    for line in command.help.splitlines():
        if line.strip().lower().startswith(EXAMPLE):
            return line.strip()[len(EXAMPLE) :].strip()
    return f"{prefix}{command.title} {command.signature.example}".rstrip()


def overview(commands: Sequence[Command], prefix: str) -> str:
    """A line for each command."""
    lines = [" · ".join(filter(None, (usage(each, prefix), each.summary))) for each in commands]
    return sentences.overview(sorted(lines), prefix)


def page(command: Command, prefix: str, cooldown: str) -> str:
    """All about one command."""
    told = "\n".join(line for line in command.help.splitlines() if not line.strip().lower().startswith(EXAMPLE))
    lines = [usage(command, prefix), told.strip(), sentences.example(example(command, prefix))]
    if command.aliases:
        lines.append(sentences.also(", ".join(prefix + each for each in command.aliases)))
    if command.require:
        lines.append(sentences.role(command.require))
    if cooldown:
        lines.append(sentences.limit(cooldown))
    return "\n".join(filter(None, lines))


def near(word: str, known: Sequence[str]) -> str | None:
    """The name that somebody may have meant; None if none is near."""
    found = difflib.get_close_matches(word.casefold(), known, 1, NEAR)
    return found[0] if found else None

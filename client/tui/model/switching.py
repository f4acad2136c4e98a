"""Which conversations are meant by some letters of their names.

Pure. Must not know how they are shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from client.tui.model.conversations import Conversation
from common import names


def rank(name: str, letters: str) -> tuple[int, int] | None:
    """How well letters fit a name: lower is better, None for not at all.

    The beginning of the name is best, then the beginning of a word in it, then anywhere, then letter by letter.
    """
    name, letters = names.key(name).lstrip("@"), names.key(letters).lstrip("#@")
    at = name.find(letters)
    if at == 0:
        return 0, len(name)
    if at > 0:
        return (1 if not name[at - 1].isalnum() else 2), len(name)
    found = -1
    for letter in letters:
        found = name.find(letter, found + 1)
        if found < 0:
            return None
    return 3, len(name)


def matching(talks: Sequence[Conversation], letters: str) -> list[Conversation]:
    """The conversations that are meant, the likeliest first; all of them for no letters, with news first."""
    letters = letters.strip()
    if not letters:
        return sorted(talks, key=lambda talk: (not talk.mentions, not talk.unread))
    ranked = [(found, index) for index, talk in enumerate(talks) if (found := rank(talk.log, letters)) is not None]
    return [talks[index] for _, index in sorted(ranked)]

"""What a form is made of: pages of fields, how each is judged, and what is done with them at the end.

Must not know how a form is drawn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

from common.errors import ChatError

Values = dict[str, str]
Check = Callable[[str, Values], str]
"""Gives the value as it is to be used, or raises `ChatError` with what is wrong; the other fields' texts beside it."""


@dataclass(frozen=True)
class Field:
    name: str
    label: str
    hint: str
    check: Check
    hidden: bool = False
    initial: str = ""
    choices: Sequence[str] = ()
    """If there are any, a letter picks one of them and space the next."""


@dataclass(frozen=True)
class Page:
    """One form. F2 turns to the next one; fields of the same name keep what was typed."""

    title: str
    other: str
    """What F2 does, in words."""
    fields: Sequence[Field]


class FieldRefused(ChatError):
    """What was handed over is refused, on account of one field."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


Submit = Callable[[Page, Values], Awaitable[None]]
"""Takes the checked values. Raises `ChatError`: the sentence is shown, and the form stays."""


def picker(choices: Sequence[str]) -> Callable[[Buffer], None] | None:
    """What turns a letter typed into the choice that begins with it."""
    if not choices:
        return None

    def pick(buffer: Buffer) -> None:
        typed = buffer.text[max(0, buffer.cursor_position - 1) : buffer.cursor_position].casefold()
        before = next((index for index, choice in enumerate(choices) if buffer.text.startswith(choice)), -1)
        if typed == " ":
            buffer.document = Document(choices[(before + 1) % len(choices)])
        else:
            picked = next((choice for choice in choices if choice.startswith(typed)), None)
            buffer.document = Document(picked if picked is not None else choices[before] if before >= 0 else "")

    return pick

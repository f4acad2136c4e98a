"""Completion of commands, rooms and people as the terminal's line asks for it, from what the model knows.

Popped up by itself after `#`, `/`, `@` and `:`; otherwise on Tab. Must not know what is proposed where
(`client.typed.completion`), nor how the menu is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from client.tui.model import switching
from client.tui.model.state import Model
from client.tui.text import clean, emoji
from client.typed.completion import proposals


class Completing(Completer):
    """Proposes what may stand at the cursor."""

    def __init__(self, model: Model) -> None:
        self._known = _Known(model)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        for each in proposals(document.text_before_cursor, self._known, complete_event.completion_requested):
            yield Completion(each.text, -each.replaces, each.shown, each.about)


class _Known:
    """The names that the model knows."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def rooms(self) -> Iterator[str]:
        yield from (talk.log for talk in self._model.order if not talk.private)
        yield from self._model.known_rooms

    def people(self) -> Iterator[str]:
        """First who is in the room, then everybody heard of."""
        known = dict.fromkeys(self._model.here.members)
        for talk in self._model.order:
            known.update(dict.fromkeys([talk.peer] if talk.private else talk.members))
        known.update(dict.fromkeys(self._model.known_users))
        known.pop(self._model.me, None)
        yield from known

    def speakers(self) -> Iterator[str]:
        shown = self._model.here.shown
        said = (shown[index] for index in range(len(shown) - 1, -1, -1))
        yield from (record.sender for record in said if record.seq)

    def talks(self, letters: str) -> Iterator[tuple[str, str]]:
        yield from ((talk.log, talk.title) for talk in switching.matching(self._model.order, letters))

    def emoji(self, letters: str) -> Iterator[tuple[str, str]]:
        yield from ((code, clean.line(sign)) for code, sign in emoji.beginning(letters))

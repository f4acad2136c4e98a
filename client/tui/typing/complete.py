"""Completion of commands, rooms and people, from the table of commands and the model.

Popped up by itself after `#`, `/` and `@`; otherwise on Tab. Must not know how the menu is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from client.language import _
from client.tui.model import switching
from client.tui.model.state import Model
from client.tui.text import clean, emoji
from client.typed.grammar import PREFIXES, Arg, Kind, Spec
from client.typed.table import TABLE
from common import names

MOST: Final = 200
"""Proposals at a time; nobody reads more."""


class Completing(Completer):
    """Proposes what may stand at the cursor."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor.lstrip()
        if text[:1] and text[0] in PREFIXES and text[1:2] != text[0]:
            yield from self._in_command(text)
            return
        word = document.get_word_before_cursor(WORD=True)
        first = document.text_before_cursor.strip() == word
        yield from self._in_text(word, first, complete_event.completion_requested)

    def _in_text(self, word: str, first: bool = False, requested: bool = False) -> Iterator[Completion]:
        """What a word of a message may become: an emoji, a room, a person."""
        if word.startswith(":"):
            yield from emojis(word)
        elif word.startswith("#"):
            yield from (Completion(f"#{room}", -len(word), f"#{room}") for room in self._rooms(word[1:]))
        elif word.startswith("@") or (requested and word):
            yield from self._people_in_text(word, first)

    def _in_command(self, text: str) -> Iterator[Completion]:
        found = TABLE.split(text)
        typed_on = found is not None and (text[-1] == " " or found[1] or "<" in text)
        if found is None or not typed_on:
            yield from _commands(text)
            return
        spec, rest = found
        yield from self._argument(spec, rest)

    def _argument(self, spec: Spec, rest: str) -> Iterator[Completion]:
        words = [word for word in rest.split(" ") if word]
        word = "" if not rest or rest.endswith(" ") else words.pop()
        words = [earlier for earlier in words if not earlier.startswith("--")]
        if word.startswith("-") or (not word and spec.flags):
            for flag, what in spec.flags.items():
                if flag.startswith(word) and flag not in rest.split(" ")[:-1]:
                    yield Completion(flag + " ", -len(word), flag, _(what))
        args = spec.args
        if args and args[0].kind is Kind.MESSAGE and args[0].optional and not (words or [word])[0].startswith("^"):
            args = args[1:]  # it was left out
        if args and args[-1].kind is Kind.TEXT and len(words) >= len(args) - 1:
            yield from self._in_text(word)
            return
        if len(words) >= len(args):
            return
        arg = args[len(words)]
        if word.startswith("<"):
            yield from (Completion(f"{login}> ", -len(word) + 1, login) for login in self._people(word[1:]))
        else:
            yield from self._values(arg, word)

    def _values(self, arg: Arg, word: str) -> Iterator[Completion]:
        match arg.kind:
            case Kind.USER:
                bare = word.removeprefix("@")
                yield from (Completion(f"{login} ", -len(word), login) for login in self._people(bare))
            case Kind.ROOM:
                bare = word.removeprefix("#")
                yield from (Completion(room, -len(word), f"#{room}") for room in self._rooms(bare))
            case Kind.COMMAND:
                for spec in TABLE:
                    if spec.name.casefold().lstrip(PREFIXES).startswith(word.casefold().lstrip(PREFIXES)):
                        yield Completion(spec.name, -len(word), spec.name, _(spec.help))
            case Kind.WORD | Kind.CHOICE:
                fits = (choice for choice in arg.choices if choice.startswith(word.casefold()))
                yield from (Completion(f"{choice} ", -len(word), choice) for choice in fits)
            case Kind.EMOJI:
                yield from emojis(word)
            case Kind.MESSAGE:
                speakers = self._speakers(word.removeprefix("^"))
                yield from (Completion(f"^{login} ", -len(word), f"^{login}") for login in speakers)
            case Kind.TALK:
                for talk in switching.matching(self._model.order, word):
                    yield Completion(talk.log, -len(word), talk.title)

    def _people_in_text(self, word: str, first: bool) -> Iterator[Completion]:
        bare = word.removeprefix("@")
        sign = "@" if word.startswith("@") else ""
        tail = ": " if first and not sign else " "
        for login in self._people(bare):
            yield Completion(f"{sign}{login}{tail}", -len(word), login)

    def _people(self, start: str) -> Iterator[str]:
        """Logins that begin so: first who is in the room, then everybody heard of."""
        known = dict.fromkeys(self._model.here.members)
        for talk in self._model.order:
            known.update(dict.fromkeys([talk.peer] if talk.private else talk.members))
        known.update(dict.fromkeys(self._model.known_users))
        known.pop(self._model.me, None)
        return _beginning(known, start)

    def _rooms(self, start: str) -> Iterator[str]:
        known = dict.fromkeys(talk.log for talk in self._model.order if not talk.private)
        known.update(dict.fromkeys(self._model.known_rooms))
        return _beginning(known, start)

    def _speakers(self, start: str) -> Iterator[str]:
        shown = self._model.here.shown
        said = (shown[index] for index in range(len(shown) - 1, -1, -1))
        return _beginning(dict.fromkeys(record.sender for record in said if record.seq), start)


def emojis(word: str) -> Iterator[Completion]:
    """Short-codes of emoji for what was typed after a colon; nothing for less than two letters."""
    if len(word) > 2 and not word.endswith(":"):
        for code, sign in emoji.beginning(word):
            yield Completion(f"{code} ", -len(word), f"{clean.line(sign)} {code}")


def _beginning(known: Iterable[str], start: str) -> Iterator[str]:
    key = names.key(start)
    found = 0
    for name in known:
        if names.key(name).startswith(key):
            yield name
            found += 1
            if found == MOST:
                return


def _commands(text: str) -> Iterator[Completion]:
    folded = text.casefold()
    for spec in TABLE:
        for name in (spec.name, *spec.aliases):
            if name.casefold().startswith(folded):
                yield Completion(name + ("" if not spec.args else " "), -len(text), spec.usage, _(spec.help))
                break

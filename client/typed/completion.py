"""What may stand where one types, proposed from the table of commands and from what is known of rooms and people.

The browser's `core/commands.js` proposes the same: tests/vectors/typed.json holds both. Must not know how what it
proposes is drawn, nor where names come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from client.language import _
from client.typed.grammar import PREFIXES, Arg, Kind, Spec
from client.typed.table import TABLE
from common import names

MOST: Final = 200
"""Proposals at a time; nobody reads more."""


@dataclass(frozen=True)
class Proposal:
    """Something that could stand in the place of the last `replaces` characters before the cursor."""

    text: str
    replaces: int
    shown: str
    """What people see of it."""
    about: str = ""
    """A sentence on it, in the language chosen."""


class Known(Protocol):
    """What names there are, those that are likelier meant first."""

    def rooms(self) -> Iterable[str]: ...

    def people(self) -> Iterable[str]:
        """Logins, without one's own."""

    def speakers(self) -> Iterable[str]:
        """Who said something in the current conversation, the last one first."""

    def talks(self, letters: str) -> Iterable[tuple[str, str]]:
        """The conversations that some letters may mean, each as it is typed and as it is shown."""

    def emoji(self, letters: str) -> Iterable[tuple[str, str]]:
        """Short-codes with their colons that some letters after a colon may mean, each with its emoji."""


def proposals(before: str, known: Known, requested: bool = False) -> Iterator[Proposal]:
    """What may stand at the cursor after `before`: by itself after `#`, `/`, `@` and `:`, and if it was `requested`."""
    text = before.lstrip()
    if text[:1] and text[0] in PREFIXES and text[1:2] != text[0]:
        yield from _in_command(text, known)
        return
    word = re.split(r"\s", before)[-1]
    yield from _in_text(word, known, before.strip() == word, requested)


def _in_text(word: str, known: Known, first: bool = False, requested: bool = False) -> Iterator[Proposal]:
    """What a word of a message may become: an emoji, a room, a person."""
    if word.startswith(":"):
        yield from _emoji(word, known)
    elif word.startswith("#"):
        yield from (Proposal(f"#{room}", len(word), f"#{room}") for room in _beginning(known.rooms(), word[1:]))
    elif word.startswith("@") or (requested and word):
        sign = "@" if word.startswith("@") else ""
        tail = ": " if first and not sign else " "
        for login in _beginning(known.people(), word.removeprefix("@")):
            yield Proposal(f"{sign}{login}{tail}", len(word), login)


def _in_command(text: str, known: Known) -> Iterator[Proposal]:
    found = TABLE.split(text)
    typed_on = found is not None and (text[-1] == " " or found[1] or "<" in text)
    if found is None or not typed_on:
        yield from _commands(text)
        return
    yield from _argument(*found, known)


def _commands(text: str) -> Iterator[Proposal]:
    folded = text.casefold()
    for spec in TABLE:
        for name in (spec.name, *spec.aliases):
            if name.casefold().startswith(folded):
                yield Proposal(name + ("" if not spec.args else " "), len(text), spec.usage, _(spec.help))
                break


def _argument(spec: Spec, rest: str, known: Known) -> Iterator[Proposal]:
    words = [word for word in rest.split(" ") if word]
    word = "" if not rest or rest.endswith(" ") else words.pop()
    words = [earlier for earlier in words if not earlier.startswith("--")]
    if word.startswith("-") or (not word and spec.flags):
        for flag, what in spec.flags.items():
            if flag.startswith(word) and flag not in rest.split(" ")[:-1]:
                yield Proposal(flag + " ", len(word), flag, _(what))
    args = spec.args
    if args and args[0].kind is Kind.MESSAGE and args[0].optional and not (words or [word])[0].startswith("^"):
        args = args[1:]  # it was left out
    if args and args[-1].kind is Kind.TEXT and len(words) >= len(args) - 1:
        yield from _in_text(word, known)
        return
    if len(words) >= len(args):
        return
    if word.startswith("<"):
        found = _beginning(known.people(), word[1:])
        yield from (Proposal(f"{login}> ", len(word) - 1, login) for login in found)
    else:
        yield from _values(args[len(words)], word, known)


def _values(arg: Arg, word: str, known: Known) -> Iterator[Proposal]:
    match arg.kind:
        case Kind.USER:
            found = _beginning(known.people(), word.removeprefix("@"))
            yield from (Proposal(f"{login} ", len(word), login) for login in found)
        case Kind.ROOM:
            found = _beginning(known.rooms(), word.removeprefix("#"))
            yield from (Proposal(room, len(word), f"#{room}") for room in found)
        case Kind.COMMAND:
            for spec in TABLE:
                if spec.name.casefold().lstrip(PREFIXES).startswith(word.casefold().lstrip(PREFIXES)):
                    yield Proposal(spec.name, len(word), spec.name, _(spec.help))
        case Kind.WORD | Kind.CHOICE:
            fits = (choice for choice in arg.choices if choice.startswith(word.casefold()))
            yield from (Proposal(f"{choice} ", len(word), choice) for choice in fits)
        case Kind.EMOJI:
            yield from _emoji(word, known)
        case Kind.MESSAGE:
            found = _beginning(known.speakers(), word.removeprefix("^"))
            yield from (Proposal(f"^{login} ", len(word), f"^{login}") for login in found)
        case Kind.TALK:
            yield from (Proposal(typed, len(word), shown) for typed, shown in known.talks(word))


def _emoji(word: str, known: Known) -> Iterator[Proposal]:
    """Emoji for what was typed after a colon; nothing for less than two letters."""
    if len(word) > 2 and not word.endswith(":"):
        for code, sign in known.emoji(word):
            yield Proposal(f"{code} ", len(word), f"{sign} {code}")


def _beginning(known: Iterable[str], start: str) -> Iterator[str]:
    key = names.key(start)
    found = 0
    for name in dict.fromkeys(known):
        if names.key(name).startswith(key):
            yield name
            found += 1
            if found == MOST:
                return

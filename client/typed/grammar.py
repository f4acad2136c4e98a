"""A typed line: something to say, a command with its arguments, or a mistake with advice.

The grammar knows the shape of commands, and its length is that of what they are made of; which there are is the matter
of `client.typed.table`. A line that begins like a command is never taken for a message, so a mistyped command cannot
end up in the room. The browser's `core/commands.js` reads lines the same way: tests/vectors/typed.json holds both.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from client.language import N_, _, sentence
from common import names
from common.errors import BadName

PREFIXES: Final = "#/"


class Kind(Enum):
    """What an argument is: it decides what is completed, and what is checked before anything is sent."""

    ROOM = auto()
    USER = auto()
    COMMAND = auto()
    NUMBER = auto()
    WORD = auto()
    CHOICE = auto()
    """One of the argument's choices."""
    MESSAGE = auto()
    """A message, with a caret: `^12`, `^ana`, `^`."""
    EMOJI = auto()
    TALK = auto()
    """A conversation, by its number or by letters of its name."""
    TEXT = auto()
    """The rest of the line, with its newlines."""


@dataclass(frozen=True)
class Arg:
    name: str
    kind: Kind
    optional: bool = False
    choices: tuple[str, ...] = ()
    """What is proposed, and for `CHOICE`, all that is possible."""

    def usage(self, translate: Callable[[str], str]) -> str:
        """What stands for it in a line that explains the command."""
        name = "|".join(self.choices) if self.kind is Kind.CHOICE else translate(self.name)
        name = f"^{name}" if self.kind is Kind.MESSAGE else name
        return f"[{name}]" if self.optional else f"<{name}>"


@dataclass(frozen=True)
class Spec:
    """One command: a row of the table that feeds parser, help and completion."""

    name: str
    """As it is typed, with its prefix; two words are possible (`#show users`)."""
    args: tuple[Arg, ...]
    help: str
    example: str
    aliases: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict)
    """Words beginning with `--`, each with what it does."""
    on_screen: bool = False
    """Whether it needs the terminal's full screen."""
    terminal: bool = False
    """Whether it makes sense in a terminal only: a browser has keys, links and windows of its own."""

    @property
    def usage(self) -> str:
        """How it is typed, in one line, in the language chosen."""
        return self.usage_in(_)

    def usage_in(self, translate: Callable[[str], str]) -> str:
        """The same in any language."""
        args = [arg.usage(translate) for arg in self.args]
        if self.name == r"#\private":
            return "{}{} {}".format(self.name, *args)
        return " ".join([self.name, *(f"[{flag}]" for flag in self.flags), *args])


@dataclass(frozen=True)
class Say:
    """A message for the current conversation."""

    text: str


@dataclass(frozen=True)
class Call:
    """A command, its arguments checked as far as that is possible here."""

    spec: Spec
    values: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Mistake:
    """What cannot be done, and what to type instead; lines for people."""

    lines: tuple[str, ...]


class Table:
    """All commands; looked up by name or alias, in any case."""

    def __init__(self, specs: Sequence[Spec]) -> None:
        self.specs = tuple(specs)
        self._by_name: dict[str, Spec] = {}
        for spec in specs:
            for name in (spec.name, *spec.aliases):
                if self._by_name.setdefault(name.casefold(), spec) is not spec:
                    raise ValueError(f"two commands are called {name}")

    def __iter__(self) -> Iterator[Spec]:
        return iter(self.specs)

    @property
    def names(self) -> list[str]:
        """Every name and alias, folded."""
        return list(self._by_name)

    def find(self, name: str) -> Spec | None:
        """The command of that name, alias, or name without its prefix."""
        folded = name.casefold()
        return self._by_name.get(folded) or self._by_name.get("/" + folded) or self._by_name.get("#" + folded)

    def near(self, name: str) -> Spec | None:
        """The command that was probably meant."""
        folded = name.casefold()
        if len(folded) < 2:
            return None
        swapped = ("#" if folded[:1] == "/" else "/") + folded[1:]
        if swapped in self._by_name:
            return self._by_name[swapped]
        found = difflib.get_close_matches(folded, self._by_name, n=1, cutoff=0.6)
        return self._by_name[found[0]] if found else None

    def split(self, line: str) -> tuple[Spec, str] | None:
        """Divide a line into a command and the rest; None if it begins with no command."""
        private = re.match(r"#(?:\\private|/?private(?=[\s<]|$))\s*", line, re.IGNORECASE)
        if private:
            rest = line[private.end() :]
            bracketed = re.match(r"<\s*([^>\s]*)\s*>\s*(.*)", rest, re.DOTALL)
            return self._by_name[r"#\private"], " ".join(bracketed.groups()).lstrip(" ") if bracketed else rest
        first = re.match(r"\S+", line)
        if first is None:
            return None
        two = re.match(r"(\S+)[ \t]+(\S+)", line)
        if two:
            spec = self._by_name.get(f"{two[1]} {two[2]}".casefold())
            if spec:
                return spec, line[two.end() :].lstrip(" \t")
        spec = self._by_name.get(first.group().casefold())
        return (spec, line[first.end() :].lstrip(" \t")) if spec else None

    def parse(self, line: str) -> Say | Call | Mistake | None:
        """Read a line as typed. None if there is nothing in it."""
        if not line.strip():
            return None
        start = line.lstrip()
        if start[0] not in PREFIXES:
            return Say(line)
        if start[1:2] == start[0]:
            return Say(start[1:])
        found = self.split(start)
        if found is None:
            return self._unknown(start)
        spec, rest = found
        try:
            values, flags = _arguments(spec, rest)
        except _Wrong as wrong:
            return Mistake(
                (
                    str(wrong),
                    _("Usage: {usage}   for example: {example}").format(usage=spec.usage, example=_(spec.example)),
                )
            )
        return Call(spec, values, flags)

    def _unknown(self, line: str) -> Mistake:
        word = line.split(maxsplit=1)[0]
        near = self.near(" ".join(line.split()[:2])) or self.near(word)
        none = _("There is no command {word}.").format(word=word)
        meant = _("Did you mean {usage}?").format(usage=near.usage) if near else _("/help lists all commands.")
        return Mistake((f"{none} {meant}", _("To say it as text, begin with {signs}").format(signs=line[0] * 2)))


class _Wrong(Exception):
    """The arguments do not fit; the sentence says why."""


def _arguments(spec: Spec, rest: str) -> tuple[dict[str, str], frozenset[str]]:
    flags: set[str] = set()
    values: dict[str, str] = {}
    missing = [arg for arg in spec.args if not arg.optional]
    for arg in (*spec.args, None):
        rest = _take_flags(spec, rest, flags)
        if arg is None or not rest:
            break
        if arg.kind is Kind.MESSAGE and arg.optional and not rest.startswith("^"):
            continue
        if arg.kind in (Kind.TEXT, Kind.COMMAND):
            values[arg.name], rest = rest if arg.kind is Kind.TEXT else " ".join(rest.split()), ""
        else:
            word, _space, rest = rest.partition(" ") if "\n" not in rest.split(" ", 1)[0] else rest.partition("\n")
            values[arg.name] = _checked(arg, word)
            rest = rest.lstrip(" \t")
    for arg in missing:
        if arg.name not in values:
            raise _Wrong(_("{command} needs {what}.").format(command=spec.name, what=_needed(arg)))
    if rest.strip():
        if spec.args and spec.args[-1].kind is Kind.ROOM:
            joined = "-".join([*values.values(), *rest.split()])
            raise _Wrong(_("A room's name has no spaces: perhaps {name}?").format(name=joined))
        said = _("{command} takes no more than that: '{rest}' is too much.")
        raise _Wrong(said.format(command=spec.name, rest=rest.strip()))
    return values, frozenset(flags)


def _take_flags(spec: Spec, rest: str, flags: set[str]) -> str:
    while rest.startswith("--"):
        word, _space, after = rest.partition(" ")
        word = word.strip().casefold()
        if word not in spec.flags:
            none = _("{command} has no option {word}.").format(command=spec.name, word=word)
            known = _("It knows {options}.").format(options=", ".join(spec.flags))
            raise _Wrong(f"{none} {known if spec.flags else _('It has no options.')}")
        flags.add(word)
        rest = after.lstrip()
    return rest


_NEEDED: Final = {Kind.ROOM: N_("a room's name"), Kind.USER: N_("a login")}


def _needed(arg: Arg) -> str:
    return _(_NEEDED[arg.kind]) if arg.kind in _NEEDED else arg.usage(_)


def _checked(arg: Arg, word: str) -> str:
    """An argument as the broker wants it: without the sign that people write before names."""
    if arg.kind is Kind.NUMBER:
        if not word.isascii() or not word.isdigit() or len(word) > 15:
            raise _Wrong(_("'{word}' is no number.").format(word=word))
        return word
    if arg.kind is Kind.CHOICE and word.casefold() not in arg.choices:
        raise _Wrong(_("'{word}' is none of {choices}.").format(word=word, choices=", ".join(arg.choices)))
    if arg.kind is Kind.CHOICE:
        return word.casefold()
    if arg.kind not in (Kind.ROOM, Kind.USER):
        return word
    sign = "#" if arg.kind is Kind.ROOM else "@"
    bare = word[1:-1] if word[0] == "<" and word[-1] == ">" else word.removeprefix(sign)
    if sign == "@":
        bare = bare.removesuffix(":")
    try:
        return names.parse(bare)
    except BadName as error:
        raise _Wrong(sentence(error)) from None

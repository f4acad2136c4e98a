"""What follows a command, made into a handler's arguments by its annotations; and the usage, made from the same.

    str int float bool      a word; quotes keep several together ("two words"), as in a shell
    Literal["a", "b"], Enum one of these
    User, Room              somebody by login, a room that the bot is in; `@` and `#` before the name are fine
    X | None                may be missing, and is None then
    *words: X               all words that are left
    *, text: str            the rest of the line as it was written

Must not know which command it is, nor who asks. The kinds stand together, each a few lines.
"""

from __future__ import annotations

import enum
import inspect
import math
import re
import types
import typing
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, Protocol

from client.bot.errors import BadArguments, BadHandler
from client.bot.functions import inner, named
from client.bot.functions import parameters as parameters_of
from client.bot.things import Room, User
from client.language import _

SHOWN: Final = 40
"""Characters of what somebody typed that are repeated to them."""
_QUOTES: Final = {'"': '"', "'": "'", "“": "”", "«": "»"}
_YES: Final = frozenset({"yes", "y", "true", "on", "1", "sí", "si"})
_NO: Final = frozenset({"no", "n", "false", "off", "0"})
_Empty: Final = inspect.Parameter.empty


class Finder(Protocol):
    """Who looks up people and rooms."""

    async def find_user(self, login: str) -> User | None:
        """Somebody who has an account."""

    def find_room(self, name: str) -> Room | None:
        """A room that the bot is in."""


class Word(NamedTuple):
    """A word, and where it begins and ends in the line."""

    text: str
    start: int
    end: int


def words(line: str) -> Iterator[Word]:
    """The words of a line. A quote counts at the beginning of a word if it is closed before a space or the end."""
    at = 0
    while (found := re.compile(r"\S").search(line, at)) is not None:
        start = found.start()
        closing = _QUOTES.get(line[start])
        end = re.compile(re.escape(closing) + r"(?=\s|$)").search(line, start + 1) if closing else None
        if end is not None:
            at = end.end()
            yield Word(line[start + 1 : end.start()], start, at)
        else:
            space = re.compile(r"\s").search(line, start)
            at = space.start() if space else len(line)
            yield Word(line[start:at], start, at)


@dataclass(frozen=True)
class Kind:
    """How one annotation is read."""

    shown: str
    """How it is written in the usage, if it is something fixed."""
    example: str
    read: Callable[[str, str, Finder], Awaitable[Any]]
    """Of the parameter's name and the word. Raises `BadArguments`."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a handler after the context."""

    name: str
    kind: Kind
    default: Any
    many: bool
    """`*words`."""
    rest: bool
    """`*, text: str`."""

    @property
    def required(self) -> bool:
        """Whether something must be given."""
        return self.default is _Empty and not self.many

    @property
    def usage(self) -> str:
        """As it stands in the usage."""
        shown = (self.kind.shown or self.name) + ("…" if self.many or self.rest else "")
        return f"<{shown}>" if self.required else f"[{shown}]"


class Signature:
    """The parameters of a handler after the context."""

    def __init__(self, function: Callable[..., Any], given: int = 1, local: dict[str, Any] | None = None) -> None:
        """`given` is how many parameters are not typed by people: the context, and an event.

        `local` are the names where the handler is defined. Raises `BadHandler` for what cannot be typed.
        """
        self.name = named(function)
        parameters = parameters_of(function)
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        if len(parameters) < given or any(each.kind not in positional for each in parameters[:given]):
            first = ", ".join(("ctx", "event")[:given])
            raise BadHandler(f"{self.name}: a handler takes {first} first: def {self.name}({first}, …)")
        self.parameters = [self._parameter(function, each, local or {}) for each in parameters[given:]]
        if sum(each.rest for each in self.parameters) > 1:
            raise BadHandler(f"{self.name}: only one parameter can be the rest of the line.")
        if any(each.rest for each in self.parameters) and any(each.many for each in self.parameters):
            raise BadHandler(f"{self.name}: either *words or the rest of the line, not both.")

    def _parameter(self, function: Callable[..., Any], given: inspect.Parameter, local: dict[str, Any]) -> Parameter:
        if given.kind is inspect.Parameter.VAR_KEYWORD:
            raise BadHandler(f"{self.name}: **{given.name} cannot be typed by anybody.")
        annotation = _resolved(function, given.annotation, local)
        plain, optional = _without_none(annotation)
        kind = _kind(plain)
        rest = given.kind is inspect.Parameter.KEYWORD_ONLY
        if kind is None or (rest and plain not in (str, _Empty)):
            if rest:
                raise BadHandler(f"{self.name}: {given.name}, the rest of the line, is a str, not {annotation!r}.")
            raise BadHandler(
                f"{self.name}: {given.name} is {annotation!r}; expected str, int, float, bool, Literal, Enum, User, "
                "Room, or one of these | None."
            )
        default = None if optional and given.default is _Empty else given.default
        return Parameter(given.name, kind, default, given.kind is inspect.Parameter.VAR_POSITIONAL, rest)

    @property
    def usage(self) -> str:
        """The parameters as they are shown to people; empty without any."""
        return " ".join(each.usage for each in self.parameters)

    @property
    def example(self) -> str:
        """Words that fit."""
        return " ".join(
            str(each.default)
            if isinstance(each.default, (int, float, str))
            and each.default != ""
            and not isinstance(each.default, (bool, enum.Enum))
            else each.kind.example
            for each in self.parameters
        )

    async def read(self, line: str, finder: Finder) -> tuple[list[Any], dict[str, Any]]:
        """The arguments for what was typed. Raises `BadArguments` with the sentence to show."""
        left = list(words(line))
        after = 0
        args: list[Any] = []
        named: dict[str, Any] = {}
        for each in self.parameters:
            if each.rest:
                text = line[left[0].start :].strip() if left else ""
                left = []
                named[each.name] = text or self._missing(each)
            elif each.many:
                args += [await each.kind.read(each.name, word.text, finder) for word in left]
                left = []
            elif left:
                word = left.pop(0)
                after = word.end
                args.append(await each.kind.read(each.name, word.text, finder))
            else:
                args.append(self._missing(each))
        if left:
            raise BadArguments(_("{word} is more than this takes.").format(word=shown(line[after:].strip())))
        return args, named

    def _missing(self, parameter: Parameter) -> Any:
        if parameter.required:
            raise BadArguments(_("{name} is missing.").format(name=parameter.name))
        return parameter.default

    async def read_named(self, groups: dict[str, str | None], finder: Finder) -> dict[str, Any]:
        """The arguments for the named groups of a pattern; those that took no part are left to their defaults."""
        return {
            each.name: await each.kind.read(each.name, found, finder)
            for each in self.parameters
            if (found := groups.get(each.name)) is not None
        } | {
            each.name: None if each.default is _Empty else each.default
            for each in self.parameters
            if groups.get(each.name) is None
        }


def shown(text: str) -> str:
    """What somebody typed, in quotes, cut if it is long."""
    line = " ".join(text.split())
    return f"'{line if len(line) <= SHOWN else line[: SHOWN - 1] + '…'}'"


def _resolved(function: Callable[..., Any], annotation: Any, local: dict[str, Any]) -> Any:
    """An annotation that was written, or left, as text."""
    while isinstance(annotation, str):  # twice, if it has quotes of its own
        try:
            annotation = eval(annotation, getattr(inner(function), "__globals__", {}), local)
        except Exception as error:
            raise BadHandler(
                f"{named(function)}: the annotation {annotation!r} cannot be read here: {error}."
            ) from None
    return annotation


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        left = [each for each in typing.get_args(annotation) if each is not type(None)]
        if len(left) == 1 and len(left) < len(typing.get_args(annotation)):
            return left[0], True
    return annotation, False


def _kind(annotation: Any) -> Kind | None:
    for known, kind in _PLAIN.items():  # not looked up: some annotations have no hash
        if annotation is known:
            return kind
    if typing.get_origin(annotation) is Literal:
        return _choice({str(each): each for each in typing.get_args(annotation)})
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _choice({each.name.lower(): each for each in annotation if each.name})
    return None


def _choice(choices: dict[str, Any]) -> Kind | None:
    if not choices:
        return None

    async def read(name: str, word: str, finder: Finder) -> Any:
        for written, value in choices.items():
            if written.casefold() == word.casefold():
                return value
        said = _("{name} must be one of {choices}, not {word}.")
        raise BadArguments(said.format(name=name, choices=", ".join(choices), word=shown(word)))

    return Kind("|".join(choices), next(iter(choices)), read)


async def _text(name: str, word: str, finder: Finder) -> str:
    return word


async def _whole(name: str, word: str, finder: Finder) -> int:
    try:
        return int(word)
    except ValueError:
        said = (
            _("{name} must be a whole number, not {word}.")
            if _is_number(word)
            else _("{name} must be a number, not {word}.")
        )
        raise BadArguments(said.format(name=name, word=shown(word))) from None


async def _number(name: str, word: str, finder: Finder) -> float:
    if not _is_number(word):
        raise BadArguments(_("{name} must be a number, not {word}.").format(name=name, word=shown(word)))
    return float(word.replace(",", "."))


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word.replace(",", ".")))
    except ValueError:
        return False


async def _truth(name: str, word: str, finder: Finder) -> bool:
    if word.casefold() in _YES or word.casefold() in _NO:
        return word.casefold() in _YES
    raise BadArguments(_("{name} must be yes or no, not {word}.").format(name=name, word=shown(word)))


async def _user(name: str, word: str, finder: Finder) -> User:
    found = await finder.find_user(word.removeprefix("@"))
    if found is None:
        raise BadArguments(_("{name}: there is no user {word}.").format(name=name, word=shown(word)))
    return found


async def _room(name: str, word: str, finder: Finder) -> Room:
    found = finder.find_room(word.removeprefix("#"))
    if found is None:
        raise BadArguments(_("{name}: I am in no room {word}.").format(name=name, word=shown(word)))
    return found


_PLAIN: Final[dict[Any, Kind]] = {
    _Empty: Kind("", "text", _text),
    str: Kind("", "text", _text),
    int: Kind("", "2", _whole),
    float: Kind("", "1.5", _number),
    bool: Kind("yes|no", "yes", _truth),
    User: Kind("@login", "@ana", _user),
    Room: Kind("#room", "#lobby", _room),
}

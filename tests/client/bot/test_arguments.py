"""What follows a command becomes arguments, by the handler's annotations."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.bot import BadArguments, BadHandler, Context, Room, User
from client.bot.arguments import Signature, words
from common import messages as m


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


def room(name: str) -> Room:
    view = m.RoomView(
        id=7, name=name, kept=True, private=False, open=False, subject="", creator="ana", head=0, online=1,
        joined=True, since=0,
    )  # fmt: skip
    return Room(view, None, None)  # type: ignore[arg-type]


class Circle:
    """Ana has an account, and the bot is in the lobby."""

    async def find_user(self, login: str) -> User | None:
        return User("ana") if login.lower() == "ana" else None

    def find_room(self, name: str) -> Room | None:
        return room("lobby") if name == "lobby" else None


async def number(ctx: Context, n: int = 1, sides: int = 6) -> None: ...
async def two(ctx: Context, first: str, second: str) -> None: ...
async def rest(ctx: Context, to: User, *, text: str) -> None: ...
async def rest_or_not(ctx: Context, *, text: str = "nothing") -> None: ...
async def many(ctx: Context, *numbers: float) -> None: ...
async def choice(ctx: Context, side: Literal["heads", "tails"], colour: Colour = Colour.RED) -> None: ...
async def perhaps(ctx: Context, who: User | None, on: bool | None) -> None: ...
async def where(ctx: Context, room: Room) -> None: ...
async def untyped(ctx, word) -> None: ...  # type: ignore[no-untyped-def]


LINES: list[tuple[Callable[..., Any], str, list[Any], dict[str, Any]]] = [
    (number, "", [1, 6], {}),
    (number, " 2   20 ", [2, 20], {}),
    (number, "-3", [-3, 6], {}),
    (two, "a b", ["a", "b"], {}),
    (two, '"a b" c', ["a b", "c"], {}),
    (two, "'a b' \"c d\"", ["a b", "c d"], {}),
    (two, "“a b” «c d»", ["a b", "c d"], {}),
    (two, "don't can't", ["don't", "can't"], {}),
    (two, "5\" 'half", ['5"', "'half"], {}),
    (two, "a\nb", ["a", "b"], {}),
    (rest, "@Ana  keep   this  'as it is ", [User("ana")], {"text": "keep   this  'as it is"}),
    (rest_or_not, "", [], {"text": "nothing"}),
    (many, "1 2.5 -3", [1.0, 2.5, -3.0], {}),
    (many, "", [], {}),
    (choice, "HEADS blue", ["heads", Colour.BLUE], {}),
    (perhaps, "", [None, None], {}),
    (perhaps, "ana yes", [User("ana"), True], {}),
    (perhaps, "ana off", [User("ana"), False], {}),
    (where, "#lobby", [room("lobby")], {}),
    (untyped, "word", ["word"], {}),
]  # fmt: skip


@pytest.mark.parametrize(("function", "line", "args", "named"), LINES)
async def test_a_line_becomes_arguments(
    function: Callable[..., Any], line: str, args: list[Any], named: dict[str, Any]
) -> None:
    assert await Signature(function).read(line, Circle()) == (args, named)


@pytest.mark.parametrize(
    ("function", "line", "said"),
    [
        (number, "x", "n must be a number, not 'x'."),
        (number, "1.5", "n must be a whole number, not '1.5'."),
        (number, "1 2 3 4", "'3 4' is more than this takes."),
        (two, "one", "second is missing."),
        (rest, "ana", "text is missing."),
        (rest, "eva hi", "to: there is no user 'eva'."),
        (many, "1 nan", "numbers must be a number, not 'nan'."),
        (choice, "edge", "side must be one of heads, tails, not 'edge'."),
        (perhaps, "ana maybe", "on must be yes or no, not 'maybe'."),
        (where, "attic", "room: I am in no room 'attic'."),
        (number, "y" * 100, f"n must be a number, not '{'y' * 39}…'."),
    ],
)
async def test_what_does_not_fit_is_said(function: Callable[..., Any], line: str, said: str) -> None:
    with pytest.raises(BadArguments) as refused:
        await Signature(function).read(line, Circle())
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("function", "usage", "example"),
    [
        (number, "[n] [sides]", "1 6"),
        (two, "<first> <second>", "text text"),
        (rest, "<@login> <text…>", "@ana text"),
        (many, "[numbers…]", "1.5"),
        (choice, "<heads|tails> [red|blue]", "heads red"),
        (perhaps, "[@login] [yes|no]", "@ana yes"),
    ],
)
async def test_usage_and_example_are_made_from_the_same(function: Callable[..., Any], usage: str, example: str) -> None:
    signature = Signature(function)
    assert (signature.usage, signature.example) == (usage, example)
    await signature.read(example, Circle())


def none() -> None: ...
def keyword(*, ctx: Context) -> None: ...
def options(ctx: Context, **options: str) -> None: ...
def strange(ctx: Context, when: list[int]) -> None: ...
def counted(ctx: Context, *, n: int) -> None: ...
def twice(ctx: Context, *, a: str, b: str) -> None: ...
def both(ctx: Context, *words: str, text: str) -> None: ...
def unknown(ctx: Context, x: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (none, "a handler takes ctx first: def none(ctx, …)"),
        (keyword, "a handler takes ctx first"),
        (options, "**options cannot be typed"),
        (strange, "when is list[int]; expected str, int"),
        (counted, "n, the rest of the line, is a str"),
        (twice, "only one parameter can be the rest"),
        (both, "either *words or the rest"),
        (unknown, "the annotation 'Nowhere' cannot be read here"),
    ],
)
def test_what_nobody_could_type_is_refused_where_it_is_written(function: Callable[..., Any], said: str) -> None:
    with pytest.raises(BadHandler) as refused:
        Signature(function)
    assert said in str(refused.value)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Z", "C"], exclude_characters="\"'“«"), min_size=1)))
def test_words_without_quotes_are_what_split_gives(parts: list[str]) -> None:
    assert [word.text for word in words("  ".join(parts))] == "  ".join(parts).split()


@given(st.text())
def test_no_line_is_too_strange_and_words_stand_where_they_say(line: str) -> None:
    last = 0
    for word in words(line):
        assert last <= word.start < word.end <= len(line)
        assert word.text in line[word.start : word.end]
        last = word.end
    assert not line[last:].strip()

"""`docs/BOTS.md` says what the SDK has: its tables are held to the code, and its code runs as it stands."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import client.bot
from client.bot import Bot, Context, Event, Message, Room, Store, User, loading
from client.bot.lanes import AT_ONCE, LANE
from client.bot.pacing import AT_ONCE as POSTS_AT_ONCE
from client.bot.things import EVENTS
from client.bot.threads import THREADS
from common import limits, scopes
from testkit import BotTest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "BOTS.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(table: str) -> list[list[str]]:
    """The cells of a table, by the mark before it; without its head."""
    text = PAGE.split(f"<!-- {table} -->", 1)[1].split("<!--", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[1:]]


def named(table: str) -> list[str]:
    """The names in the first column, without what is in parentheses."""
    return [name for row in rows(table) for name in re.findall(r"`\"?(\w+)[^`]*`", row[0])]


def members(kind: type) -> set[str]:
    """The public members of a class, those set where it is made included."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    made = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
    }
    every = {*made, *vars(kind), *getattr(kind, "__annotations__", {})}
    return {name for name in every if not name.startswith("_")} - {"waits"}


@pytest.mark.parametrize("kind", [Context, Message, User, Room, Store])
def test_every_member_is_on_the_page_and_no_other(kind: type) -> None:
    found = named(kind.__name__)
    assert len(set(found)) == len(found)
    assert set(found) == members(kind)


@pytest.mark.parametrize("kind", [Context, Store, User, Room, Message])
def test_what_a_member_takes_is_what_the_page_says(kind: type) -> None:
    for row in rows(kind.__name__):
        for name, given in re.findall(r"`(\w+)\(([^`]*)\)`", row[0]):
            said = [part.strip() for part in given.split(",") if part.strip()]
            parameters = list(inspect.signature(getattr(kind, name)).parameters.values())[1:]
            assert said == [_shown(each) for each in parameters], name


def _shown(parameter: inspect.Parameter) -> str:
    default = parameter.default
    if default is parameter.empty:
        return parameter.name
    written = f"{default:g}" if type(default) is float else '""' if default == "" else str(default)
    return f"{parameter.name}={written}"


@pytest.mark.parametrize("decorator", ["command", "on_message"])
def test_every_option_of_a_decorator_is_on_the_page(decorator: str) -> None:
    assert named(decorator) == [*inspect.signature(getattr(Bot, decorator)).parameters][1:]


def test_every_option_of_a_bot_is_on_the_page_with_its_default() -> None:
    parameters = list(inspect.signature(Bot).parameters.values())
    assert named("Bot") == [each.name for each in parameters]
    assert [ast.literal_eval(row[1].strip("`")) for row in rows("Bot")] == [each.default for each in parameters]


def test_every_event_is_on_the_page_with_what_it_has() -> None:
    assert sorted(named("events")) == sorted(EVENTS)
    filled = {each.name for each in fields(Event)} - {"kind", "time", "user", "room"}
    said = {name for row in rows("events") for name in re.findall(r"`(\w+)`", row[2])}
    assert said == filled


class Named:
    """People and rooms whatever they are called."""

    async def find_user(self, login: str) -> User | None:
        return User(login)

    def find_room(self, name: str) -> Room | None:
        return Room(None, None, None)  # type: ignore[arg-type]


async def test_the_kinds_of_arguments_take_what_the_page_says() -> None:
    from client.bot.arguments import Signature

    tried = 0
    for annotation, _, example in rows("arguments"):
        for written in re.findall(r"`([^`]*)`", annotation) or ["str"]:
            written = written.replace("\\|", "|").replace("Enum", "Colour").replace("| None", "int | None")
            parameter = written if written.startswith("*") else f"x: {written}"
            source = f"async def handler(ctx, {parameter.replace('X', 'int')}): ..."
            scope: dict[str, Any] = {}
            exec(
                "import enum\nfrom typing import Literal\nfrom client.bot import Room, User\n"
                "class Colour(enum.Enum):\n    RED = 1\n" + source,
                scope,
            )
            await Signature(scope["handler"]).read(example.strip("`"), Named())
            tried += 1
    assert tried == 11


@pytest.mark.parametrize(
    ("words", "bound"),
    [
        ("posts on their way at once", POSTS_AT_ONCE),
        ("messages that wait in one room", LANE),
        ("comings, goings, topics that wait", LANE),
        ("handlers of messages at once", AT_ONCE),
        ("plain `def` handlers at once", THREADS),
    ],
)
def test_bounds(words: str, bound: int) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {words}")]
    assert re.search(r"\d+", row.split("|")[2])[0] == str(bound)  # type: ignore[index]


def test_limits_are_called_by_their_names() -> None:
    for name in re.findall(r"`([A-Z]+_[A-Z_]+)`", PAGE):
        assert name.startswith("TERTULIA_") or hasattr(limits, name), name


def blocks() -> Iterator[str]:
    """The pieces of Python that stand before the page turns to tests and to other programs."""
    yield from re.findall(r"```python\n(.*?)```", PAGE.split("## Testing")[0], re.DOTALL)


async def test_the_code_of_the_page_is_code_that_works(tmp_path: Path) -> None:
    head = "import random\nfrom client.bot import *\nbot = Bot('page', rooms=['ops'])\n"
    pieces = [block for block in blocks() if "bot = Bot(" not in block]
    assert len(pieces) >= 5
    file = tmp_path / "page.py"
    file.write_text(head + "\n".join(pieces))
    (found,) = loading.load(file)
    async with BotTest(found.bot) as t:
        await t.person("mona", moderator_of=["ops"])
        await t.dialogue("mona", [("!roll 2 1", "2")], "ops")
        await t.dialogue("mona", [("deploy prod", "Deploying prod for mona.")], "ops")
        ana = await t.person("ana")
        assert "Welcome, @mona" in [post.text for post in await ana.history()]


@pytest.mark.parametrize("page", ["BOTS.md", "README.md"])
async def test_the_first_bot_answers(page: str, tmp_path: Path) -> None:
    folder = "docs" if page == "BOTS.md" else "."
    text = (Path(__file__).parents[3] / folder / page).read_text(encoding="utf-8")
    block = re.search(r"```python\n(from client import Bot\n.*?)```", text, re.DOTALL)
    assert block is not None
    file = tmp_path / f"first_{page[:3].lower()}.py"
    file.write_text(block[1])
    (found,) = loading.load(file)
    try:
        async with BotTest(found.bot) as t:
            await t.dialogue("ana", [("!hello", "Hello, @ana")], "lobby")
    finally:
        sys.modules.pop(file.stem, None)


def test_the_page_imports_all_that_authors_need() -> None:
    lines = re.findall(r"^from client\.bot import (.+)$", PAGE, re.M)
    assert sorted(", ".join(lines).split(", ")) == [
        name for name in client.bot.__all__ if name not in ("Clock", "Store")
    ]


def test_the_page_gives_commands_their_arguments_in_order() -> None:
    (given,) = re.findall(r"`/invite (\w+) (\w+)`", PAGE)
    (usage,) = re.findall(r"^\| `/invite <(\w+)> \[(\w+)\]`", README, re.M)
    assert (usage, given) == (("user", "room"), ("dice", "ROOM"))


def test_every_scope_of_a_bot_is_on_the_page() -> None:
    (table,) = re.findall(r"^\| scope of a key .*\n(?:\|.*\n)+", PAGE, re.M)
    named = re.findall(r"`(\w+)(?::ROOM)?`", "\n".join(row.split("|")[1] for row in table.splitlines()))
    assert named == [each.partition(":")[0] for each in scopes.ALL if each != scopes.ACCOUNT]


def test_all_that_is_exported_is_there() -> None:
    assert all(hasattr(client.bot, name) for name in client.bot.__all__)

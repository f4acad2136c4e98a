"""What can be a handler: what is refused when it is decorated, what is called how, and what raises more than errors."""

from __future__ import annotations

import asyncio
import enum
import functools
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest

from client.bot import BadHandler, Bot, Context
from testkit import BotTest


class Empty(enum.Enum):
    """Nothing to choose from."""


async def _yields(ctx: Any) -> Any:
    yield ctx


def _plainly_yields(ctx: Any) -> Any:
    yield ctx


class Greeter:
    """Handlers as methods, and an object that can be called."""

    def __init__(self, word: str) -> None:
        self.word = word

    async def greet(self, ctx: Context) -> None:
        await ctx.reply(f"{self.word} by a method")

    async def __call__(self, ctx: Context) -> None:
        await ctx.reply(f"{self.word} by an object")


async def _said(ctx: Any, word: str, n: int = 1) -> None:
    await ctx.reply(f"{word} {n}")


def _fits(ctx: Any) -> None:
    """Nothing is wrong with it."""


async def _odd(ctx: Any, x: Any) -> None:
    """Its parameter is given an annotation below."""


def _with(annotation: Any) -> Callable[..., Any]:
    made = functools.partial(_odd)

    async def odd(ctx: Any, x: Any) -> None:
        await made(ctx, x)

    odd.__annotations__["x"] = annotation
    return odd


@pytest.mark.parametrize(
    "decorate",
    [
        lambda bot: bot.command(_yields),
        lambda bot: bot.command(_plainly_yields),
        lambda bot: bot.on_message(_plainly_yields),
        lambda bot: bot.every("5m")(_plainly_yields),
        lambda bot: bot.on_error(_yields),
        lambda bot: bot.command(Greeter.greet),
        lambda bot: bot.command(Greeter),
        lambda bot: bot.command(lambda ctx: None),
        lambda bot: bot.command("!roll")(_fits),
        lambda bot: bot.command("x", cooldown=5)(_fits),
        lambda bot: bot.command("x", rooms=[5])(_fits),
        lambda bot: bot.command(_with(Annotated[int, []])),
        lambda bot: bot.command(_with(Empty)),
        lambda bot: bot.command(_with(Literal[()])),
        lambda bot: bot.on_event(_fits),
        lambda bot: bot.on_event("join")("no function"),
        lambda bot: bot.every(_fits),
        lambda bot: bot.every(None)(_fits),
        lambda bot: bot.every(True)(_fits),
        lambda bot: bot.on_message(b"x")(_fits),
        lambda bot: bot.on_message(5)(_fits),
        lambda bot: Bot(prefix=None),  # type: ignore[arg-type]
        lambda bot: Bot(prefix=" "),
    ],
)
def test_what_cannot_work_is_refused_where_it_is_written(decorate: Callable[[Any], Any]) -> None:
    with pytest.raises(BadHandler) as refused:
        decorate(Bot())
    assert len(str(refused.value)) > 10


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator as people write them: plain, around what is async."""

    @functools.wraps(function)
    def wrapper(*args: Any, **words: Any) -> Any:
        return function(*args, **words)

    return wrapper


async def test_methods_partials_objects_and_wrapped_functions_are_handlers() -> None:
    bot = Bot("b")
    bot.command(Greeter("hi").greet)
    bot.command("object")(Greeter("ho"))
    bot.command("partial")(functools.partial(_said, n=3))
    bot.command("plain")(lambda ctx: ctx.reply("from a thread"))
    bot.command("wrapped")(wrapped(_said))
    async with BotTest(bot) as t:
        await t.dialogue(
            "ana",
            [
                ("!greet", "hi by a method"),
                ("!object", "ho by an object"),
                ("!partial yes", "yes 3"),
                ("!plain", "from a thread"),
                ("!wrapped yes 2", "yes 2"),
            ],
        )


async def test_a_plain_function_that_returns_a_coroutine_is_told_of() -> None:
    bot = Bot("b")

    async def never(ctx: Any) -> None:
        await ctx.reply("never")

    @bot.command
    def outer(ctx: Any) -> Any:
        return never(ctx)

    async with BotTest(bot) as t:
        ana = await t.person("ana")
        await ana.say("!outer")
        assert (await ana.hears()).text.startswith("Something went wrong")


@pytest.mark.parametrize("error", [SystemExit(3), BaseException("x"), asyncio.CancelledError(), StopIteration()])
@pytest.mark.parametrize("plain", [False, True])
async def test_whatever_a_handler_raises_the_bot_goes_on(error: BaseException, plain: bool) -> None:
    bot = Bot("b", start="resume")

    async def fail(ctx: Any) -> None:
        raise error

    def fail_in_a_thread(ctx: Any) -> None:
        raise error

    bot.command("fail")(fail_in_a_thread if plain else fail)

    @bot.command
    async def ok(ctx: Context) -> None:
        await ctx.reply("ok")

    async with BotTest(bot) as t:
        ana = await t.person("ana")
        await ana.say("!fail")
        if not isinstance(error, asyncio.CancelledError):
            assert (await ana.hears()).text.startswith("Something went wrong")
        await t.dialogue(ana, [("!ok", "ok")])


async def test_a_thread_that_raises_what_is_for_the_process_fails_alone() -> None:
    bot = Bot("b")

    @bot.command
    def interrupted(ctx: Any) -> None:
        raise KeyboardInterrupt

    @bot.command
    def leave(ctx: Any) -> None:
        sys.exit("bye")

    async with BotTest(bot) as t:
        ana = await t.person("ana")
        for line in ("!interrupted", "!leave"):
            await ana.say(line)
            assert (await ana.hears()).text.startswith("Something went wrong")


def test_an_annotation_may_have_quotes_of_its_own() -> None:
    bot = Bot()

    @bot.command
    async def who(ctx: Context, n: "int") -> None:  # noqa: UP037 - people write it
        """Whose annotations are text twice."""

    assert bot.listeners.commands[0].signature.parameters[0].kind.example == "2"

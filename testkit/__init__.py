"""The test kit for bots: people, rooms and time around a bot, in memory by the broker's own rules, or on a real broker.

    async with BotTest(bot) as t:
        ana = await t.person("ana")
        await ana.say("!roll 1 1")
        assert (await ana.hears()).text == "1"

The only package that knows both the broker and the client. Importing it is cheap; its parts are loaded when they are
first asked for. Must not know pytest, but for `plugin.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testkit.kit import BotTest
    from testkit.person import Person
    from testkit.seen import Change, Post

__all__ = ["BotTest", "Change", "Person", "Post"]
_WHERE = {"BotTest": "kit", "Person": "person", "Change": "seen", "Post": "seen"}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        from importlib import import_module

        return getattr(import_module(f"testkit.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

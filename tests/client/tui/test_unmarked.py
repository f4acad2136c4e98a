"""The real client in a language that nobody speaks: whatever is still in Latin letters was forgotten, or is a name.

`tests/client/test_language.py` finds unmarked sentences by reading the code; this finds single words too, on the
screens that people see, with a real broker behind them.
"""

from __future__ import annotations

import argparse
import asyncio
import re

import pytest

from broker.app import EmbeddedBroker
from client import language
from client.command_line import parser
from client.link.chat import ChatClient
from client.tui.app import Entrance
from common.addresses import Address
from tests.client.tui.forms.test_login import ACCOUNT, F2, ask
from tests.client.tui.headless import Headless
from tests.client.tui.test_app import PASSWORD, made, sitting_down
from tests.support import pseudolocale
from tests.support.pseudolocale import pseudo, words


@pytest.fixture(autouse=True)
def spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    pseudolocale.speak(monkeypatch)


def test_it_is_seen_what_is_marked() -> None:
    assert words(pseudo("{name} has %(count)s rooms")) == {"name", "count"}
    assert words(pseudo("Create a room")) == set()
    assert words("Create a room") == {"Create", "room"}


def test_the_forms() -> None:
    async def act(terminal: Headless) -> None:
        screen = await terminal.see("plaza", pseudo("New account"))
        terminal.press("\r".join(ACCOUNT[:5]) + "\r151")
        screen += await terminal.see(pseudo("An age is a number"))
        terminal.press("\x15" + "29\rq")
        screen += await terminal.see(pseudo("you and the operator see it"))
        terminal.press(F2)
        screen += await terminal.see(pseudo("Log in"))
        assert words(screen) == {"plaza", "ana", "Ana"}
        terminal.press("\x03")

    assert ask(act, may_remember=True) == (False, [])


def test_the_help_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(argparse, "_", language._)
    monkeypatch.setattr(argparse, "ngettext", language.ngettext)
    top = parser()
    names = {"chat", "register", "send", "tail", "rooms", "users", "completion", "tertulia"}
    flags = {word for action in top._actions for flag in action.option_strings for word in words(flag)}
    choices = {word for action in top._actions for word in action.choices or ()}
    assert words(top.format_help()) <= names | flags | choices


def left(screen: str) -> set[str]:
    """The Latin words of a screen that are neither names here, nor commands, flags and what is typed with them."""
    spoken = re.sub(r"(?<!\w)[#/@^:-][\\\w:-]+", " ", screen)
    return {word for word in words(spoken) - NAMES if not "lobby".startswith(word)}  # what lies over it cuts it


NAMES = {"ana", "Ana", "bruno", "Pérez", "lobby", "chess", "hola", "nada", "ms", "Tab", "Esc", "tertulia", "users"}
"""Who and what there is in these tests."""

TYPED = (
    ("/rooms", "default room"),
    ("/users", "here now"),
    ("/members", "here now"),
    ("/whois bruno", "here now"),
    ("/profile", "seen by you and the operator only"),
    ("/sessions", "this one"),
    ("/topic", "has no topic"),
    ("/create --keep --private chess", "Nobody else knows"),
    ("/topic hola", "set the topic"),
    ("/delete lobby", "cannot be left, hidden or deleted"),
    ("/leave", "You left"),
    ("/help join", "for example"),
    ("/jion chess", "Did you mean"),
    ("/join", "a room's name"),
    ("/away", "You are away"),
    ("/unread", "Nothing is unread"),
    ("/links", "There are no links here"),
    ("/search nada", "Nothing was found for"),
    ("/notify all", "You are told of every message"),
    ("/seen off", "Nobody sees when you were last here"),
)
"""What is typed, and a piece of what is then said."""
AFTER_A_MESSAGE = (
    ("/last 1", "The last message here"),
    ("/retract", "message deleted"),
)


def test_the_full_screen() -> None:
    async def run(address: Address) -> None:
        await made(address, "bruno")
        entrance = Entrance(address, keep_token=lambda login, token: None)
        async with sitting_down(entrance) as ana, ChatClient(address, "bruno", PASSWORD):
            await ana.see(pseudo("New account"))
            ana.press("\r".join(["ana", PASSWORD, PASSWORD, "Ana", "Pérez", "30", pseudo("other")[0]]) + "\r")
            await ana.see(f"✓ {pseudo('other')}")
            ana.press("\r")
            found: dict[str, set[str]] = {}
            found["start"] = left(await ana.see("#lobby ▸", "bruno"))
            for typed, expected in TYPED:
                ana.press("\x15/clear\r")
                await ana.terminal.see_no(pseudo(expected))
                ana.press(typed + "\r")
                found[typed] = left(await ana.see(pseudo(expected)))
            ana.press("\x15hola\r")
            await ana.terminal.until(lambda screen: re.search(r"ana +hola +│", screen) is not None)  # acknowledged
            for typed, expected in AFTER_A_MESSAGE:
                ana.press(typed + "\r")
                found[typed] = left(await ana.see(pseudo(expected)))
            for keys, title in (("\x1bOP", "Keys"), ("/help\r", "Commands")):
                ana.press("\x15" + keys)
                found[title] = left(await ana.see(pseudo(title), pseudo("Esc: back")))
                ana.press("\x1b")
                await ana.terminal.see_no(pseudo("Esc: back"))
            assert {typed: words for typed, words in found.items() if words} == {}
            ana.press("\x15")
            assert await ana.left() == 0

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker.address))

"""The real client in a language that nobody speaks: whatever is still in Latin letters was forgotten, or is a name.

`tests/client/test_language.py` finds unmarked sentences by reading the code; this finds single words too, on the
screens that people see, with a real broker behind them.
"""

from __future__ import annotations

import argparse

import pytest

from client import language
from client.cli import parser
from tests.client.tui.headless import Headless
from tests.client.tui.test_login import ACCOUNT, F2, ask
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

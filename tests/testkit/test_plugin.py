"""The pytest plugin, in a pytest of its own: as an author of a bot uses it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import unmeasured

ROOT = Path(__file__).parents[2]
BOT = """
from client.bot import Bot

bot = Bot("greeter")


@bot.command
async def hello(ctx, name: str = "world"):
    "Greet somebody."
    await ctx.reply(f"Hello, {name}!")
"""
DICE = """
import random

from client.bot import Bot

bot = Bot()


@bot.command
async def roll(ctx, n: int = 1, sides: int = 6):
    "Roll dice."
    await ctx.reply(str(sum(random.randint(1, sides) for _ in range(n))))
"""
TEST = """
import asyncio
import threading

from greeter import bot


def test_hello(bot_test):
    async def scenario():
        async with bot_test(bot) as t:
            await t.dialogue("ana", [("!hello", "Hello, world!"), ("!hello you", "Hello, you!")])
            print("threads:", any(thread.name == "reactor" for thread in threading.enumerate()))

    asyncio.run(scenario())


def test_what_fails(bot_test):
    async def scenario():
        async with bot_test(bot, login="other", real=False) as t:
            ana = await t.person("ana")
            await ana.say("!hello")
            assert (await ana.hears()).sender == "other"
            await ana.hears()

    asyncio.run(scenario())
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "greeter.py").write_text(BOT)
    (tmp_path / "test_greeter.py").write_text(TEST)
    return tmp_path


def pytested(project: Path, *flags: str) -> str:
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "-p", "no:tertulia", *flags]
    environment = {**unmeasured.environment(), "PYTHONPATH": os.pathsep.join((str(ROOT), str(project)))}
    done = subprocess.run(
        [*command, "-p", "testkit.plugin"], cwd=project, env=environment, capture_output=True, text=True, timeout=120
    )
    return done.stdout + done.stderr


def test_the_pages_example_is_run_as_it_stands(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "BOTS.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(# test_dice.py\n.*?)```", page, re.DOTALL)
    (tmp_path / "test_dice.py").write_text(example)
    (tmp_path / "dice.py").write_text(DICE)
    assert "1 passed" in pytested(tmp_path)


@pytest.mark.parametrize("real", [False, True], ids=["in memory", "real"])
def test_the_fixture_and_the_option(project: Path, real: bool) -> None:
    said = pytested(project, *(["--tertulia-real"] if real else []))
    assert "1 failed, 1 passed" in said
    assert f"threads: {real}" in said
    assert "AssertionError: ana hears nothing." in said
    assert "(to 1) Hello, world!" in said


def test_the_option_is_explained(project: Path) -> None:
    assert "--tertulia-real" in pytested(project, "--help")


def test_the_plugin_costs_nothing_until_a_test_asks(project: Path) -> None:
    (project / "test_greeter.py").write_text(
        "import sys\n\n\ndef test_nothing():\n    assert not {'client', 'broker', 'zmq'} & set(sys.modules)\n"
    )
    assert "1 passed" in pytested(project)


def test_it_is_a_plugin_of_the_distribution() -> None:
    import configparser

    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    name, module = settings["options.entry_points"]["pytest11"].strip().split(" = ")
    assert (name, module) == ("tertulia", "testkit.plugin")

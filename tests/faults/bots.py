"""Kills a bot that resumes again and again, and now and then the broker; each question is answered once, in order.

Several people ask in rooms and in private all the while, and wait for nobody. Each answer is two messages, so that the
bot may die between them. At the end the checker reads the logs on disk, and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client import ChatClient
from common import messages as m
from tests.faults.bot_answering import QUESTION
from tests.faults.bot_process import BotProcess, add_bot
from tests.faults.bots_checker import Rule, Verdict, judge
from tests.faults.broker_process import BrokerProcess
from tests.faults.history import final_logs
from tests.support import unlimited
from tests.support.patience import PATIENCE_S

BOT: Final = "oracle"
ROOMS: Final = ("plaza", "patio")
PEOPLE: Final = ("ana", "bruno", "carla", "dario")
LIFE_S: Final = 2.5
"""Seconds that the bot lives at the most after it has begun to serve."""
UNBORN: Final = 0.15
"""Share of the kills that do not wait until it serves."""
BROKER: Final = 0.1
"""Share of the kills in which the broker is killed as well."""
PATIENT_S: Final = 3 * PATIENCE_S
"""Seconds that a message may take, with a broker that is killed under it."""
LOOK_S: Final = 0.5
SHOWN: Final = 20
"""Broken promises that are printed one by one."""


@dataclass
class Figures:
    """What a run was, and what the checker made of it."""

    kills: int
    of_the_broker: int
    seconds: float
    verdict: Verdict

    def lines(self) -> list[str]:
        """For people to read."""
        broken = [violation.rule for violation in self.verdict.violations]
        return [
            f"kills -9 of the bot      {self.kills:,}",
            f"of the broker with it    {self.of_the_broker:,}",
            f"questions                {self.verdict.asked:,}",
            f"of these in private      {self.verdict.in_private:,}",
            f"missed                   {broken.count(Rule.MISSED):,}",
            f"doubled                  {broken.count(Rule.DOUBLED):,}",
            f"out of order, or other   {broken.count(Rule.ORDER) + broken.count(Rule.PHANTOM):,}",
            f"time                     {self.seconds:,.0f} s",
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this scenario."""
    parser.add_argument("--kills", type=int, default=200, help="how often the bot is killed (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="decides the moments (default: 1)")
    parser.add_argument("--pause", type=float, default=0.15, help="seconds between two questions (default: 0.15)")


def run(arguments: argparse.Namespace) -> int:
    """The scenario; 1 if a promise was broken."""
    directory = Path(tempfile.mkdtemp(prefix="tertulia-bots-"))
    print(f"seed {arguments.seed}; logs in {directory}", flush=True)
    figures = perform(directory, arguments.kills, arguments.seed, arguments.pause, told=True)
    print("\n".join(figures.lines()))
    for violation in figures.verdict.violations[:SHOWN]:
        print(violation)
    if figures.verdict.violations:
        print(f"{len(figures.verdict.violations)} broken promises; the logs are kept in {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


def perform(directory: Path, kills: int, seed: int, pause_s: float = 0.15, *, told: bool = False) -> Figures:
    """Run it in an empty directory. Raises RuntimeError if the bot ends by itself."""
    with BrokerProcess(unlimited.toml(grace_s=60), directory=directory) as broker:
        figures = asyncio.run(_perform(broker, kills, random.Random(seed), pause_s, told))
        broker.terminate()
        figures.verdict = judge(final_logs(broker.data / "tertulia.db"), BOT)
        return figures


async def _perform(broker: BrokerProcess, kills: int, chance: random.Random, pause_s: float, told: bool) -> Figures:
    key = broker.directory / f"{BOT}.key"
    await asyncio.to_thread(add_bot, broker, BOT, key)
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        chats = [await stack.enter_async_context(_person(broker, login)) for login in PEOPLE]
        for room in ROOMS:
            await chats[0].create(room, kept=True)
            for chat in chats[1:]:
                await chat.join(room)
        bot = BotProcess("tests.faults.bot_answering", key, broker.directory / "bot.log", ROOMS)
        stack.callback(bot.close)
        await _serves(bot)
        enough = asyncio.Event()
        talking = [asyncio.create_task(_talk(chat, random.Random(chance.random()), pause_s, enough)) for chat in chats]
        of_the_broker = 0
        for number in range(kills):
            if chance.random() >= UNBORN:
                await _serves(bot)
            await asyncio.sleep(chance.triangular(0, LIFE_S, 0))
            bot.kill()
            if chance.random() < BROKER:
                of_the_broker += 1
                await asyncio.to_thread(broker.kill)
                # The bot may find no broker yet.
                bot.start()
                await asyncio.to_thread(broker.start)
            else:
                bot.start()
            if told and (number + 1) % 20 == 0:
                print(f"  {number + 1} kills after {time.monotonic() - began:.0f} s", flush=True)
        enough.set()
        await asyncio.gather(*talking)
        await _answered(broker)
        if status := await asyncio.to_thread(bot.terminate):
            raise RuntimeError(f"the bot ended with status {status}: {bot.log.read_text()[-4_000:]}")
    return Figures(kills, of_the_broker, time.monotonic() - began, Verdict([], 0, 0))


def _person(broker: BrokerProcess, login: str) -> ChatClient:
    account = m.Register(
        login=login, password="correct horse", first_names=login, surnames="P", age=30, gender="undisclosed"
    )
    return ChatClient(broker.address, register=account)


async def _serves(bot: BotProcess) -> None:
    if not await asyncio.to_thread(bot.serving.wait, PATIENCE_S):
        raise RuntimeError(f"the bot does not serve: {bot.log.read_text()[-4_000:]}")


async def _talk(chat: ChatClient, chance: random.Random, pause_s: float, enough: asyncio.Event) -> None:
    """Ask here and there, each question once, whatever is killed."""
    places: Sequence[str] = (*ROOMS, f"@{BOT}")
    number = 0
    while not enough.is_set():
        place, text = chance.choice(places), f"{QUESTION} {chat.login}-{number}"
        number += 1
        post = chat.direct(BOT, text) if place.startswith("@") else chat.post(place, text)
        await chat.deliver(post, PATIENT_S)
        await asyncio.sleep(chance.expovariate(1 / pause_s))


async def _answered(broker: BrokerProcess) -> None:
    """Wait until no question lacks its answer, or until that cannot be expected any more."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        verdict = await asyncio.to_thread(lambda: judge(final_logs(broker.data / "tertulia.db"), BOT))
        if not any(violation.rule is Rule.MISSED for violation in verdict.violations):
            return
        await asyncio.sleep(LOOK_S)

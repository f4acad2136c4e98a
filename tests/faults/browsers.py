"""Three browsers and a terminal talk while gateway, broker, network, tabs and disks fail: each text is said once.

Two devices of one person, one of them with two tabs, a second person, and a third at a terminal write to a room and to
one another. By chance from a seed gateway and broker are killed, lines are cut, tabs are frozen, loaded anew and closed
while they send, disks and clocks fail, a room is deleted and made anew. Promised: in the end every text that was on a
disk was said once, in its order; everybody shows what the broker has, nothing waits, and the devices count the same as
unread. Needs Playwright and a Chromium. What fails and how it is judged stand together, which makes its length.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from tests.browser.app import App
from tests.browser.chromium import DESKTOP, PHONE, executable, holds, launched, opened
from tests.browser.terminal import Terminal
from tests.faults.browsers_page import CATCH, CHANGE, DISK, HISTORY, POST, STATE, UNSAFE
from tests.support.gateway import Broker, Served

ROOM: Final = "chaos"
SHIFTING: Final = "shifting"
"""Is deleted and made anew: what was written for the old one may be refused."""
SETTLED_S: Final = 60.0
"""How long after the last fault everything must be said."""
PEERS: Final = {"ana": "ben", "ben": "ana"}
STEPS: Final = (
    ["post"] * 12 + ["change"] * 4 + ["read"] * 3 + ["terminal", "offline", "offline", "online", "reload", "reload"]
    + ["close", "freeze", "gateway", "broker", "both", "pause", "disk", "clock", "shift"]
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much."""
    parser.add_argument("--rounds", type=int, default=3, help="rounds, each with a seed (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=40, help="steps of a round (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first round (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Run the rounds; 1 if a promise was broken, 2 without a Chromium."""
    if executable() is None:
        print("chromium is not installed")
        return 2
    broken = 0
    for seed in range(arguments.seed, arguments.seed + arguments.rounds):
        with tempfile.TemporaryDirectory() as directory:
            said, took, faults = asyncio.run(chaos(Path(directory), seed, arguments.steps))
        print(f"seed {seed}: {said} texts; agreed {took:.1f} s after the last fault; {len(faults)} broken", flush=True)
        for fault in faults:
            print(f"BROKEN: {fault}")
        broken += len(faults)
    return 1 if broken else 0


async def chaos(directory: Path, seed: int, steps: int) -> tuple[int, float, list[str]]:
    """One round: how many texts were typed, seconds until all agreed, and what was broken."""
    broker = Broker(directory / "broker")
    world = World(broker, Served(directory / "gateway.log", broker), random.Random(seed))
    try:
        async with AsyncExitStack() as stack:
            await world.begin(stack, directory)
            for _ in range(steps):
                await world.step()
            took, faults = await world.settle()
        return len(world.typed), took, faults
    finally:
        world.gateway.end()
        world.broker.end()


class Tab:
    """One page, and what was typed there."""

    def __init__(self, app: App, login: str) -> None:
        self.app, self.page, self.login = app, app.page, login
        self.offline = False

    async def ready(self) -> None:
        """Wait until the client behind the page has begun."""
        await holds(self.page, "globalThis.caught && caught.me")


class World:
    """Servers, people, and what they typed."""

    def __init__(self, broker: Broker, gateway: Served, chance: random.Random) -> None:
        self.broker, self.gateway, self.chance = broker, gateway, chance
        self.tabs: list[Tab] = []
        self.typed: list[tuple[int, str, str, str]] = []
        """By which tab, by whom, where, what."""
        self.doubtful: set[str] = set()
        """What was on no disk when its page ended, or was taken back, or was written for a room that is no more."""

    async def begin(self, stack: AsyncExitStack, directory: Path) -> None:
        """Everybody is in the rooms."""
        browser = await stack.enter_async_context(launched())
        for login, new, options in (("ana", True, PHONE), ("ana", False, DESKTOP), ("ben", True, PHONE)):
            watched = await stack.enter_async_context(opened(browser, self.gateway.url, **options))
            await watched.context.add_init_script(CATCH)
            app = App(watched, self.gateway.url)
            await app.arrive(login, new=new)
            self.tabs.append(Tab(app, login))
            await self.tabs[-1].ready()
        second = App(self.tabs[0].app.watched, self.gateway.url)
        second.page = await second.context.new_page()
        await second.look("lobby")
        self.tabs.append(Tab(second, "ana"))
        await second.page.evaluate("navigator.serviceWorker.ready")
        ben = self.tabs[2].page
        for room in (ROOM, SHIFTING):
            await ben.evaluate("(room) => caught.create(room, { kept: true })", room)
            await self.tabs[0].page.evaluate("(room) => caught.join(room)", room)
        await asyncio.to_thread(self.broker.register, "cleo")
        self.terminal = await Terminal.started(self.broker.address, "cleo", directory / "cleo")
        stack.push_async_callback(self.terminal.end)
        self.terminal.says(f"/join {ROOM}")
        self.terminal.says("first words")
        await self.terminal.hears("first words")

    async def step(self) -> None:
        """One thing that people do, or that fails."""
        what = self.chance.choice(STEPS)
        at = self.chance.randrange(len(self.tabs))
        if what == "terminal":
            text = f"t{len(self.typed)} of cleo"
            self.typed.append((-1, "cleo", ROOM, text))
            self.terminal.says(text)
        elif what == "pause":
            await asyncio.sleep(self.chance.random() * 1.5)
        elif what in ("gateway", "broker", "both"):
            await self.kill(what)
        else:
            await getattr(self, f"_{what}")(at, self.tabs[at])

    async def kill(self, what: str) -> None:
        """`kill -9`, a moment without, and a start."""
        # What is posted to one that stands still is under way when it dies.
        dying = [self.gateway.program.process] * (what != "broker") + [self.broker.process] * (what != "gateway")
        for process in dying:
            process.send_signal(signal.SIGSTOP)
        for at, tab in enumerate(self.tabs):
            await self._post(at, tab)
        await asyncio.sleep(self.chance.random())
        if what != "broker":
            await asyncio.to_thread(self.gateway.kill)
        if what != "gateway":
            await asyncio.to_thread(self.broker.end, 9)
        for at, tab in enumerate(self.tabs):
            await self._post(at, tab)
        if what != "gateway":
            self.broker = await asyncio.to_thread(self.broker.again)
        if what != "broker":
            await asyncio.to_thread(self.gateway.start)

    async def _post(self, at: int, tab: Tab) -> None:
        key = self.chance.choice([ROOM, ROOM, f"@{PEERS[tab.login]}", SHIFTING])
        texts = [f"t{len(self.typed) + each} of {tab.login} at {at}" for each in range(self.chance.randrange(1, 5))]
        if not await tab.page.evaluate(POST, [key, texts]):
            return
        self.typed += [(at, tab.login, key, text) for text in texts]
        if key == SHIFTING:
            self.doubtful.update(texts)

    async def _change(self, at: int, tab: Tab) -> None:
        what = self.chance.choice(["edit", "retract", "react"])
        changed = await tab.page.evaluate(CHANGE, [ROOM, what])
        if changed and what == "retract":
            self.doubtful.add(changed)

    async def _read(self, at: int, tab: Tab) -> None:
        await tab.page.evaluate("(key) => caught.read(key, caught.talks.get(key)?.head ?? 0)", ROOM)

    async def _offline(self, at: int, tab: Tab) -> None:
        tab.offline = True
        await tab.app.context.set_offline(True)
        await self._post(at, tab)

    async def _online(self, at: int, tab: Tab) -> None:
        for each in self.tabs:
            if each.app.context is tab.app.context:
                each.offline = False
        await tab.app.context.set_offline(False)

    async def _reload(self, at: int, tab: Tab) -> None:
        await self._post(at, tab)
        self.doubtful.update(await tab.page.evaluate(UNSAFE))
        await tab.page.reload()
        await tab.ready()

    async def _close(self, at: int, tab: Tab) -> None:
        await self._post(at, tab)
        self.doubtful.update(await tab.page.evaluate(UNSAFE))
        await tab.page.close()
        tab.page = tab.app.page = await tab.app.context.new_page()
        await tab.page.goto("/")
        await tab.ready()

    async def _freeze(self, at: int, tab: Tab) -> None:
        session = await tab.app.context.new_cdp_session(tab.page)
        await session.send("Page.setWebLifecycleState", {"state": "frozen"})
        await self.step_elsewhere(at)
        await session.send("Page.setWebLifecycleState", {"state": "active"})

    async def step_elsewhere(self, at: int) -> None:
        """Something while that tab does not run."""
        other = (at + 1) % len(self.tabs)
        await self._post(other, self.tabs[other])
        if self.chance.random() < 0.5:
            await asyncio.to_thread(self.gateway.kill)
            await asyncio.to_thread(self.gateway.start)

    async def _disk(self, at: int, tab: Tab) -> None:
        await tab.page.evaluate(DISK, True)
        await self._post(at, tab)
        await tab.page.evaluate(DISK, False)

    async def _clock(self, at: int, tab: Tab) -> None:
        jump = self.chance.choice([-7, 7]) * 86_400_000
        await tab.page.evaluate("(jump) => { const now = Date.now; Date.now = () => now() + jump; }", jump)

    async def _shift(self, at: int, tab: Tab) -> None:
        ben = self.tabs[2].page
        again = "async (room) => { await caught.delete(room); await caught.create(room, { kept: true }); }"
        await ben.evaluate(f"(room) => ({again})(room).catch(() => {{}})", SHIFTING)

    async def settle(self) -> tuple[float, list[str]]:
        """Heal all, and wait until everybody agrees; how long that took, and what does not hold."""
        for at, tab in enumerate(self.tabs):
            await self._online(at, tab)
        began = time.monotonic()
        while True:
            faults = await self.faults()
            took = time.monotonic() - began
            if not faults or took > SETTLED_S:
                break
            await asyncio.sleep(0.2)
        last = f"that is all {took}"
        self.terminal.says(last)
        await self.terminal.hears(last)
        heard = "\n".join(self.terminal.lines)
        for at, login, key, text in self.typed:
            if key == ROOM and text not in self.doubtful and at >= 0 and f"{login}: {text}" not in heard:
                faults.append(f"the terminal did not hear {text!r}")
        return took, faults

    async def faults(self) -> list[str]:
        """What does not hold now."""
        faults: list[str] = []
        states: list[dict[str, Any]] = [await tab.page.evaluate(STATE) for tab in self.tabs]
        for at, state in enumerate(states):
            if (state["link"], state["shown"], state["waiting"], state["failed"]) != ("live", "live", 0, []):
                faults.append(f"tab {at}: {state['link']}, {state['shown']}, {state['waiting']}, {state['failed']}")
        if faults:
            return faults
        logs = {ROOM: await self.tabs[2].page.evaluate(HISTORY, ROOM)}
        for tab in self.tabs[1:3]:
            logs[f"@{tab.login}"] = await tab.page.evaluate(HISTORY, f"@{tab.login}")
        faults += self.judge(logs)
        for at, (tab, state) in enumerate(zip(self.tabs, states, strict=True)):
            for key, log in ((ROOM, ROOM), (f"@{PEERS[tab.login]}", f"@{tab.login}")):
                shown = state["talks"].get(key, {"entries": []})["entries"]
                there = [row[:4] for row in logs[log]]
                # What was said before one joined is loaded by scrolling.
                if shown != there[len(there) - len(shown) :] or (not shown and there):
                    faults.append(f"tab {at} shows of {key} {_difference(shown, there)}")
        devices = [state["talks"][ROOM] for tab, state in zip(self.tabs, states, strict=True) if tab.login == "ana"]
        counts = [(talk["unread"], talk["read"], talk["more"]) for talk in devices]
        if len({count[:2] for count in counts}) > 1:
            faults.append(f"unread, read and more of the devices: {counts}")
        return faults

    def judge(self, logs: dict[str, list[list[Any]]]) -> list[str]:
        """Whether everything was said once, and in order."""
        faults = []
        for at, tab in [(-1, None), *enumerate(self.tabs)]:
            for key in (ROOM, *(() if tab is None else (f"@{PEERS[tab.login]}",))):
                log = logs[key if tab is None or key == ROOM else f"@{tab.login}"]
                texts = [row[1].rstrip("!") for row in log]
                typed = [text for by, _, where, text in self.typed if (by, where) == (at, key)]
                counted = Counter(texts)
                faults += [
                    f"{text!r} was said {counted[text]} times in {key}"
                    for text in typed
                    if counted[text] != 1 and (counted[text] or text not in self.doubtful)
                ]
                heard = [text for text in texts if text in typed]
                if heard != [text for text in typed if text in heard]:
                    faults.append(f"tab {at}: order in {key}: {heard}")
        return faults


def _difference(shown: list[Any], there: list[Any]) -> str:
    missing = [row for row in there[-len(shown) :] if row not in shown]
    wrong = [row for row in shown if row not in there]
    return f"{len(shown)} of {len(there)}; missing {missing[:5]}; wrong {wrong[:5]}"

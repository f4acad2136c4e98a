"""Messages that change, under kills of the broker: nothing is lost or done twice, and whoever follows the log by the
page's rules (`docs/PROTOCOL.md`, 11.9) sees what history shows."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from client.link.room import Room
from common import messages as m
from tests.client.link.test_against_broker import Killable, circle, run
from tests.support.patience import PATIENCE_S

KILLS = 6
EMOJI = ("👍", "🎉", "❤️")


class Follower:
    """What a client knows that began with nothing and applies what it hears."""

    def __init__(self, login: str) -> None:
        self._login = login
        self.held: dict[int, m.Message] = {}
        self._reactions: dict[int, dict[str, tuple[int, bool]]] = {}

    def take(self, entry: Any) -> None:
        if isinstance(entry, m.Message):
            self.held[entry.seq] = entry
            self._reactions[entry.seq] = {view.emoji: (view.count, view.mine) for view in entry.reactions}
            return
        message = self.held.get(entry.target)
        if message is None or entry.seq <= message.changed:
            return
        message.changed = entry.seq
        match entry:
            case m.Edited() if not message.retracted:
                message.text, message.edited = entry.text, entry.time
            case m.Retracted():
                message.text, message.retracted = "", True
                self._reactions[message.seq].clear()
            case m.Reacted() if not message.retracted:
                _, mine = self._reactions[message.seq].get(entry.emoji, (0, False))
                now = (entry.count, entry.on if entry.sender == self._login else mine)
                self._reactions[message.seq][entry.emoji] = now
                if not entry.count:
                    del self._reactions[message.seq][entry.emoji]

    def shown(self) -> list[tuple[Any, ...]]:
        return [
            (each.seq, each.text, each.edited, each.retracted, each.changed, self._seen(each.seq))
            for each in self.held.values()
        ]

    def _seen(self, seq: int) -> list[tuple[str, int, bool]]:
        return [(emoji, count, mine) for emoji, (count, mine) in self._reactions[seq].items()]


def as_history_shows(messages: list[m.Message]) -> list[tuple[Any, ...]]:
    return [
        (
            each.seq,
            each.text,
            each.edited,
            each.retracted,
            each.changed,
            [(view.emoji, view.count, view.mine) for view in each.reactions],
        )
        for each in messages
    ]


async def chatter(room: Room, login: str, chance: random.Random, stop: asyncio.Event) -> list[tuple[int, str]]:
    """Say things and change them, one after the other, until told to stop; what each message says in the end."""
    said: list[tuple[int, str]] = []
    number = 0
    while not stop.is_set():
        number += 1
        text = f"{login} {number}"
        reply_to = chance.choice(said)[0] if said and chance.random() < 0.3 else None
        seq = (await room.send(text, reply_to=reply_to, timeout=PATIENCE_S)).seq
        for version in range(chance.randrange(3)):
            text = f"{login} {number}, version {version}"
            await room.edit(seq, text, timeout=PATIENCE_S)
        for emoji in chance.sample(EMOJI, chance.randrange(3)):
            await room.react(seq, emoji, timeout=PATIENCE_S)
            if chance.random() < 0.3:
                await room.react(seq, emoji, on=False, timeout=PATIENCE_S)
        if said and chance.random() < 0.3:
            await room.react(said[-1][0], "👍", timeout=PATIENCE_S)
        if chance.random() < 0.2:
            await room.retract(seq, timeout=PATIENCE_S)
            text = ""
            said = [each for each in said if each[0] != seq]
        else:
            said.append((seq, text))
            continue
        said.insert(0, (seq, text))
    return said


async def follow(room: Room, follower: Follower) -> None:
    async for entry in room.entries(after=0):
        follower.take(entry)
        if isinstance(entry, m.Message) and entry.text == "the end":
            return


def test_changes_survive_kills_once_and_in_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = Killable(tmp_path)
        try:
            async with circle(process.start(), "ana", "bob", "eva") as chats:
                await chats[0].create("dev", kept=True)
                for chat in chats[1:]:
                    await chat.join("dev")
                rooms = [chat.rooms["dev"] for chat in chats]
                follower, stop = Follower("eva"), asyncio.Event()
                following = asyncio.create_task(follow(rooms[2], follower))
                talkers = [
                    asyncio.create_task(chatter(room, chat.login or "", random.Random(number), stop))
                    for number, (room, chat) in enumerate(zip(rooms[:2], chats[:2], strict=True))
                ]
                for kill in range(KILLS):
                    await chats[2]._line.until(lambda kill=kill: len(follower.held) > 5 * (kill + 1))
                    process.kill()
                    await asyncio.to_thread(process.start)
                stop.set()
                said = [each for talker in talkers for each in await talker]
                await rooms[2].send("the end", timeout=PATIENCE_S)
                async with asyncio.timeout(PATIENCE_S):
                    await following
                history = await rooms[2].history(after=0, limit=100_000)
                assert follower.shown() == as_history_shows(history)
                assert {message.seq: message.text for message in history[:-1]} == dict(said)
                entries = await rooms[2].whole_history(after=0, limit=100_000)
                assert len({(entry.sender, entry.nonce) for entry in entries}) == len(entries), "something twice"
                assert [entry.prev for entry in entries[1:]] == [entry.seq for entry in entries[:-1]]
                found = await chats[2].search("version", log="dev", limit=50)
                wanted = sorted((seq for seq, text in said if "version" in text), reverse=True)
                assert [hit.entry.seq for hit in found.hits] == wanted[:50]
        finally:
            process.kill()

    run(scenario())

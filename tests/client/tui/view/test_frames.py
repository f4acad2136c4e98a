"""Frames as a terminal shows them: compared with stored ones, and with attacks in every place where others write.

The real application writes through the real output into a terminal emulator. After a change that is meant to be seen,
`TERTULIA_FRAMES=write python -m pytest tests/client/tui/test_frames.py` stores what is drawn now; look at it first.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pyte
import pytest

from client.tui.model.records import Reaction, Record
from client.tui.screen import FullScreen
from common import messages as m
from tests.client.tui.fake_chat import NOW, FakeChat, view
from tests.client.tui.headless import Headless, headless
from tests.support.patience import PATIENCE_S

FRAMES = Path(__file__).with_name("frames")
SIZES = ((160, 45), (100, 30), (60, 20), (40, 10))
SETTLED = "ready"
"""Typed at the end: what is seen by then is all there is."""


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Emulator:
    """What a terminal makes of what it is sent."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.titles: list[str] = []
        self.bells = 0
        self.screen.bell = self._bell  # type: ignore[method-assign]
        self._stream = pyte.Stream(self.screen)

    def _bell(self, *_: object) -> None:
        self.bells += 1

    def feed(self, text: str) -> None:
        self._stream.feed(text)

    def lines(self) -> list[str]:
        rows = range(self.screen.lines)
        return ["".join(self.screen.buffer[y][x].data for x in range(self.screen.columns)).rstrip() for y in rows]


def said(seq: int, sender: str, text: str, **fields: object) -> Record:
    return Record("message", NOW + seq * 20_000, text, sender, seq, **fields)  # type: ignore[arg-type]


REACTIONS = (Reaction("🎉", 2, True), Reaction("❤️", 1, False))
TALK = [
    said(1, "bob", "good morning :wave: the build 1312 is *green*, see https://ci.example.org/builds/1312"),
    said(2, "bob", "```\nkey press to frame   2.1 ms\n```\nand `make bench` says it _again_"),
    said(3, "carla", "> the build 1312 is green\nwonderful! 👩🏿‍🔧 ❤️ 🇪🇸 👍🏽 1️⃣ 你好吗 नमस्ते 👨‍👩‍👧‍👦", mention=False),
    said(
        4,
        "ana",
        "thanks, both of you",
        mine=True,
        reply_to=1,
        reactions=(Reaction("🎉", 2, True), Reaction("❤️", 1, False)),
    ),
    said(5, "bob", "could @ana look at this? " + "It is long. " * 12, mention=True),
    said(6, "maximiliano-alejandro", "a long name", edited=NOW),
    said(7, "carla", "", retracted=True),
    Record("notice", NOW + 150_000, "dice came in"),
]
"""What is said in the scene."""


def scene(
    columns: int, rows: int, talk: list[Record], *, nick: str = "bob", room: str = "ops", topic: str = "Deploys"
) -> Emulator:
    """Sit down in a room where so much was said; give what is seen once all of it is drawn."""

    async def play() -> str:
        people = ["ana", "carla", nick]
        rooms = {"lobby": view("lobby", 1), room: view(room, 2, subject=topic), "dev": view("dev", 3)}
        chat = FakeChat(rooms=rooms, users=people)
        with headless(columns, rows) as terminal:
            screen = FullScreen(chat, "ana", started=True)
            running = asyncio.ensure_future(screen.run())
            await terminal.see("lobby ▸")
            await chat.told()
            screen.show(room)
            for record in talk:
                screen.model.here.records.add(record)
            screen.model.conversations["dev"].unread, screen.model.conversations["dev"].mentions = 5, 2
            screen.changed()
            terminal.press(SETTLED)
            await terminal.see(SETTLED)
            drawn = terminal.written
            screen._exit()
            await asyncio.wait_for(running, PATIENCE_S)
            return drawn

    emulator = Emulator(columns, rows)
    emulator.feed(asyncio.run(play()))
    return emulator


def compare(name: str, lines: list[str]) -> None:
    file = FRAMES / f"{name}.txt"
    drawn = "\n".join(lines) + "\n"
    if os.environ.get("TERTULIA_FRAMES") == "write":
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_a_conversation_at_every_size(columns: int, rows: int) -> None:
    compare(f"conversation-{columns}x{rows}", scene(columns, rows, TALK).lines())


ATTACKS = {
    "escape": "\x1b[2J\x1b[H\x1b[31;5mowned\x1b[10;10Hhere",
    "title": "\x1b]0;owned\x07\x1b]2;owned\x1b\\\x9d0;owned\x9c",
    "clipboard": "\x1b]52;c;cm0gLXJm\x07\x1b]9;ding\x07\x07\x07",
    "link": "\x1b]8;;https://evil.example\x1b\\bank\x1b]8;;\x1b\\",
    "link in a link": "https://x.org/\x1b]8;;evil:\x07y;\x07",
    "charset": "\x1b(0\x0elqqk\x0f\x1b#8\x1bc",
    "c1": "\x9b2J\x9bH\x90q\x9c\x84\x85\x8d",
    "lines": "one\r\n\x0b\x0c\x85\u2028\u2029two\rthree",
    "back": "abc" + "\x08" * 500 + "\x7f",
    "bidi": "user\u202egpj.exe\u202c \u2066\u2067abc\u2069 \u061c\u200f",
    "zero width": "a" + "\u200b\u200c\u200d\u2060\ufeff\u034f\u115f\u1160\u3164\ufe0f" * 1_000 + "b",
    "marks": "z" + "\u0301" * 10_000,
    "marks alone": "\u0301" * 500,
    "wide": "﷽" * 40 + "𒐫" * 20 + "𝄞" * 10,
    "emoji": "👩🏿‍🔧" * 30 + "🇪🇸" * 30 + "❤️" * 30 + "1️⃣" * 10 + "🏴󠁧󠁢󠁥󠁮󠁧󠁿" * 10 + "\U0001fae9\U0001fadf" * 5,
    "jamo": "\u1112\u1161\u11ab" * 100 + "\u1161" * 500,
    "tall": "ก็็็็็็็็็็็็็็็็็็็็็็็็็็็็็็" * 30,
    "surrogates": "\udc80\ud800",
    "tags": "x" + "\U000e0041" * 500,
    "separators": "\x1c\x1d\x1e\x1f\x00" * 20,
}


def attacked(place: str, attack: str, columns: int, rows: int) -> Emulator:
    given = {place: attack} if place in ("nick", "room", "topic") else {}
    talk = [said(1, "bob", "before"), said(2, "carla", "in the middle"), said(3, "bob", "after")]
    if place == "nick":
        talk[1] = said(2, attack, "in the middle")
    elif place == "message":
        talk[1] = said(2, "carla", attack)
    elif place == "reaction":
        talk[1] = said(2, "carla", "in the middle", reactions=(Reaction(attack, 1, False),))
    elif place == "quote":
        talk[1:] = [said(2, "carla", attack), said(3, "bob", "after", reply_to=2)]
    return scene(columns, rows, talk, **given)


COLUMNS, ROWS, LEFT, RIGHT = 120, 24, 18, 101
"""The size of the terminal, and where the lines between its parts stand."""
REGIONS = {
    "title": (0, 1, 0, COLUMNS),
    "rooms": (1, ROWS - 2, 0, LEFT),
    "left line": (1, ROWS - 2, LEFT, LEFT + 1),
    "messages": (1, ROWS - 2, LEFT + 1, RIGHT),
    "right line": (1, ROWS - 2, RIGHT, RIGHT + 1),
    "members": (1, ROWS - 2, RIGHT + 1, COLUMNS),
    "status": (ROWS - 2, ROWS - 1, 0, COLUMNS),
    "input": (ROWS - 1, ROWS, 0, COLUMNS),
}
"""Rows from and to, columns from and to."""
SHOWN_IN = {
    "nick": {"messages", "members"},
    "room": {"title", "rooms", "input"},
    "topic": {"title"},
    "message": {"messages"},
    "reaction": {"messages"},
    "quote": {"messages"},
}
"""Where on the screen what others have written stands."""


def region(emulator: Emulator, name: str) -> list[object]:
    """The cells of a part of the screen, with their colours."""
    top, bottom, left, right = REGIONS[name]
    return [emulator.screen.buffer[y][x] for y in range(top, bottom) for x in range(left, right)]


@pytest.mark.parametrize("place", SHOWN_IN)
@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_change_nothing_outside_their_cell(name: str, place: str) -> None:
    emulator = attacked(place, ATTACKS[name], COLUMNS, ROWS)
    harmless = attacked(place, "harmless", COLUMNS, ROWS)
    for part in REGIONS.keys() - SHOWN_IN[place]:
        assert region(emulator, part) == region(harmless, part), part
    lines = [line[LEFT + 1 : RIGHT] for line in emulator.lines()]
    first = next(row for row, line in enumerate(lines) if line.rstrip().endswith(" before"))
    last = next(row for row, line in enumerate(lines) if line.rstrip().endswith(" after"))
    assert first < last == ROWS - 3
    assert emulator.lines()[-1].endswith(SETTLED)
    assert emulator.screen.title == emulator.screen.icon_name == ""
    assert emulator.bells == 0


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_as_it_is_seen(name: str) -> None:
    compare("attack-" + name.replace(" ", "-"), attacked("message", ATTACKS[name], 60, 16).lines())


PLACES_TO_GO = ("https://x.org/a", "https://x.org/b?" + "long/" * 40, "http://y.org/é/🎉", "mailto:ana@x.org")


def linked(terminal: Headless) -> None:
    """Hold every link on the screen against the text that is linked, and all else against being linked."""
    text = "\n".join(terminal.frame())
    glass = terminal.glass
    for row in range(glass.rows):
        runs = itertools.groupby(range(glass.columns), key=lambda column: glass.links[row][column])
        for address, columns in runs:
            run = list(columns)
            shown = "".join(glass.cells[row][column] for column in run)
            if address:
                assert shown.strip(), text
                assert quote(shown, safe=":/?@") in address, text
                assert LEFT < run[0] <= run[-1] < RIGHT, text
            else:
                assert "://" not in shown, text
                assert "mailto:" not in shown, text


def test_links_are_what_they_say_however_the_screen_changes() -> None:
    async def play() -> None:
        chance = random.Random(7)
        chat = FakeChat(rooms={"lobby": view("lobby", 1), "ops": view("ops", 2)}, users=["ana", "bob"])
        with headless(COLUMNS, ROWS) as terminal:
            screen = FullScreen(chat, "ana", started=True)
            running = asyncio.ensure_future(screen.run())
            await terminal.see("lobby ▸")
            for step in range(120):
                records = screen.model.here.records
                words = chance.choices(["see", "你好", "🎉", "or", *PLACES_TO_GO], k=chance.randint(1, 6))
                match chance.randint(0, 5):
                    case 0:
                        screen.messages.scroll(chance.randint(-9, 9))
                    case 1:
                        screen.show(chance.choice(["lobby", "ops"]))
                    case 2 if records.newest:
                        records.change(
                            m.Edited(
                                seq=10_000 + step,
                                prev=0,
                                time=NOW,
                                sender="bob",
                                target=records.newest,
                                text=" ".join(words),
                                nonce=b"",
                            ),
                            mine=False,
                        )
                    case _:
                        records.add(said(step + 1, "bob", " ".join(words)))
                screen.changed()
                terminal.press(f"\x03{step} steps")
                await terminal.see(f"▸ {step} steps")
                linked(terminal)
            screen._exit()
            await asyncio.wait_for(running, PATIENCE_S)

    asyncio.run(play())

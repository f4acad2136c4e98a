"""Draws the picture for the README from the real screen: `python -m tests.system.picture docs/pictures/terminal.svg`.

Four people talk through a real broker; one of them looks at it in a terminal. Must not know how a screen is drawn.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Final

from client import ChatClient
from scripts import screenshot
from tests.system.tour import PASSWORD, Stage

SIZE: Final = (118, 24)
PEOPLE: Final = ("ana", "bruno", "carla", "dario")
TALK: Final = (
    ("ana", "good morning! is anybody up for dinner on *Thursday*? :wave:"),
    ("carla", "yes! the usual place?"),
    ("bruno", "nine o'clock, I book a table for four: https://example.org/menu"),
    ("carla", "> nine o'clock\nthat is late for Darío, he has the `06:30` train"),
)


async def _talk(stage: Stage) -> None:
    """The others come in and speak; they stay until this is cancelled."""
    async with contextlib.AsyncExitStack() as stack:
        chats = {}
        for who in PEOPLE:
            chat = ChatClient(str(stage.broker.address), login=who, password=PASSWORD)
            chats[who] = await stack.enter_async_context(chat)
        rooms = {who: await chat.join("lobby") for who, chat in chats.items()}
        kitchen = await chats["bruno"].create("kitchen", kept=True, subject="What is cooking")
        await chats["ana"].join("kitchen")
        await chats["ana"].create("train-times", kept=True)
        sent = [await rooms[who].send(text) for who, text in TALK]
        dario = await rooms["dario"].send("half past eight, and I am in 😀", reply_to=sent[2].seq)
        await rooms["bruno"].edit(sent[2].seq, "half past eight, I book a table for four: https://example.org/menu")
        for who in ("ana", "carla"):
            await rooms[who].react(dario.seq, "🎉")
        await rooms["carla"].react(sent[0].seq, "👍")
        await kitchen.send("who has the big pot?")
        await kitchen.send("@ana was it you?")
        await chats["bruno"].direct("ana", "shall we tell Eva?")
        await chats["carla"].set_status("away", "at lunch")
        await asyncio.Event().wait()


async def _draw(stage: Stage) -> str:
    for who in PEOPLE:
        await asyncio.to_thread(stage.account, who)
    others = asyncio.create_task(_talk(stage))
    terminal = await asyncio.to_thread(stage.back, "ana", *SIZE)
    for pattern in ("half past eight, I book", "🎉 2", "kitchen +1,2", "@bruno", "◐ carla"):
        await asyncio.to_thread(terminal.see, pattern)
    terminal.type("see you *there*")
    await asyncio.to_thread(terminal.see, "see you")
    screen = terminal.coloured()
    others.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await others
    return screen


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tertulia-picture-") as homes, Stage(Path(homes)) as stage:
        Path(sys.argv[1]).write_text(screenshot.picture(asyncio.run(_draw(stage)), "tertulia"))


if __name__ == "__main__":
    main()

"""The bots under measurement: `python -m bench.bot_echo KEY…`, one process, one bot for each key file.

The first line on standard output says that all serve. Must not know what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from client.bot import Bot, Context
from client.bot.running import connection

PING = "ping"
PONG = "pong"
CALL = "hello all"
ANSWER = "here"


def make(bots: bool) -> Bot:
    """A bot that answers a command, and a call to everybody."""
    bot = Bot(bots=bots, help=False)

    @bot.command(PING)
    async def ping(ctx: Context, number: int) -> None:
        await ctx.reply(f"{PONG} {number}")

    @bot.on_message(f"^{CALL}$")
    async def here(ctx: Context) -> None:
        await ctx.reply(ANSWER)

    return bot


async def serve(keys: list[Path], rooms: list[str], bots: bool) -> None:
    """Serve until SIGTERM."""
    made = [make(bots) for _ in keys]
    async with AsyncExitStack() as stack:
        chats = [await stack.enter_async_context(connection(None, str(key), None, None)) for key in keys]
        ready = [asyncio.Event() for _ in made]
        running = [
            asyncio.create_task(bot.serve(chat, rooms=rooms, ready=event.set))
            for bot, chat, event in zip(made, chats, ready, strict=True)
        ]
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await asyncio.gather(*(event.wait() for event in ready))
        print("serving", flush=True)
        ended = [*running, asyncio.create_task(stop.wait())]
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*(bot.stop() for bot in made))
        await asyncio.gather(*running)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bot_echo", description=__doc__.splitlines()[0])
    parser.add_argument("keys", nargs="+", type=Path, help="key files")
    parser.add_argument("--rooms", nargs="+", default=[], help="rooms to be in")
    parser.add_argument("--bots", action="store_true", help="hear other programs, too")
    given = parser.parse_args()
    asyncio.run(serve(given.keys, given.rooms, given.bots))


if __name__ == "__main__":
    main()

"""The bot that is killed: `python -m tests.faults.bot_answering`, told by the environment where and as whom.

It answers each question with two messages, so that it can be killed between them. Must not know that it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from client.bot import Bot, Context

QUESTION: Final = "ask"
PARTS: Final = ("first", "last")
"""What an answer consists of, in this order."""
THINKS_S: Final = 0.02
"""Seconds between the two, so that handlers are at work when it is killed."""

bot = Bot("answering", start="resume", help=False)


@bot.on_message(match=rf"^{QUESTION} (?P<word>\S+)$")
async def answer(ctx: Context, word: str) -> None:
    first, last = PARTS
    await ctx.reply(f"{first} {word}")
    await asyncio.sleep(THINKS_S)
    await ctx.reply(f"{last} {word}")


if __name__ == "__main__":
    sys.exit(bot.run())

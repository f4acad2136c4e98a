"""Dice: `!roll`, `!roll 2 6`, `!roll 3d6+2`, and `!pick red green blue`.

    tertulia bot run dice.py

The smallest of the examples: two commands, whose arguments come from the annotations, and whose help comes from the
docstrings (`!help`, `!help roll`).
"""

from __future__ import annotations

import random
import re

from client.bot import Bot, Context

DICE = 50
"""Dice in one throw at the most: the answer stays one line."""
SIDES = 1_000

bot = Bot("dice")
chance = random.SystemRandom()


@bot.command(cooldown="5/10s per user")
async def roll(ctx: Context, dice: str = "1d6", sides: int = 6) -> None:
    """Throw dice: `!roll`, `!roll 2 6` or `!roll 3d6+2`."""
    found = re.fullmatch(r"(\d*)d(\d+)([+-]\d+)?|(\d+)", dice.lower())
    if found is None:
        await ctx.reply("How many dice, with how many sides? For example: !roll 2 6, or !roll 3d6+2")
        return
    number = int(found[4] or found[1] or 1)
    sides = int(found[2] or sides)
    extra = int(found[3] or 0)
    if not (1 <= number <= DICE and 1 <= sides <= SIDES and abs(extra) <= SIDES):
        await ctx.reply(f"I have {DICE} dice, with up to {SIDES} sides.")
        return
    thrown = [chance.randint(1, sides) for _ in range(number)]
    total = sum(thrown) + extra
    how = " + ".join(map(str, thrown)) + (f" {'+' if extra > 0 else '-'} {abs(extra)}" if extra else "")
    await ctx.reply(f"🎲 {total}" if how == str(total) else f"🎲 {total} ({how})")


@bot.command(cooldown="5/10s per user")
async def pick(ctx: Context, *choices: str) -> None:
    """Choose one of several: `!pick red green "dark blue"`."""
    if len(choices) < 2:
        await ctx.reply("What is there to choose from? For example: !pick red green blue")
        return
    await ctx.reply(chance.choice(choices))


if __name__ == "__main__":
    raise SystemExit(bot.run())

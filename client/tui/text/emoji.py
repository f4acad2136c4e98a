"""Emoji by their short-codes: `:smile:` is what people write who have no such key.

The table is read when the first colon pair is met, in about two milliseconds. Must not know where texts come from.

Source: emoji.txt, made by scripts/emoji_table.py from https://github.com/github/gemoji.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

CODE: Final = re.compile(r"(?<!\w):([a-z0-9_+-]{1,60}):(?!\w)")
"""A short-code within a text; the time of day is none."""


@cache
def table() -> dict[str, str]:
    """Every short-code without its colons, and its emoji."""
    lines = Path(__file__).with_name("emoji.txt").read_text(encoding="utf-8").splitlines()
    words = (line.split(" ") for line in lines if not line.startswith("#"))
    return {name: sign for sign, *names in words for name in names}


@cache
def _usual() -> dict[str, str]:
    usual: dict[str, str] = {}
    for name, sign in table().items():
        usual.setdefault(sign, name)
    return usual


def sign(code: str) -> str:
    """The emoji of a short-code, with or without its colons; what is none, as it is."""
    return table().get(code.strip(":").lower(), code)


def code(sign: str) -> str:
    """The usual short-code of an emoji, with its colons; empty if it has none."""
    name = _usual().get(sign) or _usual().get(sign.removesuffix("\ufe0f")) or _usual().get(sign + "\ufe0f")
    return f":{name}:" if name else ""


def replaced(text: str) -> str:
    """`text` with the emoji in the place of their short-codes; a code that there is not stays as it was."""
    if text.count(":") < 2:
        return text
    return CODE.sub(lambda match: table().get(match[1], match[0]), text)


def beginning(prefix: str, most: int = 20) -> list[tuple[str, str]]:
    """Codes, with colons, and their emoji, for what was typed after a colon: those that begin so, then those within."""
    prefix = prefix.lower().lstrip(":")
    starts = [name for name in table() if name.startswith(prefix)]
    within = [name for name in table() if prefix and prefix in name and not name.startswith(prefix)]
    return [(f":{name}:", table()[name]) for name in (*sorted(starts, key=len), *within)[:most]]

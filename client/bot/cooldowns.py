"""How often a command may be used: so many times within so long, for each person, each room, or all together.

A use is taken where the command is dispatched, not where it ends, so that a slow one cannot be had twice. Whoever is
too quick is told once how long to wait; what they try until then is passed over. Must not know what a command does.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from client.bot.errors import BadHandler
from client.bot.spans import milliseconds

SCOPES: Final = ("user", "room", "bot")
REMEMBERED: Final = 10_000
"""People or rooms whose last uses of one command are remembered: those that used it last."""
ENVIRONMENT: Final = "TERTULIA_BOT_COOLDOWN_"
_FORM: Final = re.compile(r"(?P<count>\d+)\s*/\s*(?P<span>\S+?)(?:\s+per\s+(?P<scope>\w+))?")


@dataclass(frozen=True)
class Cooldown:
    """`count` uses within `span_ms` for each of `per`."""

    count: int
    span_ms: int
    per: str

    @classmethod
    def parse(cls, text: str) -> Cooldown | None:
        """Read `3/10s per user`; nothing, or `none`, is none. Raises `BadHandler` that says what was expected."""
        if not isinstance(text, str):
            raise BadHandler(f"{text!r} is no cooldown; expected text, for instance '3/10s per user'.")
        if not text.strip() or text.strip() == "none":
            return None
        found = _FORM.fullmatch(text.strip())
        scope = (found["scope"] or "user") if found else ""
        if found is None or scope not in SCOPES or int(found["count"]) < 1:
            raise BadHandler(
                f"{text!r} is no cooldown; expected, for instance, '3/10s per user', or per room, per bot."
            )
        return cls(int(found["count"]), milliseconds(found["span"]), scope)

    def __str__(self) -> str:
        seconds = self.span_ms / 1000
        return f"{self.count}/{seconds:g}s per {self.per}"


def overridden(command: str, written: str, environment: Mapping[str, str]) -> Cooldown | None:
    """The cooldown that the operator wants of a command, or else the one that its author has written.

    Raises `BadHandler` that names the variable.

    `TERTULIA_BOT_COOLDOWN_ROLL="1/5s per user"` is for `roll`; what is no letter or digit in a name is `_` there.
    """
    variable = ENVIRONMENT + re.sub(r"\W", "_", command).upper()
    try:
        return Cooldown.parse(environment.get(variable, written))
    except BadHandler as error:
        raise BadHandler(f"{variable}: {error}") from None


@dataclass
class _Uses:
    times: deque[int]
    told: bool = False


class Uses:
    """The uses of one command."""

    def __init__(self, cooldown: Cooldown) -> None:
        self.cooldown = cooldown
        self._uses: OrderedDict[str, _Uses] = OrderedDict()

    def take(self, user: str, room: str, now: int) -> int | None:
        """Use it now, in milliseconds: None if that is granted, else the wait in milliseconds to tell them, or 0 if
        they were told already."""
        whom = {"user": user, "room": room}.get(self.cooldown.per, "")
        uses = self._uses.setdefault(whom, _Uses(deque()))
        self._uses.move_to_end(whom)
        if len(self._uses) > REMEMBERED:
            self._uses.popitem(last=False)
        while uses.times and uses.times[0] <= now - self.cooldown.span_ms:
            uses.times.popleft()
        if len(uses.times) < self.cooldown.count:
            uses.times.append(now)
            uses.told = False
            return None
        wait = 0 if uses.told else max(1, uses.times[0] + self.cooldown.span_ms - now)
        uses.told = True
        return wait

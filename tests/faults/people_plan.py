"""Who the people of a process are, and what each does: what a scenario writes, and `people.py` reads."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Person(msgspec.Struct, kw_only=True):
    """Who somebody is, which rooms they are always in, and what they do there."""

    login: str
    hears: list[str] = []
    talks: list[str] = []
    writes: list[str] = []
    """To whom they write in private."""
    makes: list[str] = []
    """Public rooms that they make, if nobody has yet."""
    hosts: str = ""
    """The private room that they make, and whose guests they invite and expel."""
    regulars: list[str] = []
    """Whom they invite to `hosts` once, to stay."""
    guests: list[str] = []
    """Whom they invite to `hosts` and expel, as it comes."""
    visits: str = ""
    """The private room that they come to and leave, if they are invited."""


class Plan(msgspec.Struct, kw_only=True):
    """What a process of people needs to know."""

    address: str
    where: str
    """The directory of keys and histories."""
    name: str
    people: list[Person]
    seed: int
    pause_s: float
    """Seconds between two things that somebody does, on average."""
    incarnation: int = 0
    """How often the process was started before."""

    @property
    def directory(self) -> Path:
        """Where keys and histories are."""
        return Path(self.where)

"""What a moderator looks for: floods, forbidden words, links of newcomers; and how much of it is too much.

Used by `moderator.py`. Times are milliseconds UTC and are given. Must not know bots, nor what is done about it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from dataclasses import dataclass, field

HOUR_MS = 3_600_000
LINK = re.compile(r"(?:https?://|www\.)\S|\b[\w-]+\.(?:com|net|org|io|ru|cn|xyz|top|info|biz|link|click)\b(?!@)", re.I)
_LETTERS = str.maketrans("013457@$", "oieastas")
"""What some write for letters, so that a word is not found."""


@dataclass
class Rules:
    """What a room's moderators want."""

    words: list[str] = field(default_factory=list)
    messages: int = 6
    """So many messages of one person …"""
    seconds: int = 10
    """… within so many seconds are a flood; 0 messages: no limit."""
    repeats: int = 3
    """So many times the same text within a minute are one, too."""
    newcomer_hours: int = 24
    """So long after joining a room nobody posts links there; 0: everybody may."""
    strikes: int = 3
    """Whoever breaks the rules so often within an hour is put out; before that they are warned."""
    exempt: list[str] = field(default_factory=list)
    """Logins that are left alone, besides the moderators."""


@dataclass
class _Person:
    said: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=50))
    strikes: deque[int] = field(default_factory=lambda: deque(maxlen=50))


class Watch:
    """What people have said lately, in memory: for the last minutes, and only as much as the rules ask for."""

    def __init__(self) -> None:
        self._people: dict[tuple[int, str], _Person] = {}

    def judge(self, room: int, login: str, text: str, now: int, rules: Rules, joined: int | None) -> str:
        """What is wrong with a message, as the end of a sentence; empty if nothing is. `joined`: when they came."""
        said = self._person(room, login, now).said
        said.append((now, text.casefold().strip()))
        if word := forbidden(text, rules.words):
            return f'"{word}" is not said here'
        if rules.newcomer_hours and joined is not None and now - joined < rules.newcomer_hours * HOUR_MS:
            if LINK.search(text):
                return f"links are for those who have been here for {rules.newcomer_hours} h"
        lately = sum(now - time < rules.seconds * 1000 for time, _ in said)
        if rules.messages and lately > rules.messages:
            return f"more than {rules.messages} messages in {rules.seconds} s are too many"
        same = sum(now - time < 60_000 and before == said[-1][1] for time, before in said)
        if rules.repeats and same > rules.repeats:
            return "once is enough"
        return ""

    def strike(self, room: int, login: str, now: int) -> int:
        """Count one more; how often it was within the last hour."""
        strikes = self._person(room, login, now).strikes
        strikes.append(now)
        return sum(now - time < HOUR_MS for time in strikes)

    def pardon(self, room: int, login: str) -> bool:
        """Forget somebody's strikes; whether there were any."""
        person = self._people.pop((room, login), None)
        return person is not None and bool(person.strikes)

    def _person(self, room: int, login: str, now: int) -> _Person:
        if len(self._people) > 10_000:
            self._people = {
                key: each
                for key, each in self._people.items()
                if (each.said and now - each.said[-1][0] < HOUR_MS)
                or (each.strikes and now - each.strikes[-1] < HOUR_MS)
            }
        return self._people.setdefault((room, login), _Person())


def forbidden(text: str, words: list[str]) -> str:
    """The first of `words` that is in a text as a word of its own, however it is spelt; empty if none is."""
    plain = _plain(text)
    read = (plain, plain.translate(_LETTERS), re.sub(r"(?<=\b\w)[\W_]+(?=\w\b)", "", plain))
    for word in words:
        wanted = re.compile(rf"(?<!\w){re.escape(_plain(word))}(?!\w)")
        if any(wanted.search(each) for each in read):
            return word
    return ""


def _plain(text: str) -> str:
    """Without case, accents and invisible signs."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in decomposed if unicodedata.category(sign) not in ("Mn", "Cf"))

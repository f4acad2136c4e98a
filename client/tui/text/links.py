"""Links in what others wrote: which they are, under which number one opens them, and how a terminal is told.

Only web and mail addresses are links. The address shown is the address opened, so none can look like another; what
reaches the terminal is printable ASCII. Must not know how a link is opened, nor where it stands on the screen.

Source: "Hyperlinks in terminal emulators" (OSC 8), RFC 3986 (characters of an address).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from client.tui.model.records import Scrollback
from client.tui.text import clean

PATTERN: Final = r"(?:https?://|mailto:)[^\s<>\"`␀-␡�]+"
"""What a link looks like; `trimmed` says where it ends."""
LONGEST: Final = 2_000
"""Characters of an address that is handed to a terminal: some take no longer ones."""
MOST: Final = 9_999
"""Links that are numbered in a conversation before the numbers begin anew."""
CLOSING: Final = "\x1b]8;;\x1b\\"

_LINK: Final = re.compile(PATTERN, re.IGNORECASE)
_EMPTY: Final = re.compile(r"(?:https?://|mailto:)[^\w\[]*", re.IGNORECASE)
_ALLOWED: Final = "!#$%&'()*+,-./:;=?@[]_~"


def trimmed(link: str) -> str:
    """A link without what belongs to the sentence around it: a full stop, a bracket that it did not open."""
    while link:
        last = link[-1]
        if last in ".,;:!?'*_~" or (last in ")]}" and link.count(last) > link.count("([{"[")]}".index(last)])):
            link = link[:-1]
        else:
            break
    return "" if _EMPTY.fullmatch(link) else link


def found(text: str) -> list[str]:
    """The links in a text that was made harmless (`clean.text`), as they stand in it."""
    links = (trimmed(match[0]) for match in _LINK.finditer(text))
    return [link for link in links if link]


def target(link: str) -> str:
    """What is opened for a link: the same address in printable ASCII. Empty for what is no web or mail address."""
    if not _LINK.match(link) or len(link) > LONGEST:
        return ""
    return quote(link, safe=_ALLOWED)


def opening(link: str, number: int) -> str:
    """What tells a terminal that the text from here on is a link; empty if it is none. `number` joins its rows."""
    address = target(link)
    return f"\x1b]8;id=t{number};{address}\x1b\\" if address else ""


class Numbers:
    """The links of a conversation that were on the screen, by the number that stands beside each."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._links: dict[int, str] = {}
        self._last = 0

    def number(self, link: str) -> int:
        """The number of a link; it keeps it for as long as there are fewer than `MOST` others."""
        known = self._numbers.get(link)
        if known is not None:
            return known
        self._last = self._last % MOST + 1
        before = self._links.get(self._last)
        if before is not None:
            del self._numbers[before]
        self._numbers[link], self._links[self._last] = self._last, link
        return self._last

    def link(self, number: int) -> str | None:
        """The link of a number; None if there is none."""
        return self._links.get(number)


def within(records: Scrollback) -> Iterator[str]:
    """The links of a conversation, the newest first."""
    for index in range(len(records) - 1, -1, -1):
        if records[index].kind == "message" and ":" in records[index].text:
            yield from reversed(found(clean.text(records[index].text)))

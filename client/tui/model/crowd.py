"""Who came and went in a room, in few words. Must not know where they are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from client.language import _, ngettext
from common.messages import Change

NAMED: Final = 8
"""People named in one notice; of more it says how many."""

_SAID: Final[dict[str, Callable[[int], str]]] = {
    "came": lambda n: ngettext("{who} came in", "{who} came in", n),
    "back": lambda n: ngettext("{who} left and came back", "{who} left and came back", n),
    "passed": lambda n: ngettext("{who} came and went", "{who} came and went", n),
    "left": lambda n: ngettext("{who} left", "{who} left", n),
    "gone": lambda n: ngettext("{who} left (connection lost)", "{who} left (connection lost)", n),
    "removed": lambda n: ngettext("{who} left (removed)", "{who} left (removed)", n),
    "disabled": lambda n: ngettext("{who} left (account disabled)", "{who} left (account disabled)", n),
}
"""What is said of so many people who did the same; in English it is one form."""
_LEFT: Final = {
    "": "left",
    "left": "left",
    "exit": "left",
    "gone": "gone",
    "removed": "removed",
    "disabled": "disabled",
}
"""How it is called, by the reason."""


class Crowd:
    """Who came and went in a while."""

    def __init__(self) -> None:
        self._did: dict[str, str] = {}

    def add(self, change: Change) -> None:
        """One more change; presence alone is not worth a word."""
        before = self._did.get(change.login, "")
        if change.change == "joined":
            self._did[change.login] = "back" if before in _LEFT.values() else "came"
        elif change.change == "left":
            self._did[change.login] = "passed" if before == "came" else _LEFT[change.reason]

    def sentences(self) -> list[str]:
        """One sentence for each thing that some of them did."""
        by_deed: dict[str, list[str]] = {}
        for login, did in self._did.items():
            by_deed.setdefault(did, []).append(login)
        return [_SAID[did](len(who)).format(who=_listed(who)) for did, who in by_deed.items()]


def _listed(logins: list[str]) -> str:
    if len(logins) > NAMED:
        return _("{names} and {n} more").format(names=", ".join(logins[:NAMED]), n=len(logins) - NAMED)
    if len(logins) == 1:
        return logins[0]
    return _("{names} and {last}").format(names=", ".join(logins[:-1]), last=logins[-1])

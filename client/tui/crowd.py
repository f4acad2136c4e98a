"""Who came and went in a room, in few words. Must not know where they are shown."""

from __future__ import annotations

from typing import Final

from client.language import N_, _
from common.messages import Change

NAMED: Final = 8
"""People named in one notice; of more it says how many."""

_CAME: Final = N_("{who} came in")
_BACK: Final = N_("{who} left and came back")
_PASSED: Final = N_("{who} came and went")
_LEFT: Final = {
    "": N_("{who} left"),
    "left": N_("{who} left"),
    "exit": N_("{who} left"),
    "gone": N_("{who} left (connection lost)"),
    "removed": N_("{who} left (removed)"),
    "disabled": N_("{who} left (account disabled)"),
}


class Crowd:
    """Who came and went in a while."""

    def __init__(self) -> None:
        self._did: dict[str, str] = {}

    def add(self, change: Change) -> None:
        """One more change; presence alone is not worth a word."""
        before = self._did.get(change.login, "")
        if change.change == "joined":
            self._did[change.login] = _BACK if before in _LEFT.values() else _CAME
        elif change.change == "left":
            self._did[change.login] = _PASSED if before == _CAME else _LEFT[change.reason]

    def sentences(self) -> list[str]:
        """One sentence for each thing that some of them did."""
        by_deed: dict[str, list[str]] = {}
        for login, did in self._did.items():
            by_deed.setdefault(did, []).append(login)
        return [_(did).format(who=_listed(who)) for did, who in by_deed.items()]


def _listed(logins: list[str]) -> str:
    if len(logins) > NAMED:
        return _("{names} and {n} more").format(names=", ".join(logins[:NAMED]), n=len(logins) - NAMED)
    if len(logins) == 1:
        return logins[0]
    return _("{names} and {last}").format(names=", ".join(logins[:-1]), last=logins[-1])

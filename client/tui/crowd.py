"""Who came and went in a room, in few words. Must not know where they are shown."""

from __future__ import annotations

from typing import Final

from common.messages import Change

NAMED: Final = 8
"""People named in one notice; of more it says how many."""

_WHY: Final = {
    "": "",
    "left": "",
    "exit": "",
    "gone": "connection lost",
    "removed": "removed",
    "disabled": "account disabled",
}


class Crowd:
    """Who came and went in a while."""

    def __init__(self) -> None:
        self._did: dict[str, str] = {}

    def add(self, change: Change) -> None:
        """One more change; presence alone is not worth a word."""
        before = self._did.get(change.login, "")
        if change.change == "joined":
            self._did[change.login] = "left and came back" if before.startswith("left") else "came in"
        elif change.change == "left":
            why = _WHY[change.reason]
            left = f"left ({why})" if why else "left"
            self._did[change.login] = "came and went" if before == "came in" else left

    def sentences(self) -> list[str]:
        """One sentence for each thing that some of them did."""
        by_deed: dict[str, list[str]] = {}
        for login, did in self._did.items():
            by_deed.setdefault(did, []).append(login)
        return [f"{_listed(who)} {did}" for did, who in by_deed.items()]


def _listed(logins: list[str]) -> str:
    if len(logins) > NAMED:
        return f"{', '.join(logins[:NAMED])} and {len(logins) - NAMED} more"
    return ", ".join(logins[:-1]) + " and " + logins[-1] if len(logins) > 1 else logins[0]

"""One session of the gateway's: whose it is, and what it may hear.

Must not know sockets.
"""

from __future__ import annotations

from common import messages as m


class Session:
    """What is known of one label (`as`)."""

    label: str
    login: str
    state: m.SessionState
    """Where it stands, kept up to date: rooms, their marks and notify, status."""

    def entitled(self, log: str, seq: int) -> bool:
        """Whether it may read that entry of that log (a room's name, or `@` and a login)."""
        raise NotImplementedError

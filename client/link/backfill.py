"""Fetching what is missing: pages of `history` for the logs that have holes, a few at a time.

After a broker's restart every room of every client may have one, and the broker's readers are few. Must not
know how holes are found (`logs.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from client.link.calls import Call, Calls, Outcome
from client.link.failures import pause
from client.link.logs import Hole, Log
from common.errors import Forbidden, NoSuchLog, NoSuchRoom, NotLoggedIn, NotMember
from common.messages import AnyEntry, Entries, History

AT_ONCE: Final = 4
"""Pages under way at a time."""
WAIT_S: Final = 1.0
"""Seconds until a refused page is asked for again if the refusal names none."""
DENIED: Final = (Forbidden, NoSuchLog, NoSuchRoom, NotLoggedIn, NotMember)
"""Refusals that mean: this client is wrong about where it is a member."""
DENIED_WAIT_S: Final = 5.0


class Backfill:
    """The logs that may have holes, and the pages under way."""

    def __init__(
        self,
        calls: Calls,
        logs: Mapping[str, Log],
        delivered: Callable[[Log, list[AnyEntry]], None],
        denied: Callable[[float], None],
        random: Callable[[int], bytes],
    ) -> None:
        """`delivered` gets what pages bring; `denied` is told when one is refused for want of membership."""
        self._calls = calls
        self._logs = logs
        self._delivered = delivered
        self._denied = denied
        self._random = random
        self._watched: dict[str, Log] = {}
        self._under_way = 0

    def watch(self, log: Log) -> None:
        """Something was heard that may show a hole in this log."""
        self._watched[log.name] = log

    def pump(self, now: float) -> list[Log]:
        """Ask for what is missing; returns the logs whose loss only a heartbeat showed, twice in a row."""
        mute = []
        for log in list(self._watched.values()):
            if self._logs.get(log.name) is not log:
                del self._watched[log.name]
                continue
            if self._under_way >= AT_ONCE:
                break
            hole = log.hole(now)
            if log.silent_losses > 1:
                log.silent_losses = 0
                mute.append(log)
            if hole is not None:
                self._fetch(log, hole, now)
            elif log.settled:
                del self._watched[log.name]
        return mute

    def _fetch(self, log: Log, hole: Hole, now: float) -> None:
        def done(call: Call, outcome: Outcome, now: float) -> None:
            self._under_way -= 1
            log.fetching = False
            if self._logs.get(log.name) is not log:
                return
            if isinstance(outcome, Entries):
                self._delivered(log, log.page(hole, outcome.entries, outcome.more))
            elif isinstance(outcome, DENIED):
                log.failed(now, DENIED_WAIT_S)
                self._denied(now)
            else:
                log.failed(now, pause(outcome, WAIT_S, self._random))

        log.fetching = True
        self._under_way += 1
        self._calls.open(History(log=log.name, after=hole.after, before=hole.before), now, done)

    @property
    def busy(self) -> bool:
        """Whether any followed log is known to lack something."""
        return any(log.behind for log in self._watched.values() if self._logs.get(log.name) is log)

    def deadline(self) -> float:
        """When `pump` may next have something to do by the mere passing of time."""
        if self._under_way >= AT_ONCE:
            return math.inf
        return min((log.deadline() for log in self._watched.values()), default=math.inf)

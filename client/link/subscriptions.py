"""Topics this client wants to hear: asked for until the broker's `live` marker says they are granted.

libzmq sends a subscription once, and again by itself only after a reconnect; a broker that could not grant it
at that moment stays silent. So whatever is not granted in time is taken back and asked for again, ever less
often. Markers wait for the beacon's own grant, so as long as that is missing only the beacon is asked for again.
Must not know who is entitled to what.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from client.link.actions import Subscribe, Unsubscribe
from common import topics

WAIT_S: Final = 0.2
"""Seconds to the first repetition, with up to half as much again by chance: a broker under attack grants nothing for
moments, and the quick repetitions together take less than a second."""
QUICK: Final = 3
"""Repetitions after as short a wait; only then they become rarer, and it is asked whether there still is a session."""
DOUBT: Final = 5
"""Repetitions in vain after which the beacon's own grant is doubted, every time."""
WAIT_MAX_S: Final = 15.0
"""Seconds between repetitions at the most."""


@dataclass(slots=True)
class _Wanted:
    granted: bool = False
    tries: int = 0
    due: float = math.inf


class Subscriptions:
    """What is wanted, and what of it is granted."""

    def __init__(self, act: Callable[[Subscribe | Unsubscribe], None], random: Callable[[int], bytes]) -> None:
        self._act = act
        self._random = random
        self._wanted: dict[str, _Wanted] = {}
        self._connected = False
        self.beacon = ""
        """The log name of this session's beacon, among those wanted."""

    def __contains__(self, log: str) -> bool:
        return log in self._wanted

    @property
    def complete(self) -> bool:
        """Whether everything wanted is granted."""
        return all(wanted.granted for wanted in self._wanted.values())

    def want(self, log: str, now: float) -> None:
        """Hear this log from now on."""
        if log not in self._wanted:
            self._wanted[log] = wanted = _Wanted()
            self._act(Subscribe(topics.topic(log)))
            if self._connected:
                self._arm(wanted, now)

    def drop(self, log: str) -> None:
        """Hear it no longer."""
        if self._wanted.pop(log, None) is not None:
            self._act(Unsubscribe(topics.topic(log)))

    def drop_all(self) -> None:
        """Hear nothing any more."""
        for log in list(self._wanted):
            self.drop(log)
        self.beacon = ""

    def granted(self, log: str) -> bool:
        """The marker for `log` came. Returns whether it had been granted before, without a loss in between."""
        wanted = self._wanted[log]
        before, wanted.granted = wanted.granted, True
        wanted.tries, wanted.due = 0, math.inf
        return before

    def renew(self, log: str, now: float) -> None:
        """Ask again for what was granted but seems dead."""
        wanted = self._wanted.get(log)
        if wanted is not None and wanted.granted and self._connected:
            wanted.granted = False
            self._again(log, wanted, now)

    def lost(self) -> None:
        """The connection is gone, and all grants with it; libzmq will ask again by itself once it is back."""
        self._connected = False
        for wanted in self._wanted.values():
            wanted.granted, wanted.tries, wanted.due = False, 0, math.inf

    def connected(self, now: float) -> None:
        """There is a connection, and libzmq has asked for everything on it."""
        self._connected = True
        for wanted in self._wanted.values():
            if not wanted.granted and wanted.due == math.inf:
                self._arm(wanted, now)

    def remade(self, now: float) -> None:
        """The beacon was granted a second time, so the connection is new: await every other marker again."""
        self._connected = True
        for log, wanted in self._wanted.items():
            if log != self.beacon:
                wanted.granted, wanted.tries = False, 0
                self._arm(wanted, now)

    def tick(self, now: float) -> list[str]:
        """Ask again for what is overdue; returns the logs that were asked for in vain: the beacon after the quick
        repetitions, since its absence may mean that there is no session any more, others one later."""
        overdue = [log for log, wanted in self._wanted.items() if now >= wanted.due]
        beacon = self._wanted.get(self.beacon)
        waits = beacon is not None and not beacon.granted
        vain = []
        for log in overdue:
            wanted = self._wanted[log]
            if waits and log != self.beacon:
                self._arm(wanted, now)
                continue
            self._again(log, wanted, now)
            if wanted.tries > QUICK or (log == self.beacon and wanted.tries == QUICK):
                vain.append(log)
            if wanted.tries % DOUBT == 0:
                # Without the beacon no marker comes. A marker of it that crossed our repetition on the way
                # would have us believe in a grant that is gone.
                self.renew(self.beacon, now)
        return vain

    def _again(self, log: str, wanted: _Wanted, now: float) -> None:
        self._act(Unsubscribe(topics.topic(log)))
        self._act(Subscribe(topics.topic(log)))
        wanted.tries += 1
        self._arm(wanted, now)

    def _arm(self, wanted: _Wanted, now: float) -> None:
        # Jitter, so that a thousand clients that were refused together do not return together.
        wait = min(WAIT_S * 2 ** max(0, wanted.tries - QUICK + 1), WAIT_MAX_S)
        wanted.due = now + wait * (1 + self._random(1)[0] / 512)

    def deadline(self) -> float:
        """When `tick` next has something to do."""
        return min((wanted.due for wanted in self._wanted.values()), default=math.inf)

"""The notices for one browser: what came in a moment is told together, one for each conversation, with a count.

Before anything goes out the broker is asked how things stand: what was read meanwhile, or by somebody who is logged out
or sits at another device, is not told. Must not know files, nor how a notice travels.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from client import log
from client.web.push.bounds import BACK_OFF_S, COLLAPSE_S, FAILURES, PAUSE_S, TRIES, WAITING
from client.web.push.deciding import Notice, payload, still
from client.web.push.ports import Switchboard
from client.web.push.sending import Outcome, Sender
from client.web.push.subscriptions import Subscription
from common import messages as m
from common import names
from common.errors import ChatError

LOGGER: Final = logging.getLogger("tertulia.web")
KEPT: Final = 99
"""Notices of one conversation that are counted."""


class Delivery:
    """What one browser is to be told; `run` until it ends by itself or is cancelled."""

    def __init__(
        self,
        to: Subscription,
        relay: Switchboard,
        sender: Sender,
        changed: Callable[[Subscription], Awaitable[None]],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`changed` is told of new numbers of failures; `pause` waits so many seconds."""
        self.to = to
        self._relay = relay
        self._sender = sender
        self._changed = changed
        self._pause = pause
        self._waiting: dict[str, deque[Notice]] = {}
        self._some = asyncio.Event()
        self._tries = 0

    def put(self, told: Notice) -> None:
        """Tell of something, in a moment."""
        before = self._waiting.pop(told.talk, deque(maxlen=KEPT))
        self._waiting[told.talk] = before
        before.append(told)
        while len(self._waiting) > WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._some.set()

    def amend(self, log_name: str, event: m.Edited | m.Retracted) -> None:
        """What waits is told as it is now, or not at all."""
        for said in self._waiting.values():
            for index, told in enumerate(said):
                if (told.log, told.seq) == (log_name, event.target):
                    if isinstance(event, m.Edited):
                        said[index] = told._replace(text=event.text)
                    else:
                        del said[index]
                    break

    def check(self) -> None:
        """Look whether the session is still logged in."""
        self._some.set()

    async def run(self) -> str:
        """Deliver until there is nobody to deliver to any more; returns why."""
        self._some.set()  # what was logged out while the gateway was away is found at once
        while True:
            await self._some.wait()
            if self._waiting:
                await self._pause(COLLAPSE_S)
            self._some.clear()
            why, wait = await self._round()
            if why:
                return why
            await self._pause(wait)

    async def _round(self) -> tuple[str, float]:
        """Deliver what waits. Returns why it was the last time, if it was, and how long to wait before the next."""
        try:
            session = await self._relay.adopt(self.to.label)
            if session is None or names.key(session.login) != names.key(self.to.login):
                return "logged-out", 0.0
            if not self._waiting:
                return "", 0.0
            there = self._relay.active(session.login) or await self._relay.elsewhere(self.to.label)
        except ChatError:
            self._some.set()  # the broker is away, and does not stay so
            return "", BACK_OFF_S[0]
        waiting, self._waiting = self._waiting, {}
        if there:
            return "", 0.0
        for talk in list(waiting):
            said = [each for each in waiting.pop(talk) if session.entitled(each.log, each.seq)]
            said = [each for each in said if still(session.state, each)]
            if not said:
                continue
            urgent = any(each.urgent for each in said)
            outcome = await self._sender.post(self.to, payload(said[-1], len(said)), talk, urgent=urgent)
            why, wait = await self._settle(outcome)
            if why or wait:
                again = {talk: deque(said, KEPT)} if self._tries else {}
                self._put_back({**again, **waiting})
                return why, wait
        return "", PAUSE_S

    def _put_back(self, waiting: dict[str, deque[Notice]]) -> None:
        """It could not be told now; what came meanwhile is newer."""
        for talk, said in waiting.items():
            newer = self._waiting.pop(talk, ())
            self._waiting[talk] = deque((*said, *newer), KEPT)
        if self._waiting:
            self._some.set()

    async def _settle(self, outcome: Outcome) -> tuple[str, float]:
        """Take in what became of a notice: as `_round`."""
        if outcome.delivered:
            self._tries = 0
            if self.to.failures:
                await self._failed(0)
            return "", 0.0
        self._tries = self._tries + 1 if outcome.later and self._tries + 1 < TRIES else 0
        wait = max(outcome.wait, min(BACK_OFF_S[0] * 2 ** max(self._tries - 1, 0), BACK_OFF_S[1]))
        log.event(
            LOGGER,
            "push-failed",
            logging.WARNING,
            host=self.to.host,
            cause=outcome.cause,
            again=bool(self._tries),
            wait=round(wait, 1),
        )
        if outcome.gone:
            return "gone", 0.0
        if not self._tries:
            await self._failed(self.to.failures + 1)
        return ("failing" if self.to.failures >= FAILURES else ""), wait

    async def _failed(self, failures: int) -> None:
        self.to = self.to.failing(failures)
        await self._changed(self.to)

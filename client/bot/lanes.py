"""Jobs one after another in each conversation, side by side between conversations; and where that is bounded.

A room is one lane, and so is everybody who writes in private. Here are all bounds on what waits:

    LANE        jobs that wait in one lane. The log's reader waits for a place; the link meanwhile keeps what arrives,
                and forgets and reads again from the broker's log what is too much, so that nothing is lost. What no log
                keeps (comings and goings, topics) is dropped where there is no place, and the drop is logged.
    AT_ONCE     jobs that run in all lanes together; further ones wait.

Must not know what a job is.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

from client.log import event

LANE: Final = 64
"""Jobs that wait in one lane."""
AT_ONCE: Final = 256
"""Jobs that run at once in all lanes: more than an account can have rooms."""

Job = Callable[[], Awaitable[None]]

log = logging.getLogger("tertulia.bot")


class _Lane:
    def __init__(self) -> None:
        self.jobs: deque[Job] = deque()
        self.free = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Lanes:
    """The lanes of one bot."""

    def __init__(self) -> None:
        self._lanes: dict[Hashable, _Lane] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._closed = False

    async def put(self, name: Hashable, job: Job) -> None:
        """Have a job done after those before it in that lane; waits for a place."""
        while not self.offer(name, job):
            lane = self._lanes[name]
            lane.free.clear()
            await lane.free.wait()

    def offer(self, name: Hashable, job: Job) -> bool:
        """As `put`, but there must be a place; says whether there was."""
        lane = self._lanes.setdefault(name, _Lane())
        if len(lane.jobs) >= LANE:
            return False
        lane.jobs.append(job)
        if lane.task is None and not self._closed:
            lane.task = asyncio.create_task(self._work(name, lane))
        return True

    async def _work(self, name: Hashable, lane: _Lane) -> None:
        try:
            while lane.jobs and not self._closed:
                job = lane.jobs.popleft()
                lane.free.set()
                async with self._turns:
                    await _guarded(name, job)
        finally:
            lane.task = None
            if not lane.jobs and self._lanes.get(name) is lane:
                del self._lanes[name]

    @property
    def empty(self) -> bool:
        """Whether no job waits or runs."""
        return not any(lane.task for lane in self._lanes.values())

    async def idle(self) -> None:
        """Wait until those that run now have ended."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        if tasks:
            await asyncio.wait(tasks)

    def close(self) -> None:
        """Begin no further job."""
        self._closed = True

    def cancel(self) -> None:
        """End those that run."""
        self.close()
        for lane in self._lanes.values():
            if lane.task is not None:
                lane.task.cancel()


async def _guarded(name: Hashable, job: Job) -> None:
    """Do a job; a failing one does not stop those after it."""
    try:
        await job()
    except Exception:
        event(log, "job-failed", logging.ERROR, lane=name)

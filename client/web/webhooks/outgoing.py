"""Outgoing webhooks: what happens in a room is posted to a URL, in order, again and again until it was taken.

The broker's log is the queue: a hook holds some events, and its place in the log is on disk (`cursors`), so that
neither a long absence of whoever listens nor a `kill -9` of the gateway loses one. Who comes and goes is in no log, and
told only as long as the gateway is there to see it. What programs said is not sent, so that hooks make no loops; nor
is what was taken back: what waited is looked up again before it goes out. Must not know HTTP, nor what is sent
(`sending`, `payloads`).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from client import log
from client.link.chat import ChatClient
from client.link.failures import SessionOver
from client.link.room import Room, RoomEntry
from client.link.updates import RosterChanged
from client.web.rooms import Rooms
from client.web.webhooks import bounds, payloads
from client.web.webhooks.cursors import Cursor, Cursors
from client.web.webhooks.hooks import LOGGER, HooksFile, Outgoing
from client.web.webhooks.payloads import Event
from client.web.webhooks.sending import Outcome, Sender
from client.web.webhooks.telling import told
from common.errors import ChatError

Waiting = asyncio.Queue[RoomEntry | Event]
"""What is to be dealt with next: entries of the log, and events that are in none."""


class Delivery:
    """One outgoing hook at work, from `run` until `stop`."""

    def __init__(
        self,
        hook: Outgoing,
        chat: ChatClient,
        rooms: Rooms,
        cursors: Cursors,
        sender: Sender,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`chance` gives numbers from 0 to 1, which spread what was refused together."""
        self._hook = hook
        self._chat = chat
        self._rooms = rooms
        self._cursors = cursors
        self._sender = sender
        self._chance = chance
        self._stopping = asyncio.Event()
        self._failures = 0

    def stop(self) -> None:
        """Send nothing more; what is under way may end."""
        self._stopping.set()

    async def run(self) -> None:
        """Follow the room and send, until told to stop; a room that is not there is waited for."""
        while not self._stopping.is_set():
            try:
                await self._follow(await self._rooms.join(self._hook.room))
            except SessionOver:
                return  # the whole gateway ends
            except ChatError as error:
                log.event(LOGGER, "hook-waits", logging.WARNING, hook=self._hook.name, cause=error.code)
            except OSError:
                log.event(LOGGER, "cursor-not-saved", logging.ERROR, hook=self._hook.name)
            await self._pause(bounds.JOIN_S)

    async def _follow(self, room: Room) -> None:
        """Send what happens in a room as long as the account is in it."""
        after = await self._place(room)
        queue: Waiting = asyncio.Queue(bounds.WAITING)
        async with self._feeding(room, after, queue) as reading:
            while not self._stopping.is_set():
                item = await self._next(queue, reading)
                if item is None:
                    return
                if isinstance(item, Event):
                    if not await self.send(item):
                        return
                    continue
                event = await told(self._hook, self._chat, room, item)
                if event is not None and not await self.send(
                    event, partial(told, self._hook, self._chat, room, item, again=True)
                ):
                    return
                self._cursors.put(self._hook.id, Cursor(room.view.id, item.seq))
                if event is not None:
                    await self._cursors.save()

    async def _place(self, room: Room) -> int:
        """The entry after which to begin: where the hook was, or else the newest one."""
        cursor = self._cursors.get(self._hook.id)
        if cursor is None or cursor.room != room.view.id:
            newest = await room.whole_history(limit=1)
            cursor = Cursor(room.view.id, newest[-1].seq if newest else 0)
            self._cursors.put(self._hook.id, cursor)
            await self._cursors.save()
        log.event(LOGGER, "hook-begins", hook=self._hook.name, room=room.name, after=cursor.seq)
        return cursor.seq

    @asynccontextmanager
    async def _feeding(self, room: Room, after: int, queue: Waiting) -> AsyncIterator[asyncio.Task[None]]:
        """Fill the queue within the context; the task that reads the log ends with it. Raises what made it fail."""
        tasks = [asyncio.create_task(self._entries(room, after, queue))]
        if {"join", "leave"} & set(self._hook.events):
            tasks.append(asyncio.create_task(self._changes(room, queue)))
        try:
            yield tasks[0]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled():
                task.result()

    async def _entries(self, room: Room, after: int, queue: Waiting) -> None:
        async for entry in room.entries(after):
            await queue.put(entry)

    async def _changes(self, room: Room, queue: Waiting) -> None:
        async for update in self._chat.updates():
            if not isinstance(update, RosterChanged) or update.log != room.name:
                continue
            for change in update.roster.changes:
                kind = {"joined": "join", "left": "leave"}.get(change.change)
                if kind in self._hook.events and change.login != self._chat.login and not queue.full():
                    queue.put_nowait(payloads.of_change(self._hook, change, update.roster.time))

    async def _next(self, queue: Waiting, reading: asyncio.Task[None]) -> RoomEntry | Event | None:
        """What to deal with next; None once there is no more to read, or when it is time to stop."""
        if not queue.empty():
            return queue.get_nowait()
        getting, stopping = asyncio.create_task(queue.get()), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((getting, stopping, reading), return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()
            stopping.cancel()

    async def send(self, event: Event, anew: Callable[[], Awaitable[Event | None]] | None = None) -> bool:
        """Send an event until it was taken or given up; returns whether either happened before it was time to stop.

        `anew` tells before each further try what is to be sent now, or that nothing is any more; raises what it raises.
        """
        tries = 0
        while not self._stopping.is_set():
            if tries and anew is not None:
                now = await anew()
                if now is None:
                    log.event(LOGGER, "hook-taken-back", hook=self._hook.name, event=event.kind, id=event.id)
                    return True
                event = now
            tries += 1
            if self._failures and self._chat.clock.now() - event.time > bounds.GIVE_UP_H * 3_600_000:
                log.event(LOGGER, "hook-gave-up", logging.WARNING, hook=self._hook.name, event=event.kind, id=event.id)
                return True
            outcome = await self._sender.post(self._hook, event, int(time.time()))
            if outcome.delivered:
                log.event(LOGGER, "hook-sent", hook=self._hook.name, id=event.id, failures=self._failures)
                self._failures = 0
                return True
            self._failures += 1
            wait = self._wait(outcome)
            log.event(
                LOGGER,
                "hook-failed",
                logging.WARNING,
                hook=self._hook.name,
                host=self._hook.host,
                cause=outcome.cause,
                id=event.id,
                given_up=outcome.final,
                wait=round(wait, 1),
            )
            if outcome.final:
                return True
            await self._pause(wait)
        return False

    def _wait(self, outcome: Outcome) -> float:
        first, most = bounds.BACK_OFF_S
        wait = min(most, first * 2.0 ** min(self._failures - 1, 20))
        return max(outcome.retry_after, wait * (1 - self._chance() / 2))

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


class OutgoingHooks:
    """All outgoing hooks of a file, begun and ended as the file says."""

    def __init__(self, chat: ChatClient, rooms: Rooms, hooks: HooksFile, cursors: Cursors, sender: Sender) -> None:
        self._chat = chat
        self._rooms = rooms
        self._hooks = hooks
        self._cursors = cursors
        self._sender = sender
        self._at_work: dict[Outgoing, tuple[Delivery, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Look at the file again and again; until cancelled."""
        while True:
            await self._follow_file()
            await asyncio.sleep(bounds.LOOK_S)

    async def _follow_file(self) -> None:
        wanted = set(self._hooks.current().outgoing)
        for hook in self._at_work.keys() - wanted:
            delivery, task = self._at_work.pop(hook)
            delivery.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for _delivery, task in self._at_work.values():
            if task.done():
                task.result()  # what should not have happened ends the process, which is then started anew
        for hook in wanted - self._at_work.keys():
            delivery = Delivery(hook, self._chat, self._rooms, self._cursors, self._sender)
            self._at_work[hook] = delivery, asyncio.create_task(delivery.run())
        self._cursors.keep({hook.id for hook in wanted})
        try:
            await self._cursors.save()
        except OSError:
            log.event(LOGGER, "cursor-not-saved", logging.ERROR)

    async def stop(self, grace: float) -> None:
        """End all of them; what is under way has `grace` seconds to end."""
        tasks = [task for _delivery, task in self._at_work.values()]
        for delivery, _task in self._at_work.values():
            delivery.stop()
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._cursors.save()

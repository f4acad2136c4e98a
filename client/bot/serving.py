"""A bot at work on one connection: the logs that it reads, what happens beside them, and its timers.

Must not know what the handlers do. Its length is that of what can happen to a room.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from client.bot.clock import BrokerClock, Clock
from client.bot.delivery import Cursor
from client.bot.desk import Desk, login_of
from client.bot.dispatch import Dispatch
from client.bot.followed import Followed
from client.bot.keeping import Keeping
from client.bot.lanes import Lanes
from client.bot.listeners import EventListener
from client.bot.ports import Chat, Updates
from client.bot.programs import Programs
from client.bot.runs import Runs
from client.bot.things import OWN, Event, EventKind, User
from client.bot.timers import tick
from client.link.failures import SessionOver
from client.link.updates import (
    Arrived,
    LinkChanged,
    LinkState,
    Overrun,
    RoomJoined,
    RoomLeft,
    RosterChanged,
    SessionEnded,
    SubjectChanged,
    Update,
)
from client.log import event
from common import messages as m
from common import names, scopes
from common.errors import ChatError

if TYPE_CHECKING:
    from client.bot.bot import Bot

DRAIN_S: Final = 10.0
"""Seconds that handlers have to finish when the bot is stopped."""
GLANCE_S: Final = 0.001
"""Seconds between two looks at whether all was taken up."""
_CHANGES: Final[dict[str, EventKind]] = {"joined": "join", "left": "leave", "online": "online", "offline": "offline"}

log = logging.getLogger("tertulia.bot")


class Serving:
    """One bot on one connection, until it is stopped or the connection is closed."""

    def __init__(self, bot: Bot, chat: Chat, clock: Clock | None, rooms: Iterable[str]) -> None:
        """Raises `NotLoggedIn`."""
        self._bot = bot
        self._chat = chat
        self._rooms = tuple(rooms)
        self.clock: Clock = clock or BrokerClock(chat.clock)
        self.desk = Desk(chat, self.clock, login_of(chat))
        self._runs = Runs(bot, self.desk)
        self._dispatch = Dispatch(bot, self.desk, self._runs)
        self._lanes = Lanes()
        self._keeping = Keeping(chat, self.clock, bot.start == "resume")
        self._followed: dict[str, Followed] = {}
        self._programs = Programs(self.desk)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._updates: Updates | None = None
        self._pumping = False
        self._away = False
        """Whether the log says that the broker is away."""

    async def run(self, ready: Callable[[], None] | None) -> None:
        """Serve until stopped, or until the connection is closed. Raises `SessionOver` if the session ends."""
        self._updates = updates = self._chat.updates()
        try:
            await self._arrive()
            for timer in self._bot.listeners.timers:
                self._spawn(tick(timer, self.desk, self._dispatch))
            self._spawn(self._keeping.run())
            event(log, "serving", bot=self.desk.login, name=self._bot.name, rooms=",".join(self._chat.rooms))
            if ready is not None:
                ready()
            self._dispatch.life("ready")
            following = self._spawn(self._pump(updates))
            stopping = self._spawn(self._until_stopped())
            done, _ = await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if following in done:
                following.result()
            await self._drain()
        finally:
            self._cancel()
            self._stopped.set()

    async def stop(self) -> None:
        """Begin nothing any more, and wait until what is at work has finished; a handler does not wait for itself."""
        self._stopping.set()
        if not self._runs.within():
            await self._stopped.wait()

    async def _until_stopped(self) -> None:
        await self._stopping.wait()

    async def _drain(self) -> None:
        self._lanes.close()
        self._cancel_tasks()
        self._dispatch.life("stopping")
        await self._runs.finish(DRAIN_S)
        await self._keeping.keep()

    def _cancel(self) -> None:
        self._lanes.cancel()
        self._cancel_tasks()
        self._runs.cancel()

    def _cancel_tasks(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_log_failure)
        return task

    # Logs.

    async def _arrive(self) -> None:
        state = self._chat.state
        for name in self._rooms or (_begins_in(state) if state is not None else ()):
            await self._join(name)
        for name, room in list(self._chat.rooms.items()):
            await self._follow(name, room.view, room.start)
        if state is not None and (state.scopes is None or scopes.DIRECT in state.scopes):
            await self._follow_inbox(state)

    async def _join(self, name: str) -> None:
        if self._chat.room(name) is not None:
            return
        try:
            await self._chat.join(name)
        except ChatError as error:
            event(log, "not-joined", logging.WARNING, bot=self.desk.login, room=name, reason=error)

    async def _follow_inbox(self, state: m.SessionState) -> None:
        talk = next((each for each in state.talks if each.talk == self.desk.inbox), None)
        try:
            cursor = await self._keeping.begin(self.desk.inbox, self._chat.inbox.start, talk)
        except ChatError as error:
            event(log, "not-read", logging.WARNING, bot=self.desk.login, log=self.desk.inbox, reason=error)
            return
        self._read_on(self.desk.inbox, None, cursor)

    async def _follow(self, name: str, view: m.RoomView, head: int) -> None:
        known = self._followed.get(name)
        if known is not None and known.view is not None and known.view.id == view.id:
            return
        if known is not None:
            self._unfollow(name)
        try:
            cursor = await self._keeping.begin(name, head, view, view.since)
        except ChatError as error:
            event(log, "not-read", logging.WARNING, bot=self.desk.login, log=name, reason=error)
            return
        self._read_on(name, view, cursor)

    def _read_on(self, name: str, view: m.RoomView | None, cursor: Cursor) -> None:
        stream = self._chat.stream(name, cursor.handled)
        followed = self._followed[name] = Followed(name, view, cursor, stream)
        followed.task = self._spawn(self._read(followed))

    def _unfollow(self, name: str) -> None:
        followed = self._followed.pop(name, None)
        if followed is not None:
            if followed.task is not None:
                followed.task.cancel()
            self.desk.questions.close(name)
            self._keeping.forget(name, followed.cursor)

    async def _read(self, followed: Followed) -> None:
        """Hand every entry of a log to its lane, in order."""
        stream = followed.stream
        try:
            async for entry in stream:
                followed.read(entry)
                replayed = entry.seq <= stream.replayed
                lane = followed.name if followed.view else (followed.name, self._partner(entry))
                await self._lanes.put(lane, partial(self._entry, followed, entry.seq, replayed))
        except SessionOver:
            pass  # The updates say so, too.
        except ChatError as error:
            event(log, "not-read", logging.WARNING, bot=self.desk.login, log=followed.name, reason=error)

    def _partner(self, entry: m.AnyEntry) -> str:
        """Whose lane an entry of the inbox is in."""
        if isinstance(entry, m.DirectMessage) and self.desk.is_me(entry.sender):
            return names.key(entry.to)
        return names.key(entry.sender)

    def _view(self, followed: Followed) -> m.RoomView | None:
        """The room as it is now, with those who moderate it now."""
        if followed.view is not None:
            known = self._chat.rooms.get(followed.name)
            if known is not None and known.view.id == followed.view.id:
                followed.view = known.view
        return followed.view

    async def _entry(self, followed: Followed, seq: int, replayed: bool) -> None:
        settled = partial(self._keeping.settle, followed.name, followed.cursor, seq)
        try:
            await self._dispatched(followed, followed.take(seq), replayed, settled)
        except Exception:
            settled()  # What cannot be handled now cannot be handled the next time.
            raise

    async def _dispatched(
        self, followed: Followed, entry: m.AnyEntry, replayed: bool, settled: Callable[[], None]
    ) -> None:
        view = self._view(followed)
        if isinstance(entry, (m.Message, m.DirectMessage)):
            if entry.hops:
                self._programs.remember(entry.sender, True)
            await self._dispatch.message(followed.name, view, entry, replayed, settled)
            return
        if isinstance(entry, m.Invited):
            await self._invited(entry)
        found = self._event(entry, view)
        heeding = [] if found is None else await self._heeding(found)
        if found is None or not heeding:
            settled()
        else:
            await self._dispatch.event(found, heeding, view, replayed, settled)

    async def _invited(self, entry: m.Invited) -> None:
        """Go where the bot is invited, unless it was told where to be."""
        wanted = {names.key(name) for name in self._rooms}
        if not self.desk.is_me(entry.sender) and (not wanted or names.key(entry.room) in wanted):
            await self._join(entry.room)

    def _event(self, entry: m.AnyEntry, view: m.RoomView | None) -> Event | None:
        room = None if view is None else self.desk.room_of(view, None)
        user = User(entry.sender) if room is None else room.user(entry.sender)
        if isinstance(entry, m.Reacted):
            return Event("reaction", entry.time, user, room, entry.seq, entry.target, entry.emoji, entry.on)
        if isinstance(entry, m.Edited):
            return Event("edit", entry.time, user, room, entry.seq, entry.target, text=entry.text)
        if isinstance(entry, m.Retracted):
            return Event("retract", entry.time, user, room, entry.seq, entry.target)
        if isinstance(entry, m.Invited):
            return Event("invited", entry.time, user, None, entry.seq, text=entry.room)
        return None

    # People.

    async def _heeding(self, found: Event) -> list[EventListener]:
        """Who hears of an event: not of what the bot does itself, and of what programs do only if that is asked for."""
        fitting = [listener for listener in self._bot.listeners.events if listener.hears(found)]
        if not fitting or found.kind in OWN:
            return fitting
        if self.desk.is_me(found.user.login):
            return []
        hearing = [each for each in fitting if (self._bot.bots if each.bots is None else each.bots)]
        if len(hearing) < len(fitting) and not await self._programs.has(found.user.login):
            return fitting
        return hearing

    # What no log keeps.

    async def _pump(self, updates: Updates) -> None:
        async for update in updates:
            self._pumping = True
            await self._happens(update)
            self._pumping = False

    async def _happens(self, update: Update) -> None:
        if isinstance(update, Arrived):
            followed = self._followed.get(update.log)
            if followed is not None and isinstance(update.entry, (m.Edited, m.Retracted)):
                followed.change(update.entry)
        elif isinstance(update, RoomJoined):
            await self._follow(update.view.name, update.view, update.view.head)
            self._happened(update.view.name, "joined", self.clock.now(), self.desk.login)
        elif isinstance(update, RoomLeft):
            self._happened(update.name, "left", self.clock.now(), self.desk.login, reason=update.reason)
            self._unfollow(update.name)
            if update.reason == "gone" and any(names.key(name) == names.key(update.name) for name in self._rooms):
                await self._join(update.name)
        elif isinstance(update, RosterChanged):
            for change in update.roster.changes:
                if change.change in _CHANGES:
                    kind = _CHANGES[change.change]
                    self._happened(update.log, kind, update.roster.time, change.login, reason=change.reason)
        elif isinstance(update, SubjectChanged):
            self._happened(update.log, "topic", update.time, update.by, text=update.subject)
        elif isinstance(update, LinkChanged):
            self._link_changed(update.state)
        elif isinstance(update, Overrun):
            event(log, "overrun", logging.WARNING, bot=self.desk.login)
        elif isinstance(update, SessionEnded):
            raise SessionOver(f"The bot's session has ended: {update.reason}.")

    def _link_changed(self, state: LinkState) -> None:
        """Tell whoever reads the log that the broker is away, and that it is there again."""
        if state is LinkState.OFFLINE and not self._away:
            self._away = True
            event(log, "broker-away", logging.WARNING, bot=self.desk.login)
        elif state is LinkState.LIVE and self._away:
            self._away = False
            event(log, "broker-back", bot=self.desk.login)

    def _happened(self, name: str, kind: EventKind, time: int, login: str, reason: str = "", text: str = "") -> None:
        followed = self._followed.get(name)
        view = self._view(followed) if followed else None
        if view is None:
            return
        room = self.desk.room_of(view, None)
        found = Event(kind, time, room.user(login), room, reason=reason, text=text)
        if not any(listener.hears(found) for listener in self._bot.listeners.events):
            return

        async def job() -> None:
            await self._dispatch.event(found, await self._heeding(found), view)

        if not self._lanes.offer(name, job):
            event(log, "lane-full", logging.WARNING, bot=self.desk.login, room=name, dropped=kind, by=login)

    # For whoever waits.

    async def handled(self, talk: str, seq: int) -> None:
        """Wait until a log was handled up to `seq`."""
        await self._keeping.handled(talk, seq)

    async def idle(self) -> None:
        """Wait until all that has arrived was handled, or waits for somebody's answer."""
        await asyncio.sleep(0)  # for whoever was woken and has not gone on yet
        while self._catching_up or self._runs.busy or not self._lanes.empty:
            await self._runs.idle()
            await self._lanes.idle()
            if self._catching_up:
                await asyncio.sleep(GLANCE_S)

    @property
    def _catching_up(self) -> bool:
        """Whether something has arrived that was not taken up."""
        waiting = self._updates is not None and self._updates.waiting > 0
        return waiting or self._pumping or any(followed.behind for followed in self._followed.values())


def _begins_in(state: m.SessionState) -> list[str]:
    """Where a bot is that was not told: in the room where its session begins, and in those that its key names.

    A session that was in no room any more is told where it begins before the broker has brought it there.
    """
    if state.scopes is None:
        return [state.current]
    allowed = scopes.Scopes(state.scopes)
    mentioned = {each.partition(":")[2] for each in state.scopes} - {"", scopes.ANY}
    return [state.current] * allowed.enters(names.key(state.current)) + sorted(mentioned - {names.key(state.current)})


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, SessionOver):
        log.error("part-failed", exc_info=error)

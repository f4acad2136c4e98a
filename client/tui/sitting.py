"""What the full screen and `--plain` share: a typed line is carried out, updates reach the model, wishes the broker.

Whatever the broker refuses ends here as a sentence in the conversation. Must not know how anything is shown.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final

from client.link.updates import LinkChanged, LinkState, RoomJoined, Settled, Update
from client.tui.commands import TABLE
from client.tui.grammar import Call, Mistake, Say
from client.tui.ports import Chat, Sending
from client.tui.reading import OLDER_PAGE, Reading
from client.tui.state import Model
from client.tui.wishes import Load, Missed, Over, Ring, Wish
from common import texts, topics
from common.errors import ChatError, NoSuchUser

PATIENCE_S: Final = 1.0
"""Seconds that what is typed next waits for a command; then it overtakes."""


class Sitting:
    """One person, or script, at the chat. The two surfaces derive from it."""

    def __init__(self, chat: Chat, model: Model) -> None:
        self.chat = chat
        self.model = model
        self._typed: deque[str] = deque()
        self._busy = False
        self.reading = Reading(chat, model)
        self._tasks: set[asyncio.Task[Any]] = set()

    # What a surface fills in

    def changed(self) -> None:
        """Something to show has changed."""

    def ring(self, log: str) -> None:
        """Somebody means this person."""

    def over(self, sentence: str) -> None:
        """The session has ended."""

    # What commands use

    def tell(self, *lines: str) -> None:
        """Show the answer to a command."""
        self._note("\n".join(lines), "answer")

    def complain(self, *lines: str) -> None:
        """Show that something was refused, and why."""
        self._note("\n".join(lines), "error")

    def _note(self, text: str, kind: Any) -> None:
        self.model.now = self.chat.clock.now()
        self.model.note(self.model.current, text, kind)
        self.changed()

    def show(self, log: str) -> None:
        """Turn to a conversation."""
        self.model.turn(log)
        if log.startswith("@") and not self.model.here.loaded:
            self.load(log)
        self.changed()

    def clear(self) -> None:
        """Empty the view of the current conversation."""
        self.model.here.records.clear()
        self.changed()

    def say(self, log: str, text: str) -> bool:
        """Send a message. Returns whether it is on its way; if not, it was said why."""
        try:
            texts.check_text(text)
            sending = self.chat.direct(log[1:], text) if log.startswith("@") else self.chat.post(log, text)
        except ChatError as error:
            self.complain(error.message)
            return False
        self.model.now = self.chat.clock.now()
        self.model.said(log, text, sending.nonce)
        self.sent(sending)
        self.changed()
        return True

    def sent(self, sending: Sending) -> None:
        """A message is on its way."""

    # What is typed

    def enter(self, line: str) -> bool:
        """Carry out a line. Returns False if it was a mistake and should be given back to the person.

        While a command is at work the line waits its turn, so that what follows `#gR room` goes to that room.
        """
        if self._busy:
            self._typed.append(line)
            return True
        return self._take(line)

    def _take(self, line: str) -> bool:
        match TABLE.parse(line):
            case Say(text):
                return self.say(self.model.current, text.rstrip())
            case Call() as call:
                self._busy = True
                self.begin(self._in_turn(call))
            case Mistake(lines):
                self.complain(*lines)
                return False
        return True

    async def _in_turn(self, call: Call) -> None:
        command = self.begin(self.carry_out(call))
        await asyncio.wait({command}, timeout=PATIENCE_S)
        self._busy = False
        while self._typed and not self._busy:
            self._take(self._typed.popleft())

    async def carry_out(self, call: Call) -> bool:
        """Carry out a command. Returns whether the broker granted it; if not, it was said why."""
        try:
            await call.spec.action(self, call.values, call.flags)  # type: ignore[arg-type]
        except ChatError as error:
            wait = f" Try again in {error.retry_after:.0f} s." if error.retry_after and error.retry_after >= 1 else ""
            self.complain(error.message + wait)
            return False
        return True

    def begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Let something go on beside the rest; `stop` ends it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """End what still goes on beside."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What the broker tells

    def arrive(self) -> AsyncIterator[Update]:
        """The client is logged in: begin with the rooms it is in. Returns what happens from now on, for `follow`.

        Whatever came before the stream began is in the pages that are read after it.
        """
        updates = self.chat.updates()
        state = self.chat.state
        if state is None:
            raise AssertionError("listening begins after the login")
        self.model.arrive(state.login, self.chat.default_room, state.current)
        for view in state.rooms:
            self.take(RoomJoined(view))
        self.load(topics.inbox(state.login))
        return updates

    async def follow(self, updates: AsyncIterator[Update]) -> None:
        """Take in updates as long as there are any."""
        async for update in updates:
            self.take(update)

    def take(self, update: Update) -> None:
        """Take in one update."""
        self.model.now = self.chat.clock.now()
        if isinstance(update, LinkChanged) and update.state is LinkState.LIVE:
            for log in sorted(self.reading.failed):
                self.load(log)
        if isinstance(update, Settled) and isinstance(update.outcome, ChatError):
            self.refused(self.model.owner(update.nonce), update.outcome)
        for wish in self.model.apply(update):
            self._grant(wish)
        self.changed()

    def refused(self, log: str, error: ChatError) -> None:
        """A refused message is marked where it stands; where that is out of sight, it is said here as well."""
        if log not in ("", self.model.current):
            self.complain(f"Not sent to {log.removeprefix('@')}: {error.message}")
            if isinstance(error, NoSuchUser):
                self.model.close(log)

    def _grant(self, wish: Wish) -> None:
        match wish:
            case Load(log):
                self.load(log)
            case Missed(log, after):
                self.begin(self._read(self.reading.missed(log, after, self.take)))
            case Ring(log):
                self.ring(log)
            case Over(sentence):
                self.over(sentence)

    def load(self, log: str) -> None:
        """Begin to read who is in a room and what was said last."""
        self.begin(self._read(self.reading.newest(log)))

    async def older(self, count: int = OLDER_PAGE) -> None:
        """Bring in about `count` older messages of the current conversation."""
        await self._read(self.reading.older(self.model.here, count))

    async def _read(self, work: Coroutine[Any, Any, None]) -> None:
        self.changed()
        try:
            await work
        except ChatError as error:
            self.complain(f"What was said before cannot be read now: {error.message}")
        self.changed()

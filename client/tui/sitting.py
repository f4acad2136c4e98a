"""What the full screen and `--plain` share: a typed line is carried out, updates reach the model, wishes the broker.

Whatever the broker refuses ends here as a sentence in the conversation. All that both need stands in this one module.
Must not know how anything is shown.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final

from client.language import _, sentence
from client.link.updates import LinkChanged, LinkState, RoomJoined, Settled, Update
from client.tui.commands.actions import ACTIONS
from client.tui.commands.ports import Chat, Sending, Surface
from client.tui.model.records import Record
from client.tui.model.state import Model
from client.tui.model.wishes import Load, Missed, Over, Ring, Tell, Wish
from client.tui.reading import OLDER_PAGE, Reading
from client.tui.receipts import Receipts
from client.tui.text.links import Numbers
from client.typed.grammar import Call, Mistake, Say
from client.typed.table import TABLE
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
        self._links: dict[str, Numbers] = {}
        self.reading = Reading(chat, model)
        self.receipts = Receipts(chat, model.marks)
        self._tasks: set[asyncio.Task[Any]] = set()

    newcomer = False
    """Whether the account was made just now."""

    # What a surface fills in

    @property
    def screen(self) -> Surface | None:
        """What only a full screen can do; None where there is none."""
        return None

    @property
    def links(self) -> Numbers:
        """The links of the conversation, by their numbers."""
        return self._links.setdefault(self.model.current, Numbers())

    def changed(self) -> None:
        """Something to show has changed."""

    async def secret(self, prompt: str) -> str | None:
        """Ask for something that is not shown; None if the person thinks better of it."""
        raise NotImplementedError

    def quit(self) -> None:
        """End, once what was sent is acknowledged."""
        raise NotImplementedError

    async def forget(self) -> None:
        """End the session for good."""
        raise NotImplementedError

    def ring(self, log: str, record: Record | None) -> None:
        """Somebody means this person, with that message; without one, by an invitation."""

    def not_changed(self, log: str, sentence: str, text: str) -> None:
        """A change of a message was refused; `text` is what was written for it."""
        self.complain(sentence, *([text] if text else []))

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

    def say(self, log: str, text: str, reply_to: int = 0) -> bool:
        """Send a message, which may answer another. Returns whether it is on its way; if not, it was said why."""
        try:
            texts.check_text(text)
            if log.startswith("@"):
                sending = self.chat.direct(log[1:], text, reply_to=reply_to or None)
            else:
                sending = self.chat.post(log, text, reply_to=reply_to or None)
        except ChatError as error:
            self.complain(sentence(error))
            return False
        self.model.now = self.chat.clock.now()
        self.model.said(log, text, sending.nonce, reply_to)
        self.sent(sending)
        self.changed()
        return True

    def sent(self, sending: Sending) -> None:
        """A message is on its way."""

    async def settled(self) -> bool:
        """Whether nothing of one's own is on its way in the current conversation."""
        return not self.model.here.records.pending

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
        if call.spec.on_screen and self.screen is None:
            self.complain(_("{command} needs the full screen.").format(command=call.spec.name))
            return False
        try:
            await ACTIONS[call.spec.name](self, call.values, call.flags)
        except ChatError as error:
            again = _("Try again in {n} s.").format(n=round(error.retry_after or 0))
            self.complain(sentence(error) + (f" {again}" if error.retry_after and error.retry_after >= 1 else ""))
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
        self.model.arrive(state.login, self.chat.default_room, state)
        for view in state.rooms:
            if not self.newcomer:
                self.model.member(view)
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
        self.tell_marks()

    def tell_marks(self) -> None:
        """Let the broker know what was read, if there is something new to know."""
        if self.receipts.wanted():
            self.begin(self.receipts.tell())

    def refused(self, log: str, error: ChatError) -> None:
        """A refused message is marked where it stands; where that is out of sight, it is said here as well."""
        if log not in ("", self.model.current):
            said = _("Not sent to {name}: {why}")
            self.complain(said.format(name=log.removeprefix("@"), why=sentence(error)))
            if isinstance(error, NoSuchUser):
                self.model.close(log)

    def _grant(self, wish: Wish) -> None:
        match wish:
            case Load(log):
                self.load(log)
            case Missed(log, after):
                self.begin(self._read(self.reading.missed(log, after, self.take)))
            case Ring(log, record):
                self.ring(log, record)
            case Tell(log, why, text):
                self.not_changed(log, why, text)
            case Over(sentence):
                self.over(sentence)

    def load(self, log: str) -> None:
        """Begin to read who is in a room and what was said last."""
        self.begin(self._read(self.reading.newest(log)))

    async def around(self, record: int) -> Record:
        """Read the message at that `seq` of the current conversation, with what stands around it."""
        try:
            return await self.reading.around(self.model.here, record)
        finally:
            self.changed()

    async def older(self, count: int = OLDER_PAGE) -> None:
        """Bring in about `count` older messages of the current conversation."""
        await self._read(self.reading.older(self.model.here, count))

    async def _read(self, work: Coroutine[Any, Any, None]) -> None:
        self.changed()
        try:
            await work
        except ChatError as error:
            self.complain(_("What was said before cannot be read now: {why}").format(why=sentence(error)))
        self.changed()

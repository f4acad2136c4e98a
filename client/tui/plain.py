"""`--plain`: a line in is a message or a command, a line out is an event; for pipes, scripts and screen readers.

    12:51 #lobby ana: hello          somebody said something (one's own once it is acknowledged)
    12:51 #lobby · ana came in       something happened          12:51 #lobby │ …   the answer to a command

Refusals go to standard error. No escape sequence is ever written. At the end of the input everything that was
sent is acknowledged first. What a person at a terminal needs, and what a script needs, stand together here. Must not
import the screen's library.
"""

from __future__ import annotations

import asyncio
import getpass
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final, TextIO

from client.language import _, ngettext, sentence
from client.link.updates import LinkChanged, Update
from client.tui.commands.ports import Chat, Sending
from client.tui.model.conversations import Conversation
from client.tui.model.records import Record
from client.tui.model.state import Model
from client.tui.sitting import Sitting
from client.tui.text import clean
from client.tui.view import render
from client.typed import grammar
from client.typed.table import TABLE
from common.errors import ChatError
from common.limits import TEXT_BYTES
from common.messages import Edited, Reacted, Retracted

UNDER_WAY: Final = 64
"""Messages sent and not acknowledged, before the next line is read."""
LINE_BYTES: Final = 4 * TEXT_BYTES
"""Bytes of a line that are looked at: beyond what a message may have, so that too much is refused."""
FINISH_S: Final = 60.0
"""Seconds that the end of the input waits for acknowledgements, before it is a failure."""


class PlainSitting(Sitting):
    """The chat on two streams of lines."""

    def __init__(
        self, chat: Chat, out: TextIO, errors: TextIO, *, rooms: Sequence[str] = (), may_ask: bool | None = None
    ) -> None:
        """`may_ask` says whether hidden questions can be put (default: if standard input is a terminal)."""
        super().__init__(chat, Model(chat.login or ""))
        self._out = out
        self._errors = errors
        self._rooms = rooms
        self._may_ask = sys.stdin.isatty() if may_ask is None else may_ask
        self._under_way: list[Sending] = []
        self._printed: dict[str, int] = {}
        """Up to which message each conversation is printed."""
        self._failed = False
        self._logging_out = False
        # Who pipes something in may not look at what comes out; a mark says that somebody did.
        self.model.attentive = lambda: self._may_ask
        self._ended = asyncio.Event()
        self._shown = asyncio.Event()
        """Set while everything acknowledged has been shown."""
        self._shown.set()

    async def run(self, lines: AsyncIterator[str]) -> int:
        """Carry out `lines` until they end, or the chat does. Returns the exit status: 1 if something was refused."""
        try:
            self.model.heard = self._heard
            self.model.amended = self._amended
            tasks = [
                self.begin(self.follow(self.arrive())),
                self.begin(self._read_all(lines)),
                self.begin(self._until_ended()),
            ]
            done, _rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await self._finish()
            await self.receipts.finish()
        finally:
            await self.stop()
            await self.chat.close()
        return 1 if self._failed else 0

    async def _until_ended(self) -> None:
        await self._ended.wait()

    async def _read_all(self, lines: AsyncIterator[str]) -> None:
        for room in self._rooms:
            await self._carry_out(f"/join {room}")
        async for line in lines:
            await self._carry_out(line)
            if self._ended.is_set():
                return

    async def _carry_out(self, line: str) -> None:
        match TABLE.parse(line):
            case grammar.Say(text):
                if len(self._under_way) >= UNDER_WAY:
                    await self._settled(self._under_way.pop(0))
                self.say(self.model.current, text)
            case grammar.Call() as call:
                await self.carry_out(call)
            case grammar.Mistake(advice):
                self.complain(*advice)

    async def settled(self) -> bool:
        """Wait until all that was sent is acknowledged, and shown. Returns False if that takes long."""
        try:
            async with asyncio.timeout(FINISH_S):
                while self._under_way:
                    await self._settled(self._under_way[0])
                    del self._under_way[0]
                await self._shown.wait()
        except TimeoutError:
            return False
        return True

    async def _finish(self) -> None:
        if not await self.settled():
            n = self.model.waiting
            said = ngettext(
                "Not acknowledged within {seconds} s: {n} message sent.",
                "Not acknowledged within {seconds} s: {n} messages sent.",
                n,
            )
            self.complain(said.format(seconds=f"{FINISH_S:.0f}", n=n))

    async def _settled(self, sending: Sending) -> None:
        try:
            await sending
        except ChatError as error:
            self.complain(_("Not sent: {why}").format(why=sentence(error)))

    # What a sitting tells the surface

    def _heard(self, talk: Conversation, record: Record) -> None:
        self._printed[talk.log] = max(record.seq, self._printed.get(talk.log, 0))
        texts = [record.text] if record.kind == "message" else record.text.split("\n")
        for text in texts:
            print(render.in_a_line(replace(record, text=text), talk.title), file=self._out, flush=True)

    def _amended(self, talk: Conversation, entry: Edited | Retracted | Reacted) -> None:
        """Somebody did something to a message that was said before, whether that was printed here or not."""
        by, number = entry.sender, entry.target
        match entry:
            case Edited():
                said = _("{login} changed ^{number}: {text}").format(login=by, number=number, text=entry.text)
            case Retracted():
                said = _("{login} took ^{number} back").format(login=by, number=number)
            case Reacted(on=True):
                said = _("{login} put {emoji} to ^{number}").format(login=by, emoji=entry.emoji, number=number)
            case _:
                said = _("{login} took {emoji} from ^{number}").format(login=by, emoji=entry.emoji, number=number)
        self._heard(talk, Record("notice", entry.time, said))

    def load(self, log: str) -> None:
        """A script wants what happens from now on; a person also what they have missed."""
        if self._may_ask:
            self.begin(self._catch_up(log))

    async def _catch_up(self, log: str) -> None:
        await self._read(self.reading.newest(log))
        self._print_missed()

    def show(self, log: str) -> None:
        super().show(log)
        self._print_missed()

    def _print_missed(self) -> None:
        """Print what of the conversation was said while the person was away, as nobody has printed it."""
        talk = self.model.here
        at = talk.records.find(talk.unread_from) if talk.unread_from else None
        for index in range(len(talk.records) if at is None else at, len(talk.records)):
            record = talk.records[index]
            if record.kind == "message" and record.seq > self._printed.get(talk.log, 0):
                self._heard(talk, record)

    def refused(self, log: str, error: ChatError) -> None:
        """Said where the message is waited for."""

    def take(self, update: Update) -> None:
        super().take(update)
        if not self.model.waiting:
            self._shown.set()
        if isinstance(update, LinkChanged):
            print(f"~ {update.state.value}", file=self._errors, flush=True)

    def not_changed(self, log: str, why: str, text: str) -> None:
        """Said where the change is waited for."""

    def sent(self, sending: Sending) -> None:
        self._under_way.append(sending)
        self._shown.clear()

    def over(self, sentence: str) -> None:
        if not self._logging_out:
            self.complain(sentence)
            self._ended.set()

    def quit(self) -> None:
        """End, once what was sent is acknowledged."""
        self._ended.set()

    async def forget(self) -> None:
        """End the session for good."""
        self._logging_out = True
        await self.chat.log_out(self.chat.token)
        self._ended.set()

    async def secret(self, prompt: str) -> str | None:
        """Ask on the terminal; impossible elsewhere."""
        if not self._may_ask:
            raise ChatError(_("That is asked for on a terminal only."))
        return await asyncio.to_thread(getpass.getpass, prompt)

    def complain(self, *lines: str) -> None:
        """To standard error, and into the exit status."""
        self._failed = True
        for line in lines:
            print(f"! {clean.line(line)}", file=self._errors, flush=True)


async def read_lines(source: TextIO) -> AsyncIterator[str]:
    """The lines of a stream, one at a time.

    They are read on a thread: a file cannot be waited for, and a terminal may never end.

    A line longer than any message is cut, and refused for its length. Bytes that are no UTF-8 are replaced.
    """
    loop = asyncio.get_running_loop()
    wanted = threading.Semaphore(0)
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        binary = source.buffer
        while True:
            wanted.acquire()
            raw = binary.readline(LINE_BYTES)
            rest = raw
            while rest and len(rest) == LINE_BYTES and not rest.endswith(b"\n"):
                rest = binary.readline(LINE_BYTES)
            line = raw.decode(errors="replace").rstrip("\r\n") if raw else None
            try:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            except RuntimeError:
                return  # the loop is over, and with it whoever wanted lines
            if line is None:
                return

    threading.Thread(target=read, name="lines", daemon=True).start()
    while True:
        wanted.release()
        line = await lines.get()
        if line is None:
            return
        yield line

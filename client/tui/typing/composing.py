"""What is written on the full screen: sent, pasted, written elsewhere, half written; and done to a selected message.

The screen derives from this. Must not know how the person came in, nor how the terminal is drawn. The ways into the
line stand together.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any, Final

from prompt_toolkit.application import in_terminal
from prompt_toolkit.buffer import Buffer

from client.language import _
from client.link.updates import LinkState
from client.tui.commands import amending, finding
from client.tui.commands.ports import Sending
from client.tui.model.records import Record
from client.tui.text import clean
from client.tui.typing import drafts, editor, line, terminal
from client.tui.typing.roaming import Roaming
from client.tui.typing.writing import Writing
from client.tui.view.overlay import Sheet
from common import topics
from common.errors import ChatError
from common.messages import Rooms, Typing, Users

LEARNT_S: Final = 5.0
"""Seconds for which the lists of rooms and people are good enough to complete from."""

MEANT: Final = {"help": "/help", "quit": "/quit", "exit": "/quit", "logout": "/logout"}
"""What people type who do not know yet that a command begins with a sign."""


class Composing(Roaming):
    """What the person writes, and where it goes."""

    input: Buffer
    farewell: str

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._started = False
        self._writing = Writing()
        self._learnt = -LEARNT_S
        self._drafts_file: Path | None = None
        self._drafts: dict[str, str] = {}
        self._drafts_elsewhere: dict[str, str] = {}
        """Those of rooms that the person is not in now."""

    def write(self, sequence: str) -> None:
        """Send the terminal something beside what is drawn."""
        raise NotImplementedError

    # What is sent

    def send(self) -> None:
        """Enter: a chosen completion is taken; else the line is carried out."""
        state = self.input.complete_state
        if state is not None and state.current_completion is not None:
            self.input.complete_state = None
            return
        self.send_line()

    def send_line(self) -> None:
        """Carry out what is typed."""
        if not self._started and self.chat.state is None:
            self.hint = _("not connected yet; your line is kept")
            return
        text = self.line.text.strip()
        if text:
            self.to_end()
        self.hint = self.line.hint = ""
        if self.line.send() and text.casefold() in MEANT:
            command = MEANT[text.casefold()]
            self.hint = _("that was said in {room}; the command is {command}").format(
                room=self.model.here.title, command=command
            )
        self.hint = self.line.hint or self.hint

    def up(self) -> None:
        """Up: the line above, the last message, or what was typed before."""
        self.line.hint = ""
        self.line.up()
        self.hint = self.line.hint or self.hint

    def escape(self) -> None:
        """Esc: no more proposals; else neither edit nor answer; else select a message."""
        if self.input.complete_state is not None:
            self.input.cancel_completion()
        elif self.line.give_up():
            self.hint = _("given up")
        elif not self.input.text:
            self.select()

    def compose(self, text: str, *, editing: Record | None = None, answering: Record | None = None) -> None:
        """Put a text into the line, to be sent in the place of a message, or in answer to one."""
        self.line.compose(text, editing, answering)
        self.changed()

    def verb(self, letter: str) -> None:
        """Do something to the message that is selected."""
        record = self.selection.record
        if record is None:
            return
        if letter == "d":
            self.hint = self.selection.take_back()
            if not self.hint:
                self.selection.stop()
            return
        self.selection.reconsider()
        keep = letter in "yo"
        match letter:
            case "r" | "e" | "+" | "q" if record.retracted or (not record.seq and letter != "e"):
                self.hint = _("that cannot be done to this message")
                return
            case "r":
                self.compose("", answering=record)
            case "e" if record.mine and (record.seq or record.fate == "failed"):
                self.line.take_up(record)
            case "e":
                self.hint = _("only your own messages can be edited")
                return
            case "s" if record.fate == "failed":
                amending.send_again(self, self.model.here, record)
            case "s":
                self.hint = _("it was not refused; there is nothing to send again")
                return
            case "+":
                self.line.put(f"/react ^{record.seq} :")
                self.hint = _("some letters of an emoji, then Tab and Enter")
            case "q":
                quoted = "".join(f"> {each}\n" for each in record.text.split("\n"))
                self.input.insert_text(quoted)
            case "y":
                self.copy(record.text)
            case "o":
                self._open_link()
            case "p" if not record.mine:
                self.enter(f"/msg {record.sender}")
            case "p":
                self.hint = _("that is your own message")
                return
        if not keep:
            self.selection.stop()

    def _open_link(self) -> None:
        links = self.selection.links()
        if len(links) > 1:
            self.overlay.show(Sheet(_("Open:"), links, pick=lambda at: self.begin_opening(links[at])))
        elif links:
            self.begin_opening(links[0])
        else:
            self.hint = _("there is no link in it")

    def begin_opening(self, link: str) -> None:
        """Open a link beside the chat."""
        self.begin(finding.open_address(self, link))

    def copy(self, text: str) -> None:
        """Put a text on the terminal's clipboard."""
        self.write(terminal.clipboard(text))
        self.hint = _("copied, if this terminal allows it")

    def pasted(self, data: str) -> None:
        """A paste is one message or a question, never a flood."""
        question = self.line.pasted(data)
        if question is not None:
            self.ask_about_paste(data, question, line.fits(self.input.text + data))

    def edit_by_key(self) -> None:
        """Alt+e."""
        self.begin(self.edit_elsewhere())

    async def edit_elsewhere(self) -> None:
        """Write the line in the person's own editor."""
        command = editor.chosen()
        if command is None:
            self.complain(_("No editor is found; set EDITOR to the one you use."))
            return
        async with in_terminal():
            self.write(terminal.REPORT_NO_FOCUS)
            text = await editor.write(command, self.input.text)
            self.write(terminal.REPORT_FOCUS)
        if text is None:
            self.complain(_("{editor} failed; your line is as it was.").format(editor=command[0]))
        else:
            self.line.put(clean.typed(text))

    def sent(self, sending: Sending) -> None:
        self._writing.sent()

    def not_changed(self, log: str, why: str, text: str) -> None:
        """A change was refused: what was written for it is in the line again, or among what was typed before."""
        self.complain(why)
        if text and log == self.model.current and not self.input.text:
            self.line.put(text)
        elif text:
            self.input.history.append_string(text)

    # Who sees it, and what could be meant

    def typed(self) -> None:
        """Something is being written: others may see that, and if it is a command, what could be completed in it."""
        now = time.monotonic()
        text = self.input.text
        if self.chat.link is LinkState.LIVE and self.chat.state is not None:
            for log, on in self._writing.typed(self.model.current, text, now):
                self.begin(self._announce(log, on))
            if text[:1] in ("#", "/", "@") and text and now - self._learnt > LEARNT_S:
                self._learnt = now
                self.begin(self._learn())

    async def _announce(self, log: str, on: bool) -> None:
        with contextlib.suppress(ChatError):  # nobody misses it
            await self.chat.request(Typing(talk=log, on=on))

    async def _learn(self) -> None:
        with contextlib.suppress(ChatError):  # then what is known already has to do
            self.model.known_rooms = [room.name for room in (await self.chat.request(Rooms())).rooms]
            self.model.known_users = [user.login for user in (await self.chat.request(Users())).users]

    # What is half written

    def _bring_drafts(self) -> None:
        for key in self._drafts:
            if key.startswith(topics.INBOX):
                self.model.open(key)
        for talk in self.model.conversations.values():
            talk.draft = self._drafts.get(drafts.key(talk), talk.draft)
        here = {drafts.key(talk) for talk in self.model.conversations.values()}
        self._drafts_elsewhere = {key: text for key, text in self._drafts.items() if key not in here}
        if self.model.here.draft and not self.input.text:
            self.line.bring()

    def _save_drafts(self, last: bool = False) -> None:
        """Keep what is half written; at the end, also what was sent and never acknowledged."""
        if self._drafts_file is None or (self.chat.state is None and not last):
            return
        now = dict(self._drafts_elsewhere)
        for talk in self.model.conversations.values():
            text = self.line.text if talk.log == self.model.current else talk.draft
            waiting = line.unsent(talk.records[index] for index in range(len(talk.records))) if last else ""
            text = "\n".join(filter(None, (waiting, text)))
            if text.strip():
                now[drafts.key(talk)] = text
        if now == self._drafts:
            return
        if drafts.save(now, self._drafts_file):
            self._drafts = now
        elif last and now:
            lost = _("This disk keeps no drafts; copy what you did not send:")
            self.farewell = "\n".join(filter(None, (self.farewell, lost, *map(clean.text, now.values()))))

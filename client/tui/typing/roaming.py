"""Going about on the full screen: from conversation to conversation, from message to message, through what was found.

The screen derives from this. Must not know how the person came in, nor how the terminal is driven.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from client.language import _, sentence
from client.tui.commands import finding
from client.tui.commands.ports import Hits
from client.tui.model import switching
from client.tui.model.records import Record
from client.tui.sitting import Sitting
from client.tui.text import clean
from client.tui.typing import keys
from client.tui.typing.line import Line
from client.tui.typing.selection import Selection
from client.tui.view.messages_control import MessagesControl
from client.tui.view.overlay import Overlay, Sheet
from common.errors import ChatError

HINT_S: Final = 6.0
"""Seconds that a hint stays in the status line."""


class Roaming(Sitting):
    """What the full screen shows of the conversations, and of each of them."""

    messages: MessagesControl
    line: Line
    overlay: Overlay
    selection: Selection
    _said: tuple[str, float] = ("", 0.0)

    @property
    def hint(self) -> str:
        """A word beside the link's state, for a few seconds."""
        words, since = self._said
        return words if time.monotonic() - since < HINT_S else ""

    @hint.setter
    def hint(self, words: str) -> None:
        self._said = (words, time.monotonic())

    @property
    def covered(self) -> bool:
        """Whether a sheet lies over the messages."""
        return self.overlay.sheet is not None

    # From conversation to conversation

    def show(self, log: str) -> None:
        """Turn to a conversation, and to what was half written there; what was typed since the command comes along."""
        self.overlay.close()
        self.selection.stop()
        super().show(log)
        self.line.bring()
        self.hint = ""

    def _go(self, log: str) -> None:
        """Turn to a conversation by a key: what is half written stays where it was meant for."""
        if log != self.model.current:
            self.line.keep()
        self.show(log)

    def go_to_number(self, number: int) -> None:
        """Turn to the conversation of that number in the list."""
        order = self.model.order
        if 1 <= number <= len(order):
            self._go(order[number - 1].log)
        else:
            self.hint = _("there is no room or person {number}").format(number=number)

    def go_by(self, step: int) -> None:
        """Turn to the conversation so many below."""
        order = [talk.log for talk in self.model.order]
        if self.model.current in order:
            self._go(order[(order.index(self.model.current) + step) % len(order)])

    def go_to_unread(self) -> None:
        """Turn to where the person is most wanted."""
        talk = self.model.next_unread()
        if talk is not None:
            self._go(talk.log)
        else:
            self.hint = _("nothing is unread")

    def go_back(self) -> None:
        """Turn to where the person was before."""
        if self.model.previous in self.model.conversations:
            self._go(self.model.previous)

    def switch(self, text: str = "") -> None:
        """Ctrl+K: let the person pick a conversation by some letters of its name."""
        found = switching.matching(self.model.order, text)

        def rows() -> Sequence[str]:
            return [
                f"{talk.title}  {talk.subject if not talk.private else ''}".rstrip()
                + (f"  ({talk.unread})" if talk.unread else "")
                for talk in found
            ]

        def narrow(letters: str) -> Sequence[str]:
            found[:] = switching.matching(self.model.order, letters)
            return rows()

        self.overlay.show(
            Sheet(_("Go to:"), rows(), pick=lambda at: self._go(found[at].log), narrow=narrow, typed=text)
        )

    # From message to message

    def to_end(self) -> None:
        """Look at the newest message."""
        self.model.here.excerpt = None
        self.selection.stop()
        self.messages.to_end()

    def to_first_unread(self) -> None:
        """Scroll to where the unread began."""
        if self.model.here.unread_from:
            self.model.here.excerpt = None
            self.messages.to(self.model.here.unread_from)
        else:
            self.hint = _("nothing is unread here")

    def to_mention(self, step: int) -> None:
        """Select the message before or after the one selected, or the newest, that names the person."""
        shown = self.model.here.shown
        at = shown.find(self.selection.id) if self.selection.id else len(shown)
        index = (len(shown) if at is None else at) + step
        while 0 <= index < len(shown):
            if shown[index].mention:
                self.selection.select(shown[index])
                return
            index += step
        self.hint = _("no message before names you") if step < 0 else _("no message after names you")

    def look_at(self, record: Record) -> None:
        """Bring a message of the current conversation into view, and select it."""
        self.messages.to(record.id)
        self.selection.select(record)
        self.changed()

    def select(self) -> None:
        """Go from message to message by keys."""
        if not self.selection.start():
            self.hint = _("there is no message to select")
        else:
            self.hint = _("r answer, e edit, dd delete, + react, ? more, Esc back")

    # Through what was found

    def choose(self, title: str, hits: Hits) -> None:
        """Lay what was found over the messages, to pick one and go there."""

        def rows() -> list[str]:
            return [finding.in_a_line(self, hit) for hit in hits.hits]

        def more() -> None:
            if hits.more:
                self.begin(read())

        async def read() -> None:
            try:
                await hits.read_more()
            except ChatError as error:
                self.hint = sentence(error)
            sheet.rows = rows()
            self.changed()

        def pick(at: int) -> None:
            hit = hits.hits[at]
            self.begin(self._go_to(finding.talk_of(self, hit), hit.entry.seq))

        foot = _("Enter: go there · the newest first")
        sheet = Sheet(title, rows(), pick=pick, at_end=more, foot=foot)
        self.overlay.show(sheet)
        self.changed()

    async def _go_to(self, log: str, seq: int) -> None:
        if self.model.find(log) is None:
            self.model.open(log)
        self._go(log)
        try:
            self.look_at(await self.around(seq))
        except ChatError as error:
            self.complain(sentence(error))

    # Sheets

    def present(self, title: str, lines: Sequence[str]) -> None:
        """Lay a text over the messages, until it is put away."""
        self.overlay.show(Sheet(title, lines))
        self.changed()

    def explain_keys(self) -> None:
        """F1."""
        self.present(_("Keys"), keys.explained())

    def ask_about_paste(self, data: str, question: str, fits: bool) -> None:
        """A long paste: one message, into the line, or nothing. It never becomes many."""
        line = self.line

        def send() -> None:
            line.take(data)
            self.send_line()

        if fits:
            rows = [
                question,
                "",
                _("Enter  send it as one message"),
                _("i      put it into the line"),
                _("Esc    drop it"),
            ]
            answers = {"enter": send, "i": lambda: line.take(data)}
        else:
            too_long = _("It is too long for one message.")
            rows = [
                f"{question} {too_long}",
                "",
                _("i      put it into the line, to be shortened"),
                _("Esc    drop it"),
            ]
            answers = {"i": lambda: line.take(data)}
        shown = clean.text(data.replace("\r\n", "\n").replace("\r", "\n")).split("\n")[:5]
        self.overlay.show(Sheet(_("Paste"), [*rows, "", *shown], answers=answers))

    def send_line(self) -> None:
        """Carry out what is typed."""
        raise NotImplementedError

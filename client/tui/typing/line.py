"""The line that is typed: to whom it goes, what it changes or answers, what is half written elsewhere.

Each conversation keeps its own half-written line, with what it was to change or to answer; nothing that was typed is
ever lost. Must not know the screen around it, nor what a command does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import InMemoryHistory

from client.language import _, ngettext
from client.tui.commands import amending
from client.tui.model.records import Record
from client.tui.sitting import Sitting
from client.tui.text import clean
from client.typed.grammar import PREFIXES
from common.limits import TEXT_BYTES, TEXT_LENGTH

PASTE_LINES: Final = 8
"""Lines of a paste that need no question: they are seen at a glance before Enter."""
COMPLETES: Final = "#/@:"


class Line:
    """The line of the conversation that is looked at."""

    def __init__(self, sitting: Sitting, completer: Completer, typed: Callable[[], None]) -> None:
        """`typed` is called after each change."""
        self._sitting = sitting
        self._model = sitting.model
        self._typed = typed
        self._meant_for = self._model.current
        self._said_last = False
        """Whether what was sent last from here was a message, and no command."""
        self.hint = ""
        """What the person should know of what they just did."""
        self.buffer = Buffer(
            completer=completer,
            complete_while_typing=Condition(self._completes_by_itself),
            history=InMemoryHistory(),
            multiline=True,
            on_text_changed=self._changed,
        )

    @property
    def text(self) -> str:
        """What is typed, without what is no text: a terminal may send such bytes."""
        return clean.typed(self.buffer.text)

    def put(self, text: str) -> None:
        """Have this text in the line, and the cursor behind it."""
        self.buffer.set_document(Document(text), bypass_readonly=True)

    @property
    def prompt(self) -> str:
        """What the line is for, if it is no new message of its own."""
        here = self._model.here
        if here.editing is not None:
            return _("edit")
        if here.answering is not None:
            return _("answer to {login}").format(login=clean.line(here.answering.sender))
        return ""

    def compose(self, text: str, editing: Record | None, answering: Record | None) -> None:
        """Begin to change a message, or to answer one; what was half written stays to be found with Up."""
        here = self._model.here
        if self.buffer.text.strip() and (editing is not None or here.editing is not None):
            self.buffer.append_to_history()
            self.buffer.reset()
        here.editing, here.answering = editing, answering
        if editing is not None or not self.buffer.text:
            self.put(text)
        self._meant_for = self._model.current

    def give_up(self) -> bool:
        """Neither change nor answer. Returns whether there was anything to give up."""
        here = self._model.here
        if here.editing is None and here.answering is None:
            return False
        if here.editing is not None:
            self.buffer.reset()
        here.editing = here.answering = None
        return True

    def send(self) -> bool:
        """Carry out what is typed. Returns whether the line was taken."""
        here, text = self._model.here, self.text
        command = text.lstrip()[:1] in PREFIXES and text.lstrip()[:1] != ""
        if self._meant_for != self._model.current and not command:
            # The room went while this was written; nobody may read what was meant for others.
            self._meant_for = self._model.current
            self.hint = _("this goes to {name} now; Enter once more sends it").format(name=here.title)
            return False
        self.buffer.append_to_history()
        self.buffer.reset()
        if here.editing is not None and not command:
            taken = self._change(here.editing, text)
        elif here.answering is not None and not command and text.strip():
            taken = self._sitting.say(here.log, text.rstrip(), here.answering.seq)
            here.answering = None if taken else here.answering
        else:
            taken = self._sitting.enter(text)
        self._said_last = not command
        if not taken:
            self.put(text)
        return taken

    def _change(self, record: Record, text: str) -> bool:
        here = self._model.here
        if not text.strip():
            self.hint = _("an empty text takes nothing back: /retract does")
            here.editing = None
            return True
        if not amending.replace(self._sitting, here, record, text.rstrip()):
            return False
        here.editing = None
        return True

    def up(self) -> None:
        """To the line above; on an empty line to the last message, to change it, and from there to earlier lines."""
        here, buffer = self._model.here, self.buffer
        if here.editing is not None and buffer.text == here.editing.text and not buffer.complete_state:
            text, here.editing = buffer.text, None
            buffer.history_backward()
            if buffer.text == text:
                buffer.history_backward()
        elif not buffer.text and self._said_last and amending.on_its_way(here):
            self.hint = _("your last message is still on its way; Up changes it when it is sent")
        elif not buffer.text and self._said_last and (record := self._last()) is not None:
            self.take_up(record)
        else:
            buffer.auto_up()

    def _last(self) -> Record | None:
        """The last message of one's own that can be changed, or that was refused."""
        failed = amending.failed(self._model.here)
        sent = amending.last(self._model.here, mine=True)
        if failed and (sent is None or failed[-1].time >= sent.time):
            return failed[-1]
        return sent

    def take_up(self, record: Record) -> None:
        """Have a message of one's own in the line: to change it, or if it was refused, to send it again."""
        if record.fate == "failed":
            here = self._model.here
            here.records.take_out({record.id})
            self.compose(record.text, None, here.shown.said_at(record.reply_to) if record.reply_to else None)
            self.hint = _("not sent yet; Enter sends it")
        else:
            self.compose(record.text, record, None)
            self.hint = _("Enter changes the message, Esc leaves it")

    # Elsewhere

    def keep(self) -> None:
        """What is half written stays with its conversation, since another one is turned to."""
        self._model.here.draft = self.buffer.text
        self.buffer.reset()

    def bring(self) -> None:
        """What was half written in the conversation that is looked at now; what is typed already comes along."""
        here = self._model.here
        if not self.buffer.text:
            self.put(here.draft)
            here.draft = ""
        self._meant_for = self._model.current
        self.hint = ""

    # Pasting

    def pasted(self, data: str) -> str | None:
        """Put a paste into the line, or return the question to ask about it: `take` answers it."""
        text = clean.typed(data.replace("\r\n", "\n").replace("\r", "\n"))
        lines = text.rstrip("\n").count("\n") + 1
        if lines <= PASTE_LINES and fits(self.buffer.text + text):
            self.buffer.insert_text(text.rstrip("\n") if lines > 1 or text.endswith("\n") else text)
            return None
        size = ngettext("{n} line", "{n} lines", lines).format(n=lines)
        return _("You paste {lines}, {n} characters.").format(lines=size, n=len(text))

    def take(self, data: str) -> None:
        """Put a paste into the line as it is."""
        self.buffer.insert_text(clean.typed(data.replace("\r\n", "\n").replace("\r", "\n")).rstrip("\n"))

    # What the buffer asks

    def _changed(self, _buffer: Buffer) -> None:
        if len(self.buffer.text) <= 1:
            self._meant_for = self._model.current
        self._typed()

    def _completes_by_itself(self) -> bool:
        text = self.buffer.document.text_before_cursor
        word = text[max(text.rfind(" "), text.rfind("\n")) + 1 :]
        return text.lstrip()[:1] in ("#", "/") or word[:1] == "@" or (word[:1] == ":" and len(word) > 2)


def fits(text: str) -> bool:
    """Whether a text is one message."""
    return len(text) <= TEXT_LENGTH and len(text.encode(errors="replace")) <= TEXT_BYTES


def unsent(records: Iterable[Record]) -> str:
    """What the person wrote and nobody acknowledged, as one text to be found again."""
    return "\n".join(record.text for record in records if record.mine and record.fate == "pending")

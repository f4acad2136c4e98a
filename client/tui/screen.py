"""The full screen: one `Sitting` drawn by prompt_toolkit. Model to view is one way; keys call methods here.

Typing never waits for the broker: what is sent waits in the link, and the status line says so. Going about is the
matter of `client.tui.typing.roaming`, what is written that of `client.tui.typing.composing`. Must not know how the
person came to be logged in (`client.tui.forms.login`), nor sockets. The module is long because beginning, end and
attention all meet here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from prompt_toolkit.application import Application, get_app_session
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from client.language import N_, _, ngettext, sentence
from client.link.updates import LinkState
from client.tui import notify
from client.tui.commands import opening
from client.tui.commands.ports import Chat
from client.tui.model import marks
from client.tui.model.records import Record
from client.tui.model.state import Model
from client.tui.text import clean
from client.tui.text.links import Numbers
from client.tui.text.wrap import Fragment
from client.tui.typing import drafts, keys, terminal
from client.tui.typing.complete import Completing
from client.tui.typing.composing import Composing
from client.tui.typing.line import Line
from client.tui.typing.roaming import HINT_S
from client.tui.typing.selection import Selection
from client.tui.view import panes, themes
from client.tui.view.hyperlinks import careful
from client.tui.view.layout import Screen
from client.tui.view.messages_control import MessagesControl, Source
from client.tui.view.overlay import Overlay
from client.tui.view.pace import paced
from common import names
from common.errors import ChatError

TICK_S: Final = 1.0
"""Seconds between redraws for the clock's sake, and between looks at what is to be saved or ended."""
TWICE_S: Final = HINT_S
"""Seconds within which the second Ctrl+C means it: as long as it stands there that it would."""
GIVE_UP_S: Final = 30.0
"""Seconds within which quitting once more gives up on what is not sent."""
WELCOME: Final = (
    N_("Write, and Enter sends it to everybody in {room}. The prompt says where you are writing to."),
    N_("#lR lists the rooms, #gR <room> goes into one, #cR <room> makes one; #show users shows who there is."),
    N_("/msg <login> talks to one person. Tab completes. Alt+a goes to what is unread, Ctrl+K to any room or person."),
    N_("Up edits your last message; Esc selects any, to answer it, to react to it, to take it back."),
    N_("F1 shows all keys, /help all commands; Ctrl+D leaves."),
)


class FullScreen(Composing):
    """The chat on a terminal, from the first frame to the last."""

    def __init__(
        self,
        chat: Chat,
        login: str,
        *,
        started: bool,
        newcomer: bool = False,
        keep_token: Callable[[str, bytes | None], None] | None = None,
        rooms: Sequence[str] = (),
        marks: Path | None = None,
        notices: Sequence[str] = notify.USUAL,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        """`started` says whether the client is logged in already; `newcomer`, whether to explain a little.

        `marks` is the directory in which drafts are kept; without it none are. `notices` are the ways to tell of what
        is not seen (`client.config.NOTICES`).
        """
        super().__init__(chat, Model(login))
        self._started = started
        self.newcomer = newcomer
        self._keep_token = keep_token
        self._rooms = rooms
        self._directory = marks
        self._old_marks: Path | None = None
        self.failure: ChatError | None = None
        """Why there was no login, if there was none."""
        self.farewell = ""
        """What to say on the terminal at the end."""
        self.status = 0
        self._focused = True
        """Until the terminal says otherwise: many never do."""
        self._interrupted = -TWICE_S
        self._given_up = -GIVE_UP_S
        self._answer: asyncio.Future[str | None] | None = None
        self.line = Line(self, Completing(self.model), self.typed)
        self.input = self.line.buffer
        self.hidden = Buffer(multiline=False)
        self.messages = MessagesControl(self._source, self._wants_older)
        self.selection = Selection(self, self.messages.show)
        self.overlay = Overlay(lambda: self.frame.layout.focus(self.overlay.window), lambda: self.frame.focus())
        self._mouse = False
        self.frame = Screen(
            self.model,
            self.messages,
            self.input,
            self.hidden,
            self._status,
            lambda: self.line.prompt,
            self.overlay.container,
        )
        self.app = self._application(input, output)
        self._pace = paced(self.app)
        terminal.time_keys(self.app)
        self.app.key_processor.after_key_press += lambda _event: self.looked()
        self.model.attentive = self._attentive
        self.model.all_comings = False
        self._notifier = notify.Notifier(notices, self.app.output.bell, self.write, opening.run_beside)

    def _application(self, input: Input | None, output: Output | None) -> Application[None]:
        return Application(
            layout=self.frame.layout,
            key_bindings=keys.bindings(self),
            style=themes.style(os.environ),
            full_screen=True,
            mouse_support=Condition(lambda: self._mouse),
            max_render_postpone_time=0,
            refresh_interval=TICK_S,
            input=input,
            output=careful(output or get_app_session().output),
        )

    @property
    def screen(self) -> FullScreen:
        """What only a full screen can do."""
        return self

    @property
    def links(self) -> Numbers:
        """The links of the conversation, by their numbers."""
        return self.messages.links

    async def run(self) -> None:
        """Show the screen until the person, or the broker, ends it; then disconnect."""
        self.begin(self._open())
        self.begin(self._tick())
        try:
            self.write(terminal.REPORT_FOCUS)
            await self.app.run_async()
        finally:
            self.write(terminal.REPORT_NO_FOCUS)
            self._save_drafts(last=True)
            await self.receipts.finish()
            await self.stop()
            await self.chat.close()

    async def _open(self) -> None:
        try:
            if not self._started:
                await self.chat.start()
        except ChatError as error:
            self.failure = error
            self._exit()
            return
        if self._keep_token and self.chat.token is not None:
            self._keep_token(self.chat.login or self.model.me, self.chat.token)
        old = None
        if self._directory is not None and self.chat.login is not None:
            name = names.key(self.chat.login)
            self._drafts_file = self._directory / f"drafts-{name}.json"
            self._drafts = drafts.load(self._drafts_file)
            old = self._directory / f"read-{name}.json"
            self.model.named(self.chat.login)
            self.model.left_behind(marks.left_behind(old))
        updates = self.arrive()
        self._old_marks = old
        self._bring_drafts()
        for room in self._rooms:
            self.enter(f"/join {room}")
        if self.newcomer:
            self.tell(*(_(line).format(room=self.model.here.title) for line in WELCOME))
        await self.follow(updates)

    def _hand_over(self) -> None:
        """What an earlier version kept of what was read is with the broker once it is told; then the file goes."""
        if self._old_marks is not None and not self.receipts.busy:
            with contextlib.suppress(OSError):
                self._old_marks.unlink(missing_ok=True)
            self._old_marks = None

    async def _tick(self) -> None:
        guard = terminal.PasteGuard(self.app)
        while True:
            await asyncio.sleep(TICK_S)
            guard.tick()
            self._save_drafts()
            self._hand_over()

    # What a sitting tells the surface

    def changed(self) -> None:
        self.model.here.reading_back = not self.messages.at_end or self.model.here.excerpt is not None
        self.model.attend()
        self.tell_marks()
        self._pace.changed()

    def looked(self) -> None:
        """The person did something: what is before them is read; at the end of an excerpt, it goes on."""
        self.model.attend()
        self.tell_marks()
        here = self.model.here
        if here.excerpt is not None and self.messages.at_end and not here.loading:
            self.begin(self._read_on())

    async def _read_on(self) -> None:
        """The end of an excerpt was reached: what follows it is fetched."""
        here, excerpt = self.model.here, self.model.here.excerpt
        if excerpt is None or not len(excerpt):
            return
        last = excerpt[len(excerpt) - 1]
        try:
            await self.reading.newer(here)
        except ChatError as error:
            self.hint = sentence(error)
        now = here.shown.said_at(last.seq)
        if here is self.model.here and now is not None and here.shown.newest > last.seq:
            self.messages.to(now.id)
        self.changed()

    def _attentive(self) -> bool:
        return self._focused and self.messages.at_end and self.model.here.excerpt is None

    def focused(self, on: bool) -> None:
        """The terminal says whether the person is there."""
        self._focused = on
        self.changed()

    def ring(self, log: str, record: Record | None) -> None:
        talk = self.model.find(log)
        if record is not None and talk is not None:
            title = record.sender if talk.private else f"{record.sender} · {talk.title}"
            self.begin(self._notifier.tell(title, record.text, time.monotonic()))
        else:
            self.begin(self._notifier.tell("Tertulia", _("You are invited to a room."), time.monotonic()))

    def over(self, sentence: str) -> None:
        if not self.farewell:  # else it is being ended from here
            self.farewell, self.status = clean.line(sentence), 1
            self._exit()

    async def secret(self, prompt: str) -> str | None:
        """Ask for something that is not shown; None if the person thinks better of it."""
        self._answer = asyncio.get_running_loop().create_future()
        self.overlay.close()
        self.frame.ask(prompt)
        self.changed()
        try:
            return await self._answer
        finally:
            self._answer = None
            self.hidden.reset()
            self.frame.ask("")
            self.changed()

    def answer(self, given: bool) -> None:
        """The hidden question is answered, or not to be answered."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self.hidden.text if given else None)

    @property
    def asking(self) -> bool:
        """Whether the input line asks for something hidden."""
        return self._answer is not None

    def quit(self) -> None:
        """End. Messages that are not acknowledged are mentioned first; the second time it ends all the same."""
        now = time.monotonic()
        if self.model.waiting and self.chat.link is not LinkState.LIVE and now - self._given_up > GIVE_UP_S:
            self._given_up = now
            many = ngettext("{n} message is not sent yet.", "{n} messages are not sent yet.", self.model.waiting)
            kept = _("Quit once more to keep them as drafts and leave.")
            lost = _("Quit once more to give up on that.")
            self.complain(f"{many.format(n=self.model.waiting)} {kept if self._drafts_file else lost}")
            return
        self._exit()

    def _exit(self) -> None:
        if self.app.is_running and not self.app.is_done:
            self.app.exit()

    async def forget(self) -> None:
        """End the session for good, and whatever keeps this machine logged in."""
        self.farewell = _("You are logged out.")
        try:
            await self.chat.log_out(self.chat.token)
        except ChatError:
            self.farewell = ""
            raise
        if self._keep_token:
            self._keep_token(self.model.me, None)
        self._exit()

    # What keys do

    def write(self, sequence: str) -> None:
        """Send the terminal something beside what is drawn."""
        self.app.output.write_raw(sequence)
        self.app.output.flush()

    def search_by_key(self) -> None:
        """Ctrl+F."""
        self.line.put("/search ")

    def interrupted(self) -> None:
        """Ctrl+C: empties the line; on an empty one, twice quits."""
        now = time.monotonic()
        if self.line.give_up() or self.input.text:
            self.input.append_to_history()
            self.input.reset()
            self.hint = _("line emptied (Up brings it back)")
        elif now - self._interrupted < TWICE_S:
            self.quit()
        else:
            self._interrupted = now
            self.hint = _("Ctrl+C again quits")

    def leave(self) -> None:
        """Ctrl+D on an empty line."""
        self.quit()

    def toggle_bare(self) -> None:
        """Hide everything but messages and input, or show it again."""
        self.frame.bare = not self.frame.bare

    def toggle_side(self, members: bool) -> None:
        """Hide the list of members, or that of rooms, or show it again."""
        if members:
            self.frame.members_shown = not self.frame.members_shown
        else:
            self.frame.rooms_shown = not self.frame.rooms_shown

    def toggle_comings(self) -> None:
        """Show everybody's coming and going, or only that of who has spoken lately."""
        self.model.all_comings = not self.model.all_comings
        for talk in self.model.conversations.values():
            talk.show_quiet(self.model.all_comings)
        if self.model.all_comings:
            self.hint = _("everybody's coming and going is shown")
        else:
            self.hint = _("in crowded rooms, only who spoke lately is said to come and go")

    def toggle_mouse(self) -> None:
        """The wheel scrolls, but the terminal's own marking does not work then."""
        self._mouse = not self._mouse
        self.hint = _("mouse on: the wheel scrolls") if self._mouse else _("mouse off: the terminal marks text")

    # What the view asks

    def _source(self) -> Source:
        talk = self.model.here
        unread = talk.unread or talk.unread_shown
        return Source(talk.shown, talk.unread_from, unread, self.model.me, self.selection.id)

    def _wants_older(self) -> None:
        if self.model.here.more and not self.model.here.loading:
            self.begin(self._read_back())

    async def _read_back(self) -> None:
        """The top was reached: what is above is fetched, and the page is turned to it."""
        records = self.model.here.shown
        held = len(records)
        await self.older()
        if records is self.model.here.shown and len(records) > held:
            self.messages.page(-1)
            self.changed()

    def _status(self, width: int) -> list[Fragment]:
        standing = panes.Standing(
            self.chat.link.value,
            int(time.monotonic() - self.chat.link_since),
            self.chat.round_trip_ms,
            self.chat.clock.now(),
            self.chat.clock.offset_ms,
        )
        below, new = self.messages.below, self.messages.new
        scrolled = _("↓ {n} below").format(n=below) if below else ""
        if new:
            scrolled = ngettext("↓ {n} new", "↓ {n} new", new).format(n=new)
        if self.model.here.excerpt is not None:
            scrolled = _("↓ messages of before; Alt+End: the newest")
        return panes.status(self.model, standing, scrolled, self.hint, width)

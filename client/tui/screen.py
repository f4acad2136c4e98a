"""The full screen: one `Sitting` drawn by prompt_toolkit. Model to view is one way; keys call methods here.

Typing never waits for the broker: what is sent waits in the link, and the status line says so. Must not know
how the person came to be logged in (`client.tui.login`), nor sockets. The module is long because every key
that is pressed comes to one short method here.
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
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from client.link.updates import LinkState
from client.tui import clean, keys, marks, panes, themes
from client.tui.complete import Completing
from client.tui.grammar import PREFIXES
from client.tui.hyperlinks import careful
from client.tui.layout import Screen
from client.tui.messages_control import MessagesControl, Source
from client.tui.pace import paced
from client.tui.ports import Chat
from client.tui.sitting import Sitting
from client.tui.state import Model
from client.tui.wrap import Fragment
from common import names
from common.errors import ChatError
from common.messages import Rooms, Users

TICK_S: Final = 1.0
"""Seconds between redraws for the clock's sake."""
TWICE_S: Final = 2.0
"""Seconds within which the second Ctrl+C means it."""
HINT_S: Final = 6.0
"""Seconds that a hint stays in the status line."""
MARKS_S: Final = 5.0
"""Seconds between two savings of how far was read; a crash forgets no more."""
GIVE_UP_S: Final = 30.0
"""Seconds within which quitting once more gives up on what is not sent."""
LEARNT_S: Final = 5.0
"""Seconds for which the lists of rooms and people are good enough to complete from."""
WELCOME: Final = (
    "Write, and Enter sends it to everybody in {room}. The prompt says where you are writing to.",
    "#lR lists the rooms, #gR <room> goes into one, #cR <room> makes one; #show users shows who there is.",
    r"/msg <login> talks to one person. Tab completes. /help lists all commands, F1 all keys.",
)


class FullScreen(Sitting):
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
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        """`started` says whether the client is logged in already; `newcomer`, whether to explain a little.

        `marks` is the directory in which it is kept how far was read; without it nothing is.
        """
        super().__init__(chat, Model(login))
        self._started = started
        self._newcomer = newcomer
        self._keep_token = keep_token
        self._rooms = rooms
        self._marks = marks
        self.failure: ChatError | None = None
        """Why there was no login, if there was none."""
        self.farewell = ""
        """What to say on the terminal at the end."""
        self.status = 0
        self._said = ("", 0.0)
        self._interrupted = -TWICE_S
        self._given_up = -GIVE_UP_S
        self._learnt = -LEARNT_S
        self._meant_for = self.model.current
        self._answer: asyncio.Future[str | None] | None = None
        self.input = Buffer(
            completer=Completing(self.model),
            complete_while_typing=Condition(self._completes_by_itself),
            history=InMemoryHistory(),
            multiline=True,
            on_text_changed=self._typing,
        )
        self.hidden = Buffer(multiline=False)
        self.messages = MessagesControl(self._source, self._wants_older)
        self._mouse = False
        self.screen = Screen(self.model, self.messages, self.input, self.hidden, self._status)
        self.app: Application[None] = Application(
            layout=self.screen.layout,
            key_bindings=keys.bindings(self),
            style=themes.style(os.environ),
            full_screen=True,
            mouse_support=Condition(lambda: self._mouse),
            max_render_postpone_time=0,
            refresh_interval=TICK_S,
            input=input,
            output=careful(output or get_app_session().output),
        )
        self._pace = paced(self.app)
        self.app.ttimeoutlen = 0.05
        self.app.timeoutlen = 0.3

    async def run(self) -> None:
        """Show the screen until the person, or the broker, ends it; then disconnect."""
        self.begin(self._open())
        try:
            await self.app.run_async()
        finally:
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
        if self._marks is not None and self.chat.login is not None:
            self._marks = self._marks / f"read-{names.key(self.chat.login)}.json"
            self.model.marks = marks.load(self._marks)
            self.begin(self._keep_marks(self._marks))
        updates = self.arrive()
        for room in self._rooms:
            self.enter(f"/join {room}")
        if self._newcomer:
            self.tell(*(line.format(room=self.model.here.title) for line in WELCOME))
        await self.follow(updates)

    async def _keep_marks(self, file: Path) -> None:
        try:
            while True:
                await asyncio.sleep(MARKS_S)
                if self.model.marks.changed:
                    marks.save(self.model.marks, file)
        finally:
            marks.save(self.model.marks, file)

    @property
    def _hint(self) -> str:
        """A word beside the link's state, for a few seconds."""
        words, since = self._said
        return words if time.monotonic() - since < HINT_S else ""

    @_hint.setter
    def _hint(self, words: str) -> None:
        self._said = (words, time.monotonic())

    # What a sitting tells the surface

    def changed(self) -> None:
        self.model.here.reading_back = not self.messages.at_end
        self._pace.changed()

    def ring(self, log: str) -> None:
        self.app.output.bell()

    def over(self, sentence: str) -> None:
        if not self.farewell:  # else it is being ended from here
            self.farewell, self.status = sentence, 1
            self._exit()

    async def secret(self, prompt: str) -> str | None:
        """Ask for something that is not shown; None if the person thinks better of it."""
        self._answer = asyncio.get_running_loop().create_future()
        self.screen.ask(prompt)
        self.changed()
        try:
            return await self._answer
        finally:
            self._answer = None
            self.hidden.reset()
            self.screen.ask("")
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
            self.complain(f"{self.model.waiting} not sent yet; quit once more to give up on that.")
            return
        self._exit()

    def _exit(self) -> None:
        if self.app.is_running and not self.app.is_done:
            self.app.exit()

    async def forget(self) -> None:
        """End the session for good, and whatever keeps this machine logged in."""
        self.farewell = "You are logged out."
        try:
            await self.chat.log_out(self.chat.token)
        except ChatError:
            self.farewell = ""
            raise
        if self._keep_token:
            self._keep_token(self.model.me, None)
        self._exit()

    # What keys do

    def send(self) -> None:
        """Enter: a chosen completion is taken; else the line is carried out."""
        state = self.input.complete_state
        if state is not None and state.current_completion is not None:
            self.input.complete_state = None
            return
        text = clean.typed(self.input.text)  # a terminal may send bytes that are no text
        if not self._started and self.chat.state is None:
            self._hint = "not connected yet; your line is kept"
            return
        self._hint = ""
        if self._meant_for != self.model.current and text[:1] not in PREFIXES:
            # The room went while this was written; nobody may read what was meant for others.
            self._meant_for = self.model.current
            self._hint = f"this goes to {self.model.here.title} now; Enter once more sends it"
            return
        self.messages.to_end()
        self.input.append_to_history()
        self.input.reset()
        if not self.enter(text):
            self.input.set_document(Document(text), bypass_readonly=True)

    def interrupted(self) -> None:
        """Ctrl+C: empties the line; on an empty one, twice quits."""
        now = time.monotonic()
        if self.input.text:
            self.input.append_to_history()
            self.input.reset()
            self._hint = "line emptied (Up brings it back)"
        elif now - self._interrupted < TWICE_S:
            self.quit()
        else:
            self._interrupted = now
            self._hint = "Ctrl+C again quits"

    def leave(self) -> None:
        """Ctrl+D on an empty line."""
        self.quit()

    def explain_keys(self) -> None:
        """F1."""
        self.messages.to_end()
        self.tell(*keys.explained())

    def go_to_number(self, number: int) -> None:
        """Turn to the conversation of that number in the list."""
        order = self.model.order
        if number <= len(order):
            self._go(order[number - 1].log)

    def go_by(self, step: int) -> None:
        """Turn to the conversation so many below."""
        order = [talk.log for talk in self.model.order]
        if self.model.current in order:
            self._go(order[(order.index(self.model.current) + step) % len(order)])

    def go_to_unread(self) -> None:
        """Turn to where somebody waits longest for being read."""
        talk = self.model.next_unread()
        if talk is not None:
            self._go(talk.log)
        else:
            self._hint = "nothing is unread"

    def go_back(self) -> None:
        """Turn to where the person was before."""
        if self.model.previous in self.model.conversations:
            self._go(self.model.previous)

    def _go(self, log: str) -> None:
        """Turn to a conversation by a key: what is half written stays where it was meant for."""
        if log != self.model.current:
            self.model.here.draft = self.input.text
            self.input.reset()
        self.show(log)

    def show(self, log: str) -> None:
        """Turn to a conversation, and to what was half written there; what was typed since the command comes along."""
        super().show(log)
        if not self.input.text:
            self.input.set_document(Document(self.model.here.draft), bypass_readonly=True)
            self.model.here.draft = ""
        self._meant_for = log
        self._hint = ""

    def to_first_unread(self) -> None:
        """Scroll to where the unread began."""
        if self.model.here.unread_from:
            self.messages.to(self.model.here.unread_from)
        else:
            self._hint = "nothing is unread here"

    def toggle_bare(self) -> None:
        """Hide everything but messages and input, or show it again."""
        self.screen.bare = not self.screen.bare

    def toggle_mouse(self) -> None:
        """The wheel scrolls, but the terminal's own marking does not work then."""
        self._mouse = not self._mouse
        self._hint = "mouse on: the wheel scrolls" if self._mouse else "mouse off: the terminal marks text"

    # What the view asks

    def _source(self) -> Source:
        talk = self.model.here
        return Source(talk.records, talk.unread_from, talk.unread_shown, self.model.me)

    def _wants_older(self) -> None:
        if self.model.here.more and not self.model.here.loading:
            self.begin(self._read_back())

    async def _read_back(self) -> None:
        """The top was reached: what is above is fetched, and the page is turned to it."""
        records = self.model.here.records
        held = len(records)
        await self.older()
        if records is self.model.here.records and len(records) > held:
            self.messages.page(-1)
            self.changed()

    def _typing(self, _: Buffer) -> None:
        """Something is being written: to whom, and if it is a command, what could be completed in it."""
        if len(self.input.text) <= 1:
            self._meant_for = self.model.current
        now = time.monotonic()
        if self.input.text[:1] in ("#", "/") and now - self._learnt > LEARNT_S and self.chat.link is LinkState.LIVE:
            self._learnt = now
            self.begin(self._learn())

    async def _learn(self) -> None:
        with contextlib.suppress(ChatError):  # then what is known already has to do
            self.model.known_rooms = [room.name for room in (await self.chat.request(Rooms())).rooms]
            self.model.known_users = [user.login for user in (await self.chat.request(Users())).users]

    def _completes_by_itself(self) -> bool:
        text = self.input.document.text_before_cursor
        return text.lstrip()[:1] in ("#", "/") or "@" in text[text.rfind(" ") + 1 :]

    def _status(self, width: int) -> list[Fragment]:
        standing = panes.Standing(
            self.chat.link.value,
            int(time.monotonic() - self.chat.link_since),
            self.chat.round_trip_ms,
            self.chat.clock.now(),
            self.chat.clock.offset_ms,
        )
        below, new = self.messages.below, self.messages.new
        scrolled = f"↓ {new} new" if new else f"↓ {below} below" if below else ""
        return panes.status(self.model, standing, scrolled, self._hint, width)

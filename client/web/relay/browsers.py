"""One browser on its WebSocket: what it asks, and what it is answered.

Must not know aiohttp, nor how frames leave.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from client.link.calls import Outcome
from client.web.relay import frames
from client.web.relay.bounds import EARLY, EARLY_BYTES, FRAMES, IN_FLIGHT, SOCKETS_PER_SESSION
from client.web.relay.channels import Outlet
from client.web.relay.hub import Hub
from client.web.relay.passing import pass_on
from client.web.relay.resuming import resume
from client.web.relay.sessions import Session
from common import messages as m
from common.errors import BadRequest, Busy, ChatError, NotLoggedIn

LOGGED_OUT: Final = 4401
"""The code with which the socket of somebody who is not logged in, or no more, is closed."""
TOO_MANY: Final = 4429
"""The code with which one socket too many is closed."""
AGAIN: Final = 1012
"""The code with which sockets are closed when the gateway ends: come back."""

OwnOp = Callable[[Session, dict[str, Any]], Awaitable[dict[str, Any]]]


class Shell:
    """What a browser needs of the event loop: to be closed, and to answer later."""

    def __init__(
        self,
        run: str,
        own_ops: Mapping[str, OwnOp],
        close: Callable[[int, str], None],
        spawn: Callable[[Awaitable[None]], None],
    ) -> None:
        self.run = run
        self.own_ops = own_ops
        self.close = close
        """Close the socket with a code and a reason; nothing is pushed afterwards."""
        self.spawn = spawn


class Browser:
    """What is known of one socket."""

    def __init__(
        self,
        hub: Hub,
        label: str,
        address: str,
        outlet: Outlet,
        sentence: Callable[[ChatError], str],
        shell: Shell,
        now: float,
    ) -> None:
        """`sentence` says a refusal in the person's language."""
        self._hub = hub
        self._label = label
        self._address = address
        self._sentence = sentence
        self._shell = shell
        self._in_flight = 0
        self._early: list[str] = []
        """What came behind the first `hello`, to be taken once that is answered."""
        self._tokens = float(FRAMES.burst)
        self._counted = now
        self.outlet = outlet
        self.session: Session | None = None
        self.attached = False
        """Whether it is given events."""
        self.greeting = False
        """Whether its `hello` is under way."""
        self.visible = True
        """Whether its person sees the page."""
        self.closed = False
        self.heard_at = now
        """When it sent a frame last."""

    def pause(self, now: float) -> float:
        """Seconds until the next frame may be read, so that nobody asks without end."""
        self._tokens = min(FRAMES.burst, self._tokens + (now - self._counted) * FRAMES.per_s)
        self._counted = now
        self._tokens -= 1
        return max(0.0, -self._tokens / FRAMES.per_s)

    def received(self, text: str, now: float) -> None:
        """A text frame came. Whatever is in it, it is answered, or the socket is closed."""
        self.heard_at = now
        if self.closed:
            return
        try:
            asked = frames.envelope(text)
            if self._in_flight >= IN_FLIGHT:
                self._refuse(asked.id, Busy())
            elif asked.op == "hello":
                self._hello(asked.id, frames.greeting(text, asked), now)
            elif self.session is None and self.greeting:
                if len(self._early) >= EARLY or self._too_long(text):
                    self._refuse(asked.id, Busy())
                else:
                    self._early.append(text)
            elif self.session is None or self.session.over:
                self._refuse(asked.id, BadRequest("Say hello first."))
            elif asked.op == "active":
                self.visible = frames.is_visible(text, asked)
                self.outlet.push(frames.answered(asked.id, {}), 1)
            elif asked.op in self._shell.own_ops:
                self._in_flight += 1
                self._shell.spawn(self._own(self.session, asked, frames.fields(text, asked)))
            else:
                command = frames.command(text, asked)
                self._in_flight += 1
                pass_on(self._hub, self.session, command, now, lambda outcome, _: self._answer(asked.id, outcome))
        except frames.Malformed as fault:
            self._refuse(fault.id, fault.cause)

    def _too_long(self, text: str) -> bool:
        return sum(len(each.encode()) for each in (*self._early, text)) > EARLY_BYTES

    def _refuse(self, id: int, error: ChatError) -> None:
        if not self.closed:
            self.outlet.push(frames.refused(id, error, self._sentence), 1)

    def _answer(self, id: int, outcome: Outcome) -> None:
        self._in_flight -= 1
        if isinstance(outcome, m.Reply):
            if not self.closed:
                self.outlet.push(frames.reply(id, outcome), 1)
        else:
            self._refuse(id, outcome)

    async def _own(self, session: Session, asked: frames.Envelope, fields: dict[str, Any]) -> None:
        try:
            answer = await self._shell.own_ops[asked.op](session, fields)
            if not self.closed:
                self.outlet.push(frames.answered(asked.id, answer), 1)
        except ChatError as error:
            self._refuse(asked.id, error)
        finally:
            self._in_flight -= 1

    def _hello(self, id: int, greeting: frames.Greeting, now: float) -> None:
        self._in_flight += 1
        self.greeting = True

        def known(found: Session | ChatError | None, welcome: m.Welcome | None, now: float) -> None:
            self._in_flight -= 1
            self.greeting = False
            if self.closed:
                return
            if isinstance(found, Session) and welcome is not None:
                self._welcome(id, greeting, found, welcome)
            elif found is None:
                self.end("logged-out")
            else:
                self._refuse(id, found if isinstance(found, ChatError) else NotLoggedIn())
            early, self._early = self._early, []
            for text in early:
                self.received(text, now)

        self._hub.know(self._label, self._address, False, now, known)

    def _welcome(self, id: int, greeting: frames.Greeting, session: Session, welcome: m.Welcome) -> None:
        if self not in session.sockets and len(session.sockets) >= SOCKETS_PER_SESSION:
            self.close(TOO_MANY, "too many sockets")
            return
        # What was gathered so far is for those who were here, and stands in the rings.
        self._hub.places.changed(session)
        session.sockets.add(self)
        session.gone_at = None
        self.session = session
        resumed = resume(session, self._hub.places.channels, greeting, self._shell.run)
        answer = {
            "run": self._shell.run,
            "resume": resumed.how,
            "gaps": resumed.gaps,
            "server": welcome.server,
            "version": welcome.version,
            "time": welcome.time,
            "default_room": welcome.default_room,
            "registration": welcome.registration,
            "push": "push-add" in self._shell.own_ops,
            "session": session.state,
        }
        self.outlet.push(frames.answered(id, answer), 1)
        for frame in resumed.frames:
            self.outlet.push(frame, 1)
        self.attached = True
        self._hub.places.changed(session)

    def end(self, reason: str) -> None:
        """Its session is bound to its account no more."""
        if not self.closed:
            self.outlet.push(frames.notice("ended", reason=reason), 1)
            self.close(LOGGED_OUT, "logged out")

    def close(self, code: int, reason: str) -> None:
        """Be closed from this side."""
        if not self.closed:
            self.closed = True
            self._early.clear()
            self._shell.close(code, reason)

    def gone(self, now: float) -> None:
        """The socket is no more."""
        self.closed = True
        self._early.clear()
        session = self.session
        if session is None or self not in session.sockets:
            return
        self._hub.places.changed(session)
        session.sockets.discard(self)
        self._hub.places.changed(session)
        if not session.sockets and not session.over:
            session.gone_at = now

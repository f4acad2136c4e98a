"""One IRC channel: joined, and joined again; lines go out at IRC's pace, and are known to have arrived.

Built on the library `irc` (its asyncio side), which knows the protocol. What is added here is what a bridge needs for
months without anybody looking at it: reconnecting with back-off, another nick while ours is taken, flood pacing, and
the certainty that the server has read what was sent (it answered a PING that was sent behind). Must not know the chat.
Its length is that of IRC's ways to fail.

Sources: RFC 2812; modern.ircdocs.horse; the documentation of `irc` on decoding input.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from irc.client import Event, InvalidCharacters, MessageTooLong, ServerNotConnectedError
from irc.client_aio import AioConnection, AioReactor
from irc.connection import AioFactory
from irc.strings import lower
from jaraco.stream.buffer import LenientDecodingLineBuffer

log = logging.getLogger("irc_bridge")

UNFINISHED_BYTES = 16_384
"""Bytes without a line end, after which whoever sends them is no IRC server."""
SHORT_NICK = 9
"""Characters that every server allows in a nick."""
CONNECTING = "connecting"


@dataclass(frozen=True)
class IrcSettings:
    """Where the channel is, and how patient we are. Times are in seconds."""

    host: str
    port: int
    channel: str
    nick: str = "tertulia"
    password: str = ""
    key: str = ""
    tls: bool = False
    burst: int = 4
    """Lines that may go out at once after a pause."""
    pace: float = 1.2
    """After that, one line in so many."""
    backoff: tuple[float, float] = (2.0, 120.0)
    """Pause before connecting again: the first, doubled each time up to the longest."""
    connecting: float = 30.0
    """How long it may take to be in the channel."""
    alive: float = 60.0
    """How often the server is asked whether it is there; it is gone when it has said nothing for twice as long."""


@dataclass(frozen=True)
class Heard:
    """Something that happened in the channel, or was said to us alone (`asked`)."""

    kind: Literal["said", "did", "asked", "joined", "left", "renamed"]
    nick: str
    text: str = ""


class _Connection(AioConnection):  # type: ignore[misc]
    """The library's connection, which takes any encoding, and passes over lines that it cannot read."""

    buffer_class = LenientDecodingLineBuffer
    heard_at = 0.0

    def process_data(self, new_data: bytes) -> None:
        """Take what the server has sent."""
        self.heard_at = self.reactor.loop.time()
        self.buffer.feed(new_data)
        for line in self.buffer:
            try:
                if line.strip():
                    self._process_line(line)
            except (AttributeError, IndexError, KeyError, ValueError):
                log.warning("a line that is no IRC was passed over: %.80r", line)
        if len(self.buffer) > UNFINISHED_BYTES:
            self.disconnect("Your lines have no end")


@dataclass
class _Pace:
    """When lines may go out: `burst` at once, then one each `seconds`."""

    burst: int
    seconds: float
    _free_at: float = field(default=0.0, init=False)

    async def turn(self) -> None:
        """Wait for the turn of one line."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now - self.burst * self.seconds) + self.seconds
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


class IrcLink:
    """The channel, as long as `run` runs."""

    def __init__(self, settings: IrcSettings, heard: Callable[[Heard], None]) -> None:
        """`heard` is called for all that happens, on the event loop; it must not wait."""
        self.settings = settings
        self.nick = settings.nick
        """Our nick as it is now; another than wanted while that one is taken."""
        self.names: set[str] = set()
        """Who is in the channel, without us."""
        self.trouble = "not connected yet"
        """Why we are not in the channel; empty if we are."""
        self._heard = heard
        self._pace = _Pace(settings.burst, settings.pace)
        self._joined = asyncio.Event()
        self._lost = asyncio.Event()
        self._arrived: dict[str, asyncio.Event] = {}
        self._tokens = itertools.count(1)
        self._sending = asyncio.Lock()
        self._connection: _Connection | None = None
        self._nicks: itertools.count[int] = itertools.count(2)

    async def run(self) -> None:
        """Be in the channel until cancelled."""
        first, longest = self.settings.backoff
        pause = first
        try:
            while True:
                if await self._visit():
                    pause = first
                log.warning("not in %s (%s); next try in about %.0f s", self.settings.channel, self.trouble, pause)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, longest)
        finally:
            if self._connection is not None:
                self._connection.disconnect("The bridge is closed")

    async def say(self, lines: list[str], *, notice: bool = False) -> None:
        """Say lines in the channel, in their order and at IRC's pace; returns when the server has read them.

        Waits until we are in the channel. After a cut within the lines they are all said again: better twice than not
        at all. With `notice` they are what no program answers (RFC 2812 section 3.3.2).
        """
        async with self._sending:
            while True:
                await self._joined.wait()
                if await self._said(lines, notice):
                    return
                await self._lost.wait()

    def answer(self, nick: str, text: str) -> None:
        """Say one line to one person, if that is possible now."""
        self._send("notice", nick, text)

    # One connection.

    async def _visit(self) -> bool:
        """Connect, and stay until the connection is lost; whether we were in the channel."""
        loop = asyncio.get_running_loop()
        connection = self._connection = self._prepared(AioReactor(loop=loop))
        self._lost.clear()
        self._nicks = itertools.count(2)
        self.nick, self.trouble = self.settings.nick, CONNECTING
        context = ssl.create_default_context() if self.settings.tls else None
        was_in = False
        try:
            async with asyncio.timeout(self.settings.connecting):
                await connection.connect(
                    self.settings.host,
                    self.settings.port,
                    self.settings.nick,
                    password=self.settings.password or None,
                    username="tertulia",
                    ircname="Bridge to a Tertulia room",
                    connect_factory=AioFactory(ssl=context),
                )
                await self._first(self._joined, self._lost)
            was_in = self._joined.is_set()
            while not self._lost.is_set():
                await self._stay(connection)
        except TimeoutError:
            self.trouble = "no answer" if self.trouble == CONNECTING else self.trouble
        except OSError as error:
            self.trouble = str(error) or type(error).__name__
        finally:
            self._lose(self.trouble or "the connection was lost")
            self.names.clear()
            connection.disconnect("The bridge reconnects")
        return was_in

    async def _stay(self, connection: _Connection) -> None:
        """Wait a while for the loss of the connection; then see whether there is still somebody."""
        try:
            async with asyncio.timeout(self.settings.alive):
                await self._lost.wait()
        except TimeoutError:
            if asyncio.get_running_loop().time() - connection.heard_at > 2 * self.settings.alive:
                self._lose("the server is silent")
                return
            self._send("ping", "alive")
            if self.nick != self.settings.nick:
                self._send("nick", self.settings.nick)

    async def _said(self, lines: list[str], notice: bool) -> bool:
        """Whether the server has read these lines; else the connection was lost, or we are out of the channel."""
        for line in lines:
            await self._pace.turn()
            if not self._joined.is_set() or not self._send("notice" if notice else "privmsg", self._channel, line):
                return False
        token = f"said{next(self._tokens)}"
        arrived = self._arrived[token] = asyncio.Event()
        try:
            return self._send("ping", token) and await self._first(arrived, self._lost) is arrived
        finally:
            del self._arrived[token]

    @property
    def _channel(self) -> str:
        return self.settings.channel

    def _send(self, command: str, *arguments: str) -> bool:
        """Give the library something to send; whether there is a connection that takes it."""
        connection = self._connection
        if connection is None or not connection.connected or connection.transport.is_closing():
            return False
        try:
            getattr(connection, command)(*arguments)
        except ServerNotConnectedError:
            return False
        except (InvalidCharacters, MessageTooLong) as error:
            log.error("a line for IRC was left out: %s", error)
        return True

    @staticmethod
    async def _first(*events: asyncio.Event) -> asyncio.Event:
        """Wait for one of some events; the first of those that have happened."""
        tasks = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        return next(event for event in events if event.is_set())

    # What the server says.

    def _prepared(self, reactor: AioReactor) -> _Connection:
        connection = _Connection(reactor)
        reactor.connections.append(connection)
        for name in (
            *("welcome", "join", "namreply", "pubmsg", "action", "privmsg", "part", "quit", "kick", "nick", "pong"),
            *("disconnect", "error", "nicknameinuse", "nickcollision", "unavailresource", "erroneusnickname"),
            *("channelisfull", "inviteonlychan", "bannedfromchan", "badchannelkey", "nosuchchannel", "toomanychannels"),
        ):
            handler = getattr(self, f"_on_{name}", self._on_kept_out)
            connection.add_global_handler(name, lambda _, event, handler=handler: handler(event))
        return connection

    def _ours(self, event: Event) -> bool:
        return bool(lower(event.target or "") == lower(self._channel))

    def _other(self, event: Event) -> str:
        """Whose event it is; empty if it is ours, or the server's."""
        nick = getattr(event.source, "nick", "") or ""
        return "" if lower(nick) == lower(self.nick) else nick

    def _on_welcome(self, event: Event) -> None:
        self.nick = event.target or self.nick
        self._send("join", self._channel, self.settings.key)

    def _on_join(self, event: Event) -> None:
        if not self._ours(event):
            return
        if nick := self._other(event):
            self.names.add(nick)
            self._heard(Heard("joined", nick))
        else:
            self.trouble = ""
            self._joined.set()
            log.info("in %s as %s", self._channel, self.nick)

    def _on_namreply(self, event: Event) -> None:
        if len(event.arguments) > 2 and lower(event.arguments[1]) == lower(self._channel):
            found = {nick.lstrip("~&@%+") for nick in event.arguments[2].split()}
            self.names |= {nick for nick in found if nick and lower(nick) != lower(self.nick)}

    def _on_pubmsg(self, event: Event) -> None:
        if self._ours(event) and (nick := self._other(event)):
            self._heard(Heard("said", nick, event.arguments[0]))

    def _on_action(self, event: Event) -> None:
        if self._ours(event) and (nick := self._other(event)):
            self._heard(Heard("did", nick, event.arguments[0] if event.arguments else ""))

    def _on_privmsg(self, event: Event) -> None:
        if nick := self._other(event):
            self._heard(Heard("asked", nick, event.arguments[0]))

    def _on_part(self, event: Event) -> None:
        if self._ours(event):
            self._gone(self._other(event))

    def _on_quit(self, event: Event) -> None:
        if self._other(event) in self.names:
            self._gone(self._other(event))

    def _on_kick(self, event: Event) -> None:
        if not self._ours(event):
            return
        if lower(event.arguments[0]) != lower(self.nick):
            self._gone(event.arguments[0])
            return
        # We come back after a pause, by way of a new connection: whoever did this may have meant it.
        self._lose(f"put out by {getattr(event.source, 'nick', 'somebody')}")

    def _gone(self, nick: str) -> None:
        if nick:
            self.names.discard(nick)
            self._heard(Heard("left", nick))

    def _on_nick(self, event: Event) -> None:
        nick = getattr(event.source, "nick", "")
        if lower(nick) == lower(self.nick):
            self.nick = event.target
        elif nick in self.names:
            self.names.discard(nick)
            self.names.add(event.target)
            self._heard(Heard("renamed", nick, event.target))

    def _on_pong(self, event: Event) -> None:
        if event.arguments and (arrived := self._arrived.get(event.arguments[-1])):
            arrived.set()

    def _on_disconnect(self, event: Event) -> None:
        self._lose(self.trouble)

    def _on_error(self, event: Event) -> None:
        self._lose(event.target or "the server refused us")

    def _lose(self, why: str) -> None:
        """This connection is of no use any more: `_visit` ends, and whoever speaks knows at once."""
        self.trouble = why
        self._joined.clear()
        self._lost.set()

    def _on_kept_out(self, event: Event) -> None:
        """The channel does not let us in; it is asked again now and then."""
        self.trouble = f"{event.type}: {' '.join(map(str, event.arguments))}"
        log.warning("%s does not let us in: %s", self._channel, self.trouble)

    def _on_nicknameinuse(self, event: Event) -> None:
        if self._connection is not None and not self._joined.is_set():
            self._send("nick", self._another_nick())

    _on_nickcollision: Any = _on_nicknameinuse
    _on_unavailresource: Any = _on_nicknameinuse
    _on_erroneusnickname: Any = _on_nicknameinuse

    def _another_nick(self) -> str:
        """What to be called while the nick that was wanted is taken, or too long: `bridge2`, `bridge3` …"""
        number = str(next(self._nicks))
        self.nick = self.settings.nick[: SHORT_NICK - len(number)] + number
        return self.nick

"""Where a test takes place: a broker, the clients on it, the bot at work, and when all of them have done.

The broker is the port `Server`; so the same waiting holds in memory and on sockets. Must not know people, nor what a
test expects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from client.link.chat import ChatClient
from client.link.updates import Update
from common.keys import KeyPair
from testkit.client import Client
from testkit.clock import Clock
from testkit.servers import PAUSE_S, Server
from testkit.transcript import Transcript

T = TypeVar("T")


class Program(Protocol):
    """What is tested: `client.bot.Bot`, or anything that runs on a `ChatClient` as it does."""

    async def serve(self, chat: ChatClient, *, clock: Clock, ready: Callable[[], None]) -> None:
        """Run until cancelled, and end then as if it were killed; call `ready` once it hears its rooms."""

    async def idle(self) -> None:
        """Return once it does nothing but wait for others, or for its time."""

    async def stop(self) -> None:
        """Finish what it is at; `serve` returns then."""


class Stage:
    """One broker, its clients, and at most one bot at work."""

    def __init__(self, server: Server, clock: Clock, timeout: float, default_room: str) -> None:
        """`timeout` bounds every wait, in real seconds."""
        self.server = server
        self.clock = clock
        self.timeout = timeout
        self.default_room = default_room
        self.transcript = Transcript()
        self.bot: Client | None = None
        """The bot's client."""
        self._clients: list[Client] = []
        self._told = 0
        """Updates that all clients were told, together."""
        self._program: Program | None = None
        self._serving: asyncio.Task[None] | None = None

    def failure(self, said: str) -> AssertionError:
        """What a test fails with: a sentence, and what was said so far."""
        return AssertionError(f"{said}\n{self.transcript}")

    def connected(self, keys: KeyPair, take: Callable[[Update], None] = lambda _: None, **options: Any) -> Client:
        """A new client, not started yet; `take` is called with all that it is told."""

        def told(update: Update) -> None:
            self._told += 1
            self.transcript.take(update)
            take(update)

        self._clients = [client for client in self._clients if not client.closed]
        client = Client(self.server.transport, self.server.address, keys, told, **options)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """End all of it."""
        try:
            await self.kill()
            for client in self._clients:
                await client.close(bye=False)
        finally:
            await self.server.close()

    # The bot.

    async def start(self, program: Program, keys: KeyPair, name: str, rooms: Iterable[str] = ()) -> None:
        """Start a bot, which is taken to `rooms` before it looks, and wait until it hears its rooms."""
        ready = asyncio.Event()
        self.bot = client = self.connected(keys, client=name)
        await self.do(client.chat.start())
        for room in rooms:
            await self.do(client.chat.join(room))
        self._program = program
        self._serving = asyncio.create_task(program.serve(client.chat, clock=self.clock, ready=ready.set))
        await self._until_ready(ready)
        await self.settle()

    async def _until_ready(self, ready: asyncio.Event) -> None:
        def so() -> bool:
            return ready.is_set() or self.ended() is not None

        try:
            async with asyncio.timeout(self.timeout):
                while not so():
                    await self.server.arrive((), so)
                    if not so() and not self.server.go_on():
                        await asyncio.sleep(PAUSE_S)
        except TimeoutError:
            raise self.failure(f"The bot was not ready within {self.timeout:g} s.") from None

    async def stop(self) -> None:
        """Have the bot finish what it is at, and go."""
        program, serving, client = self._program, self._serving, self.bot
        if program is None or serving is None or client is None:
            raise self.failure("The bot does not run.")
        await self.do(program.stop())
        await asyncio.wait({serving})
        self._program = self._serving = self.bot = None
        await self.do(client.close(bye=True))
        serving.result()

    async def kill(self) -> None:
        """End the bot in the midst of what it is at."""
        client, serving = self.bot, self._serving
        self._program = self._serving = self.bot = None
        # First the connection: nothing that it does while it ends goes out any more.
        if client is not None:
            await client.close(bye=False)
        if serving is not None:
            serving.cancel()
            await asyncio.wait({serving})
            if not serving.cancelled():
                serving.exception()  # whatever it says of a connection that is gone

    def ended(self) -> AssertionError | None:
        """That the bot has ended by itself, if it has, and why."""
        serving = self._serving
        if serving is None or not serving.done():
            return None
        failure = self.failure("The bot ended by itself.")
        failure.__cause__ = None if serving.cancelled() else serving.exception()
        return failure

    # Waiting.

    async def settle(self, until: Callable[[], bool] = lambda: False) -> None:
        """Wait until all is done that follows from what was said and done so far, or until `until` says so.

        Fails if the bot is still at work after `timeout` real seconds, or has ended.
        """
        try:
            async with asyncio.timeout(self.timeout):
                await self._settle(until)
        except TimeoutError:
            raise self.failure(f"After {self.timeout:g} s the bot is still at work.") from None

    async def _settle(self, until: Callable[[], bool]) -> None:
        while not until():
            before = self._told
            bot = [self.bot] if self.bot is not None else []
            await self.server.arrive(bot, until)
            failure = self.ended()
            if failure is not None:
                raise failure
            if until():
                return
            if self.server.go_on() or not await self._bot_idles() or any(client.sending for client in bot):
                continue
            # What it has said is on the broker now; whoever is to hear it is asked last.
            await self.server.arrive([client for client in self._clients if client not in bot], until)
            if self._told == before:
                return

    async def _bot_idles(self) -> bool:
        if self._program is None:
            return True
        try:
            async with asyncio.timeout(PAUSE_S):
                await self._program.idle()
        except TimeoutError:
            return False
        return True

    async def sent(self) -> None:
        """Wait until whatever is under way has arrived; the bot may be at work."""
        await self.server.arrive((), lambda: False)

    async def wait(self, until: Callable[[], bool], seconds: float) -> None:
        """Wait so many real seconds at the most until `until` says so: for what the kit does not see."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not until():
                    await self.server.arrive((), until)
                    await asyncio.sleep(0 if until() else PAUSE_S)

    async def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Wait for what a client asks the broker. If the broker has it wait, the clock is moved on by as much.

        Raises the refusal; fails after `timeout` real seconds.
        """
        task = asyncio.create_task(what)
        try:
            async with asyncio.timeout(self.timeout):
                while not task.done():
                    await self.server.arrive((), task.done)
                    if not task.done() and not self.server.go_on():
                        await asyncio.wait({task}, timeout=PAUSE_S)
        except TimeoutError:
            raise self.failure(f"The broker did not answer within {self.timeout:g} s.") from None
        finally:
            task.cancel()
        return task.result()

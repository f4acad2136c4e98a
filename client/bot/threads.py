"""Plain `def` handlers: each runs in a thread, with the same context, whose methods block there.

Must not know what the methods do. At most so many threads run at once; a further handler waits for one. They are
daemons, so that one which never returns does not keep the process alive.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable
from typing import Any, Final

from client.bot.functions import named

THREADS: Final = 32
"""Plain handlers that run at once; more wait."""


class Threads:
    """Where plain handlers run."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(THREADS)

    async def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function in a thread, with blocking stand-ins for what it is given; its result or exception."""
        loop = asyncio.get_running_loop()
        async with self._free:
            done: asyncio.Future[Any] = loop.create_future()
            context = contextvars.copy_context()
            given = [blocking(each, loop) for each in args]
            words = {name: blocking(each, loop) for name, each in kwargs.items()}
            title = named(function)

            def tell(result: Any, error: BaseException | None) -> None:
                if not done.done():
                    done.set_exception(error) if error is not None else done.set_result(result)

            def work() -> None:
                result: Any = None
                error: BaseException | None = None
                try:
                    result = context.run(function, *given, **words)
                except (StopIteration, KeyboardInterrupt, GeneratorExit) as raised:
                    error = RuntimeError(f"the handler raised {raised!r}")  # what a future, or the loop, cannot carry
                except BaseException as raised:
                    error = raised
                if not loop.is_closed():
                    loop.call_soon_threadsafe(tell, result, error)

            threading.Thread(target=work, name=f"bot {title}", daemon=True).start()
            return await done


def blocking(thing: Any, loop: asyncio.AbstractEventLoop) -> Any:
    """The same thing for a thread, if it has something to wait for; else itself."""
    if isinstance(thing, list):
        return [blocking(each, loop) for each in thing]
    return Blocking(thing, loop) if getattr(type(thing), "waits", False) else thing


class Blocking:
    """A context, a room or a store, whose methods return once what they do is done."""

    def __init__(self, thing: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._thing = thing
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if not inspect.ismethod(found):
            return blocking(found, self._loop)

        def call(*args: Any, **kwargs: Any) -> Any:
            plain = [_plain(each) for each in args]
            return self._wait(lambda: found(*plain, **{key: _plain(each) for key, each in kwargs.items()}))

        return call

    def _wait(self, make: Callable[[], Any]) -> Any:
        """Do it in the loop, and wait here."""

        async def within() -> Any:
            made = make()
            return blocking(await made if inspect.isawaitable(made) and not _is_context(made) else made, self._loop)

        return asyncio.run_coroutine_threadsafe(within(), self._loop).result()

    def __enter__(self) -> Any:
        return self._wait(lambda: self._thing.__aenter__())

    def __exit__(self, *error: Any) -> Any:
        return self._wait(lambda: self._thing.__aexit__(*error))

    def __eq__(self, other: object) -> bool:
        return bool(self._thing == _plain(other))

    def __hash__(self) -> int:
        return hash(self._thing)

    def __repr__(self) -> str:
        return repr(self._thing)


def _plain(thing: Any) -> Any:
    return thing._thing if isinstance(thing, Blocking) else thing


def _is_context(thing: Any) -> bool:
    return hasattr(thing, "__aenter__")

"""Where the terminal client begins: full screen on a terminal, line in and line out elsewhere.

`run_terminal` is what the command line calls; everything that takes time to import is imported where it is
needed, so that the first frame comes soon. Must not know where tokens are kept, nor which broker is trusted.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client.language import N_, _, sentence
from client.link.failures import NOT_REACHED
from common.addresses import Address
from common.errors import ChatError, WrongPassword
from common.keys import KeyPair

if TYPE_CHECKING:
    from client.link.chat import ChatClient
    from client.tui.commands.ports import Chat
    from client.tui.forms import login
    from client.tui.screen import FullScreen
    from common.messages import Register

DONE: Final = 0
REFUSED: Final = 1
WRONG_USAGE: Final = 2
NO_BROKER: Final = 3
RUN_OUT: Final = N_("Being remembered has run out; log in once more.")


@dataclass(frozen=True)
class Entrance:
    """How to get in. `login` with `password`, `token` or `keys` goes straight in; else the full screen asks."""

    address: Address
    """With its key: whether that is to be trusted was settled before."""
    login: str | None = None
    password: str | None = None
    token: bytes | None = None
    keys: KeyPair | None = None
    """Registered for `login`'s account, these are all that it needs."""
    keep_token: Callable[[str, bytes | None], None] | None = None
    """Called with the login and its next token (the one before is used up), or with None to forget it. Without
    it nobody is offered to stay logged in."""
    remembered: Callable[[str], bytes | None] = lambda login: None
    """The token of a login that may do without its password here."""
    arrived: Callable[[str], object] | None = None
    """Called with the login of whoever logged in by hand."""
    rooms: tuple[str, ...] = ()
    """Rooms to join at the start; the last one is looked at."""
    marks: Path | None = None
    """The directory in which half-written lines are kept, this broker's alone; without it they are not."""
    notify: Sequence[str] = ("bell",)
    """The ways to tell of what is not seen (`client.config.NOTICES`)."""
    theme: str = "auto"
    """How it looks: the name of a theme."""
    themes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The person's own themes."""
    settle: Callable[[], Address] | None = None
    """Called, on a thread, before the client connects without asking anybody: sees to it that a broker with that
    key runs, and tells where. Raises `ChatError`."""

    @property
    def complete(self) -> bool:
        """Whether nothing has to be asked for."""
        return self.login is not None and any(each is not None for each in (self.password, self.token, self.keys))


def run_terminal(entrance: Entrance, *, plain: bool = False) -> int:
    """Chat until the person or the broker ends it; returns the exit status.

    With `plain`, or if standard input or output is no terminal: lines in, lines out.
    0 done · 1 refused, with the sentence on standard error · 2 no credentials where nobody can be asked ·
    3 no broker reached. Raises `BadConfig` for a theme that is none.
    """
    work = _plain(entrance) if plain or not (sys.stdin.isatty() and sys.stdout.isatty()) else _full_screen(entrance)
    return asyncio.run(work)


def client(
    entrance: Entrance,
    login: str | None,
    password: str | None,
    *,
    token: bytes | None = None,
    register: Register | None = None,
    remember: bool = False,
    patient: bool = False,
) -> ChatClient:
    """A client that is not started yet."""
    from client.link.chat import ChatClient

    return ChatClient(
        entrance.address,
        login,
        password,
        token=token,
        register=register,
        keys=entrance.keys if not (password or token or register) else None,
        client="tertulia",
        remember=remember and entrance.keep_token is not None,
        patient=patient,
    )


async def _plain(entrance: Entrance) -> int:
    from client.tui.plain import PlainSitting, read_lines

    if not entrance.complete:
        return _said(WRONG_USAGE, _("who are you? Give --login, and the password in TERTULIA_PASSWORD"))
    chat = client(
        entrance,
        entrance.login,
        entrance.password,
        token=entrance.token,
        remember=entrance.token is not None,
        patient=True,
    )
    try:
        await chat.start()
    except ChatError as error:
        await chat.close(bye=False)
        return _said(NO_BROKER if error.code in NOT_REACHED else REFUSED, sentence(error))
    if entrance.keep_token is not None and chat.token is not None and chat.login is not None:
        entrance.keep_token(chat.login, chat.token)
    sitting = PlainSitting(chat, sys.stdout, sys.stderr, rooms=entrance.rooms)
    return await sitting.run(read_lines(sys.stdin))


def _screen(entrance: Entrance, chat: Chat, *, started: bool, newcomer: bool = False) -> FullScreen:
    from client.tui.screen import FullScreen

    return FullScreen(
        chat,
        chat.login or entrance.login or "",
        started=started,
        newcomer=newcomer,
        keep_token=entrance.keep_token,
        rooms=entrance.rooms,
        marks=entrance.marks,
        notices=entrance.notify,
    )


async def _made(entrance: Entrance) -> ChatClient:
    """The client of somebody who goes straight in; what takes its time is done beside the screen."""
    await asyncio.to_thread(importlib.import_module, "client.link.chat")
    if entrance.settle is not None:
        entrance = replace(entrance, address=await asyncio.to_thread(entrance.settle))
    return client(entrance, entrance.login, entrance.password, token=entrance.token)


async def _full_screen(entrance: Entrance) -> int:
    from client.tui.late import late
    from client.tui.view import themes

    themes.use(entrance.theme, entrance.themes)
    wrong = ""
    if entrance.complete:
        screen = _screen(entrance, late(lambda: _made(entrance)), started=False)
        await screen.run()
        if screen.failure is None:
            return _said(screen.status, screen.farewell)
        if not isinstance(screen.failure, WrongPassword):
            return _said(NO_BROKER if screen.failure.code in NOT_REACHED else REFUSED, sentence(screen.failure))
        wrong = sentence(screen.failure)
        if entrance.token is not None and entrance.login is not None:
            wrong = _(RUN_OUT)
            if entrance.keep_token is not None:
                entrance.keep_token(entrance.login, None)
    asked = await _ask(entrance, wrong)
    if asked is None:
        return DONE
    found, new = asked
    if entrance.arrived is not None and found.login is not None:
        entrance.arrived(found.login)
    screen = _screen(entrance, found, started=True, newcomer=new)
    await screen.run()
    return _said(screen.status, screen.farewell)


async def _ask(entrance: Entrance, wrong: str) -> tuple[ChatClient, bool] | None:
    """A client that somebody logged in with by hand, and whether the account is new; None if they gave up."""
    from client.tui.forms import login

    found: list[tuple[ChatClient, bool]] = []

    async def connect(given: login.Credentials) -> None:
        secret = None if given.register else given.password or None
        name = None if given.register else given.login
        token = None if secret or given.register else entrance.remembered(given.login)
        chat = client(entrance, name, secret, token=token, register=given.register, remember=given.remember)
        try:
            await _start(entrance, chat, given.login, token)
            if given.register and given.remember and entrance.keep_token is not None:
                await _remember(entrance, given)
        except BaseException:
            await chat.close(bye=False)
            raise
        found.append((chat, given.register is not None))

    where = f"{entrance.address.host}:{entrance.address.port}"
    may_remember = entrance.keep_token is not None
    asked = await login.ask(
        where,
        connect,
        login=entrance.login or "",
        may_remember=may_remember,
        remembered=entrance.remembered,
        wrong=wrong,
    )
    return found[-1] if asked and found else None


async def _start(entrance: Entrance, chat: ChatClient, login: str, token: bytes | None) -> None:
    """Connect and log in; a token that is refused is forgotten."""
    try:
        await chat.start()
    except WrongPassword:
        if token is None:
            raise
        if entrance.keep_token is not None:
            entrance.keep_token(login, None)
        raise WrongPassword(_(RUN_OUT)) from None


async def _remember(entrance: Entrance, given: login.Credentials) -> None:
    """Get a token for a new account: a registration gives none, so a second session asks, and ends."""
    async with client(entrance, given.login, given.password, remember=True) as second:
        if entrance.keep_token is not None and second.token is not None:
            entrance.keep_token(second.login or given.login, second.token)


def _said(status: int, said: str) -> int:
    from client.tui.text import clean

    if said:
        shown = "\n".join(clean.line(line) for line in said.split("\n"))
        print(f"tertulia: {shown}" if status else shown, file=sys.stderr)
    return status

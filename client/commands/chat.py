"""`tertulia`, `tertulia chat`: opens the terminal client. Must not know what it looks like."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable
from dataclasses import replace

from client.cli import REFUSED
from client.commands import access, passwords
from client.config import ClientConfig
from client.language import _
from client.seats import Seats
from client.trust import Tokens
from client.tui.app import Entrance, run_terminal
from common.addresses import Address
from common.credentials import Credential


def run(arguments: argparse.Namespace) -> int:
    """Chat until the person or the broker ends it.

    Whoever was told to stay logged in goes straight in. Else the full screen asks for what is missing; line by
    line, as on a terminal that is dumb, login and password are settled before.
    """
    told, tokens = access.settings(arguments), Tokens()
    key = access.credential(arguments)
    drawn = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    if key is not None:
        return run_terminal(_by_key(told, key), plain=told.plain or not drawn)
    if told.plain or not drawn:
        return _plain(told, tokens)
    return run_terminal(_own(told, tokens) or _met(told, tokens))


def _by_key(told: ClientConfig, key: Credential) -> Entrance:
    """In without a password, as who the key file says; nothing is remembered."""
    assert key.address.key is not None
    return Entrance(
        key.address,
        key.login,
        keys=key.keys,
        marks=Seats(key.address.key).directory,
        notify=told.notify,
        theme=told.theme,
        themes=told.themes,
    )


def _own(told: ClientConfig, tokens: Tokens) -> Entrance | None:
    """Straight into one's own broker, which is looked for, and started if need be, behind the first picture."""
    from client import local

    address = None if told.address else local.noted()
    if address is None or address.key is None:
        return None
    seats = Seats(address.key)
    entrance = full_screen(told, address, tokens, seats)
    if entrance.complete:
        return replace(entrance, settle=functools.partial(local.find_again, address))
    seats.leave()
    return None


def _met(told: ClientConfig, tokens: Tokens) -> Entrance:
    """Into a broker that was found first."""
    address = access.broker(told)
    assert address.key is not None
    return full_screen(told, address, tokens, Seats(address.key))


def full_screen(told: ClientConfig, address: Address, tokens: Tokens, seats: Seats) -> Entrance:
    """How to get in at a terminal: as who was said, or else as who was here last, if that is remembered.

    Two terminals of one user may be two people, so nobody becomes unasked who has another terminal already. Where
    the person has to be asked, a login that was used here before and has no terminal now is proposed, and the password
    of one that is remembered is not asked for.
    """
    assert address.key is not None
    remembered = functools.partial(tokens.load, address.key) if told.remember else lambda login: None
    password: str | None = None
    token: bytes | None = None
    login: str | None = None
    if told.login:
        login, password = told.login, os.environ.get("TERTULIA_PASSWORD") or None
        if not password:
            token = remembered(login)
        seats.take(login)
    else:
        last = seats.last() or tokens.last(address.key)
        if last is not None and remembered(last) and seats.take(last):
            login, token = last, remembered(last)
        else:
            free = seats.free()
            # Whoever logged out is asked for, and not somebody else let in.
            login = last if last in free else next(filter(remembered, free), free[0] if free else None)
    return Entrance(
        address,
        login,
        password,
        token=token,
        keep_token=_keeper(tokens, address.key) if told.remember else None,
        remembered=remembered,
        arrived=seats.take,
        marks=seats.directory,
        notify=told.notify,
        theme=told.theme,
        themes=told.themes,
    )


def _plain(told: ClientConfig, tokens: Tokens) -> int:
    """Line by line: for pipes, where nobody sits, it does not matter who has a terminal."""
    if not told.login and not (told.remember and tokens.any()):
        access.login(told)  # says what is missing, before a broker is looked for
    address = access.broker(told)
    broker = address.key
    assert broker is not None
    login = told.login or tokens.last(broker) or access.login(told)
    password = (os.environ.get("TERTULIA_PASSWORD") or None) if told.login else None
    token = tokens.load(broker, login) if told.remember and not password else None
    if not token:
        password = passwords.password(_("Password of {login}").format(login=login), input_is_text=True)
    keep = _keeper(tokens, broker) if told.remember else None
    status = run_terminal(Entrance(address, login, password, token=token, keep_token=keep), plain=True)
    if status == REFUSED and token and tokens.load(broker, login) == token:
        tokens.forget(broker, login)  # it was refused: the next start asks for the password
    return status


def _keeper(tokens: Tokens, broker: bytes) -> Callable[[str, bytes | None], None]:
    def keep(login: str, token: bytes | None) -> None:
        if token is None:
            tokens.forget(broker, login)
        else:
            tokens.replace(broker, login, token)

    return keep

"""`tertulia`, `tertulia chat`: opens the terminal client. Must not know what it looks like."""

from __future__ import annotations

import argparse
import os
import sys

from client.cli import REFUSED
from client.commands import access, passwords
from client.trust import Tokens
from client.tui.app import Entrance, run_terminal


def run(arguments: argparse.Namespace) -> int:
    """Chat until the person or the broker ends it.

    On a terminal the full screen asks for what is missing. Line by line, login and password are settled before.
    """
    told = access.settings(arguments)
    plain = told.plain or not (sys.stdin.isatty() and sys.stdout.isatty())
    login = access.login(told) if plain else told.login or None
    address = access.broker(told)
    assert address.key is not None
    broker, tokens = address.key, Tokens()
    password = os.environ.get("TERTULIA_PASSWORD") or None
    token = tokens.load(broker, login) if login and not password else None
    if plain and login and not token:
        password = passwords.password(f"Password of {login}", input_is_text=True)

    def keep(login: str, token: bytes | None) -> None:
        if token is None:
            tokens.forget(broker, login)
        else:
            tokens.replace(broker, login, token)

    status = run_terminal(
        Entrance(address, login, password, token=token, keep_token=keep if told.remember else None), plain=plain
    )
    if status == REFUSED and plain and login and token and tokens.load(broker, login) == token:
        tokens.forget(broker, login)  # it was refused: the next start asks for the password
    return status

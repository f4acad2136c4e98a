"""What every command needs first: the settings, a broker that may be trusted, and a logged-in client.

Must not know what the command does with them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from client import config
from client.cli import WrongUsage
from client.commands.passwords import password
from client.config import ClientConfig
from client.language import _
from client.link.failures import NoBroker
from client.trust import KnownBrokers, Meeting, Tokens, greet
from common import addresses, credentials
from common.addresses import Address
from common.credentials import Credential
from common.errors import WrongPassword
from common.texts import visible

if TYPE_CHECKING:
    from client.link.chat import ChatClient


def settings(arguments: argparse.Namespace) -> ClientConfig:
    """What flags, environment and file say."""
    flags = vars(arguments)
    return config.load(flags, os.environ, flags.get("config"))


def login(settings: ClientConfig) -> str:
    """Whose account to use. Raises `WrongUsage` if that was not said."""
    if not settings.login:
        raise WrongUsage(_("who are you? Give --login, or set TERTULIA_LOGIN"))
    return settings.login


def broker(settings: ClientConfig) -> Address:
    """The broker to use, with its key: one's own, or the one at the address.

    Of a broker that was never met, the fingerprint is shown and remembered. Raises `BadAddress`, `KeyChanged`, or
    why there is none.
    """
    if not settings.address:
        from client.local import find_or_start

        return find_or_start()
    address = addresses.parse(settings.address)
    if address.key is not None:
        return address
    greeting = greet(address)
    address = replace(address, key=greeting.key)
    known = KnownBrokers()
    meeting = known.check(address)
    meeting.require()
    if meeting.verdict == "unknown":
        _introduce(meeting, greeting.server)
        known.remember(address, greeting.server)
    return address


def _introduce(meeting: Meeting, server: str) -> None:
    """Show the fingerprint of a broker that was never met; a person is asked whether it is the right one."""
    where = f"{meeting.address.host}:{meeting.address.port}"
    met = _("{where} is a broker that was never met before: {server}")
    print(met.format(where=where, server=visible(server)), file=sys.stderr)
    print(_("Its address with its key:   {address}").format(address=meeting.address), file=sys.stderr)
    print(_("The fingerprint of its key: {fingerprint}").format(fingerprint=meeting.fingerprint), file=sys.stderr)
    if sys.stdin.isatty() and sys.stderr.isatty():
        print(_("Its operator sees the key, behind the last /, with: tertulia-broker address"), file=sys.stderr)
        told = _("If it is another one, somebody pretends to be your broker and would read all you write.")
        print(told, file=sys.stderr)
        print(_("Is it the right one? [yes/no] "), end="", file=sys.stderr, flush=True)
        # For translators: the answers that mean yes, with spaces between them; the first letter alone, too.
        if sys.stdin.readline().strip().casefold() not in _("y yes").split():
            raise NoBroker(_("The broker at {where} is not trusted; nothing was sent to it.").format(where=where))
    print(_("It is remembered, and another key will be refused."), file=sys.stderr)


def credential(arguments: argparse.Namespace) -> Credential | None:
    """The key file by which to log in, if one was named; raises `BadSecretFile`.

    A file says who and where, so `--key` excludes the flags that do; and these win over TERTULIA_KEY.
    """
    flags = vars(arguments)
    said = flags.get("address") or flags.get("login")
    given = flags.get("key")
    if given is not None and said:
        raise WrongUsage(_("a key file says who you are and where: leave out --login and --address"))
    path = given or (not said and os.environ.get("TERTULIA_KEY")) or None
    return credentials.read(Path(path).expanduser()) if path else None


@asynccontextmanager
async def logged_in(arguments: argparse.Namespace, *, input_is_text: bool = False) -> AsyncIterator[ChatClient]:
    """A client that is logged in as flags, environment and file say; its session ends with it.

    With a key file there is no password. Without a password in the environment, what the terminal client has
    remembered is used first.
    """
    # Only now: the full screen, which needs what is above, paints before it loads this.
    from client.link.chat import ChatClient

    told, client = settings(arguments), f"tertulia {arguments.module}"
    key = credential(arguments)
    if key is not None:
        async with ChatClient(key.address, key.login, keys=key.keys, client=client) as chat:
            yield chat
        return
    who = login(told)
    address = broker(told)
    async with ChatClient(address, client=client) as chat:
        if "TERTULIA_PASSWORD" in os.environ or not await _remembered(chat, address, who):
            await chat.log_in(who, password(_("Password of {login}").format(login=who), input_is_text=input_is_text))
        yield chat


async def _remembered(chat: ChatClient, address: Address, who: str) -> bool:
    """Log in by the remembered token, if there is one and it is still good; keeps its successor."""
    assert address.key is not None
    tokens = Tokens()
    token = tokens.load(address.key, who)
    if token is None:
        return False
    try:
        await chat.log_in(who, token=token)
    except WrongPassword:
        tokens.forget(address.key, who)
        return False
    if chat.token is not None:
        tokens.replace(address.key, who, chat.token)
    return True

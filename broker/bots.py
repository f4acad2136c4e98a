"""The operator's commands for programs: `tertulia-broker bot add`, `bot list`, `bot revoke`.

A key is made here, and its secret half goes into a file of mode 0600; the rules are told its public half. Must not know
how that is done.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from broker.chat.bots import AddBot, ListBots, RevokeBot
from broker.config import BrokerConfig
from broker.datadir import DataDir
from broker.machine import reachable
from broker.office import Ask, office
from broker.wire.operator_client import listens
from common import addresses, credentials, keys, names, scopes, texts
from common.errors import ChatError
from common.limits import CLIENT_LENGTH, LIST_PAGE

_PAGE: Final = LIST_PAGE


class KeyFileRefused(ChatError):
    """A key file that cannot be written; the sentence says why and what to do."""


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add `bot` and its actions to the operator's commands."""
    bot = commands.add_parser("bot", help="make, list, revoke the keys by which programs log in")
    actions = bot.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser(
        "add",
        parents=[common],
        help="make a bot's account, if it is new, and a key for it",
        description="Makes the account NAME for a program, if it is new, and a key that logs in to it without a "
        "password, for what its scopes say. The key file is the bot's only credential; keep it as one.",
    )
    add.add_argument("login", metavar="NAME")
    add.add_argument(
        "--scopes", nargs="+", required=True, metavar="SCOPE", help=f"what the key is for: {scopes.EXPECTED_OF_BOTS}"
    )
    add.add_argument("--name", default="", metavar="TEXT", help="what the bot is called (default: NAME)")
    add.add_argument("--key-file", type=Path, metavar="FILE", help="where the key is written (default: ./NAME.key)")
    add.set_defaults(run=_add)
    listed = actions.add_parser("list", parents=[common], help="list the bots and their keys")
    listed.add_argument("--json", action="store_true", help="one JSON object a line")
    listed.set_defaults(run=_list)
    revoke = actions.add_parser(
        "revoke",
        parents=[common],
        help="forget a bot's key, or all of them, and cut it off",
        description="Forgets the key of that number, or all keys of the bot. Who uses one is cut off at once.",
    )
    revoke.add_argument("login", metavar="NAME")
    revoke.add_argument("key", nargs="?", type=int, metavar="ID", help="as `bot list` shows it")
    revoke.set_defaults(run=_revoke)


def _add(given: argparse.Namespace, config: BrokerConfig) -> None:
    login = names.parse(given.login)
    path = given.key_file or Path(f"{login}.key")
    pair = keys.generate()
    with office(config) as ask:
        address = _address(config)
        # First the file: a key that is registered and nowhere written would be of no use.
        _write(path, credentials.Credential(address, login, pair))
        try:
            added: Any = ask(_command(given, login, path, pair.public))
            if added.login != login:
                # The account is there, and its login is spelt otherwise.
                path.unlink()
                _write(path, credentials.Credential(address, added.login, pair))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    print(f"{texts.visible(added.login)}: key {added.key.id} is in {texts.visible(str(path))}")


def _command(given: argparse.Namespace, login: str, path: Path, public: bytes) -> AddBot:
    return AddBot(
        login=login, name=given.name, key=public, key_name=path.name[:CLIENT_LENGTH], scopes=list(given.scopes)
    )


def _address(config: BrokerConfig) -> addresses.Address:
    """Where the broker is found: as it says itself, or as it will say by these settings."""
    data = DataDir(config.data_dir)
    if listens(data.operator):
        return addresses.parse(data.address.read_text().strip())
    if not config.port:
        raise KeyFileRefused("The broker finds its port when it starts; start it first: tertulia-broker serve")
    return addresses.Address(
        config.announce or reachable(config.listen), config.port, keys.load_or_make(data.key).public
    )


def _write(path: Path, credential: credentials.Credential) -> None:
    try:
        credentials.write(path, credential)
    except FileExistsError:
        raise KeyFileRefused(f"{path} is there already; name another file with --key-file, or remove it.") from None
    except OSError as error:
        raise KeyFileRefused(f"{path}: cannot be written ({error.strerror}).") from None


def _list(given: argparse.Namespace, config: BrokerConfig) -> None:
    with office(config) as ask:
        bots = _all_bots(ask)
    if given.json:
        for bot in bots:
            print(json.dumps(msgspec.to_builtins(bot)))
        return
    print(f"{'BOT':<32}  {'KEY':>4}  {'FILE':<24}  {'LAST USED':<16}  SCOPES")
    for bot in bots:
        state = " (disabled)" if bot.disabled else ""
        for key in bot.keys:
            row = (f"{texts.visible(bot.login)}{state}", key.id, texts.visible(key.name), _used(key))
            print("{:<32}  {:>4}  {:<24}  {:<16}  {}".format(*row, " ".join(map(texts.visible, key.scopes))))
        if not bot.keys:
            print(f"{texts.visible(bot.login)}{state}  has no key")


def _used(key: Any) -> str:
    if key.online:
        return "now"
    return f"{datetime.fromtimestamp(key.seen / 1000):%Y-%m-%d %H:%M}" if key.seen else "never"


def _all_bots(ask: Ask) -> list[Any]:
    bots: list[Any] = []
    while True:
        page: Any = ask(ListBots(after=bots[-1].login if bots else "", limit=_PAGE))
        bots += page.bots
        if not page.more:
            return bots


def _revoke(given: argparse.Namespace, config: BrokerConfig) -> None:
    with office(config) as ask:
        revoked: Any = ask(RevokeBot(login=given.login, key=given.key))
    print(f"{texts.visible(given.login)}: {revoked.keys} {'key' if revoked.keys == 1 else 'keys'} revoked")

"""`tertulia bot run FILE.py…` and `tertulia bot new NAME`: runs bots that lie in files, and begins new ones.

A bot's key is, in this order: what stands behind its file (`FILE.py=KEYFILE`), `--key`, what the file asks for in
`bot.run(key=…)`, `FILE.key` beside it, and what the environment says. Must not know what a bot does.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from client import log
from client.cli import WrongUsage
from client.commands.program import KEY_VARIABLE
from client.language import _, sentence
from common import credentials
from common.addresses import BadAddress
from common.errors import BadName, NotLoggedIn
from common.keys import BadSecretFile

if TYPE_CHECKING:
    from client.bot.loading import Found
    from client.bot.running import Placed
    from client.link.chat import ChatClient


def run(arguments: argparse.Namespace) -> int:
    """Do what `arguments.verb` says."""
    return _new(arguments) if arguments.verb == "new" else _run(arguments)


def _new(arguments: argparse.Namespace) -> int:
    from client.bot import skeleton

    try:
        made = skeleton.make(arguments.name, Path.cwd())
    except skeleton.BadBotName as error:
        raise WrongUsage(str(error)) from None
    except BadName as error:
        raise WrongUsage(sentence(error)) from None
    except OSError as error:
        raise WrongUsage(_("{file}: cannot be made ({reason})").format(file=arguments.name, reason=error)) from None
    for path in made:
        print(path.relative_to(Path.cwd()))
    told = _("{file} says how to try it, and how to run it.")
    print(told.format(file=f"{arguments.name}/README.md"), file=sys.stderr)
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from client.bot import running

    log.start()
    if arguments.reload:
        return _reload(arguments)
    return running.run_all(_placed(arguments))


def _placed(arguments: argparse.Namespace) -> list[Placed]:
    """The bots of the files, each with its connection. Raises `WrongUsage`."""
    from client.bot import loading, running

    found: list[tuple[Found, Path | None]] = []
    try:
        for given in arguments.files:
            file, name, key = _parts(given)
            found += [(each, key) for each in loading.choose(loading.load(file), name)]
    except loading.BadFile as error:
        if error.__cause__ is not None:
            log.event(running.log, "file-broken", logging.ERROR)
        raise WrongUsage(str(error)) from None
    if arguments.key and len(found) > 1:
        raise WrongUsage(_("--key is one bot's; of several, give each its own: FILE.py=KEYFILE"))
    keys: dict[bytes | str, str] = {}
    placed = []
    for each, key in found:
        chat, identity = _connection(each, key or (Path(arguments.key) if arguments.key else None))
        title = f"{each.file}:{each.name}"
        other = keys.get(identity)
        keys[identity] = title
        if other is not None:
            said = _("{one} and {other} would be the same account by the same key; give each its own: {shape}")
            raise WrongUsage(said.format(one=other, other=title, shape="FILE.py:BOT=KEYFILE"))
        placed.append(running.Placed(each.bot, chat, arguments.rooms or each.asked.rooms))
    return placed


def _connection(found: Found, key: Path | None) -> tuple[ChatClient, bytes | str]:
    """The connection of a bot, and what tells who it is. Raises `WrongUsage`."""
    from client.bot import running

    asked, beside = found.asked, found.file.with_suffix(".key")
    file = key or (Path(asked.key) if asked.key else None)
    if file is None and not asked.login and beside.exists():
        file = beside
    file = file or (Path(os.environ[KEY_VARIABLE]) if os.environ.get(KEY_VARIABLE) and not asked.login else None)
    try:
        identity = credentials.read(file).keys.public if file else asked.login or ""
        chat = running.connection(asked.address, str(file) if file else None, asked.login, asked.password)
    except (BadAddress, BadSecretFile, NotLoggedIn) as error:
        raise WrongUsage(f"{found.file}: {sentence(error)}") from None
    return chat, identity


def _parts(given: str) -> tuple[Path, str, Path | None]:
    """`FILE.py`, `FILE.py:BOT`, `FILE.py=KEYFILE` or `FILE.py:BOT=KEYFILE` in its parts."""
    file, equals, key = given.partition("=") if not Path(given).exists() else (given, "", "")
    path, colon, name = file.rpartition(":")
    if not colon or Path(file).exists() or not name.isidentifier():
        path, name = file, ""
    return Path(path), name, Path(key) if equals else None


def _reload(arguments: argparse.Namespace) -> int:
    from client.bot.loading import imported
    from client.bot.reloading import Reloading

    files = [_parts(given)[0] for given in arguments.files]
    command = [sys.executable, "-m", "client", "bot", "run", *arguments.files]
    if arguments.key:
        command += ["--key", arguments.key]
    if arguments.rooms:
        command += ["--rooms", *arguments.rooms]
    return asyncio.run(Reloading(command, lambda: imported(files)).run())

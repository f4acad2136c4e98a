"""What programs that run for long begin with: the client of a key file, which is a login without a password.

Must not know what the program does.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from client.cli import WrongUsage
from client.language import _
from client.link.chat import ChatClient
from common import credentials

KEY_VARIABLE: Final = "TERTULIA_BOT_KEY"
"""The environment's name for the path of a key file."""


def key_file(arguments: argparse.Namespace) -> Path | None:
    """The key file that flags and environment name, if they do; flags win.

    Raises `WrongUsage` if flags say who or where, too.
    """
    flags = vars(arguments)
    said = flags.get("address") or flags.get("login")
    if flags.get("key") and said:
        raise WrongUsage(_("a key file says who you are and where: leave out --login and --address"))
    given = flags.get("key") or (not said and os.environ.get(KEY_VARIABLE)) or None
    return Path(given) if given else None


@asynccontextmanager
async def by_key(file: Path, client: str) -> AsyncIterator[ChatClient]:
    """The client that a key file logs in. Raises `BadSecretFile`, `NoBroker`, and `KeyUnknown`."""
    credential = credentials.read(file)
    async with ChatClient(credential.address, credential.login, keys=credential.keys, client=client) as chat:
        yield chat

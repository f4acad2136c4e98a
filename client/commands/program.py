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

from client.link.chat import ChatClient
from common import credentials

KEY_VARIABLE: Final = "TERTULIA_BOT_KEY"
"""The environment's name for the path of a key file."""


def key_file(arguments: argparse.Namespace) -> Path | None:
    """The key file that flags and environment name, if they do; flags win."""
    given = vars(arguments).get("key") or os.environ.get(KEY_VARIABLE)
    return Path(given) if given else None


@asynccontextmanager
async def by_key(file: Path, client: str) -> AsyncIterator[ChatClient]:
    """The client that a key file logs in. Raises `BadSecretFile`, `NoBroker`, and `KeyUnknown`."""
    credential = credentials.read(file)
    async with ChatClient(credential.address, credential.login, keys=credential.keys, client=client) as chat:
        yield chat

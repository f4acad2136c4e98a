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

from client.language import N_, _
from client.link.chat import ChatClient
from common import credentials
from common.errors import ChatError

KEY_VARIABLE: Final = "TERTULIA_BOT_KEY"
"""The environment's name for the path of a key file."""


class KeyRefused(ChatError):
    """The broker knows nobody by this key."""

    code = "key-refused"
    sentence = N_("The broker does not know this key, or no longer.")


def key_file(arguments: argparse.Namespace) -> Path | None:
    """The key file that flags and environment name, if they do; flags win."""
    given = vars(arguments).get("key") or os.environ.get(KEY_VARIABLE)
    return Path(given) if given else None


@asynccontextmanager
async def by_key(file: Path, client: str) -> AsyncIterator[ChatClient]:
    """The client that a key file logs in. Raises `BadSecretFile`, `NoBroker`, and `KeyRefused`."""
    credential = credentials.read(file)
    async with ChatClient(credential.address, keys=credential.keys, client=client) as chat:
        if chat.login is None:
            said = _("{file}: the broker does not know this key, or no longer; make another: tertulia-broker bot add")
            raise KeyRefused(said.format(file=file))
        yield chat

"""A key of one's own: made here, its secret half written into a file, and its public half registered.

Must not know where files of keys are kept, nor how a person is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from client.link.requests import Request
from common import credentials, keys
from common.addresses import Address
from common.errors import ChatError
from common.messages import KeyAdd, KeyView


class KeyFileRefused(ChatError):
    """A key file that is there already, or cannot be made; the sentence says which."""

    code = "key-file-refused"
    sentence = "The key file cannot be written."


class LoggedIn(Protocol):
    """What is needed of a client: who it is, where, and what to ask."""

    @property
    def address(self) -> Address: ...

    @property
    def login(self) -> str | None: ...

    @property
    def request(self) -> Request: ...


async def make(chat: LoggedIn, file: Path, name: str, scopes: Sequence[str]) -> KeyView:
    """Make a key for the account that `chat` is logged in to, and write it to a new `file` of mode 0600.

    Raises `KeyFileRefused`, or why the broker refuses the key; then there is no file.
    """
    pair = keys.generate()
    # First the file: a key that is registered and nowhere written would be of no use.
    _write(file, credentials.Credential(chat.address, chat.login or "", pair))
    try:
        added = await chat.request(KeyAdd(key=pair.public, name=name, scopes=list(scopes)))
    except BaseException:
        _remove(file)
        raise
    return added.key


def _write(file: Path, credential: credentials.Credential) -> None:
    try:
        credentials.write(file, credential)
    except FileExistsError:
        raise KeyFileRefused(f"{file} is there already; choose another name, or remove it.") from None
    except OSError as error:
        raise KeyFileRefused(f"{file}: cannot be made ({error.strerror}).") from None


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)

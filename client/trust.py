"""Which brokers were met before, and what lets this user in again without a password.

Two files of mode 0600 in the user's configuration directory. `known_brokers` has a line for each broker, as
ssh has of hosts: `HOST:PORT KEY NAME`. A broker that was never met is shown by its fingerprint; one whose key is
another one than before is refused until its line is taken out. `tokens` has a line for each remembered login:
`KEY LOGIN TOKEN`, by the broker's key, so that a token is never offered to somebody else. Must not know how
people are asked.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from client.language import _, sentence
from client.link.greeting import TIMEOUT_S, Greeting
from client.link.greeting import ask as greet
from client.secret_file import locked, replace
from common import names
from common.addresses import Address, BadAddress, decode_key, encode_key, fingerprint
from common.errors import ChatError
from common.keys import BadSecretFile, read_secret

__all__ = ["TIMEOUT_S", "Greeting", "KeyChanged", "KnownBrokers", "Meeting", "Tokens", "default_directory", "greet"]

_BYTES: Final = 65_536
"""What `read_secret` reads of a file; a longer one would lose lines when it is written again."""


class KeyChanged(ChatError):
    """A broker proves another key than before: another broker, a new installation, or somebody in between."""

    code = "key-changed"
    sentence = "The broker's key is not the one that was met before."


def default_directory() -> Path:
    """The user's configuration directory of Tertulia."""
    import platformdirs

    return platformdirs.user_config_path("tertulia", appauthor=False)


def key_file(name: str) -> Path:
    """Where the key of that name is kept which this user has made. Raises `BadName` for what is no name."""
    return default_directory() / "keys" / f"{names.parse(name)}.key"


@dataclass(frozen=True)
class Meeting:
    """What the file says about a key at an address."""

    verdict: Literal["unknown", "same", "changed"]
    address: Address
    """The address with the key that was offered."""
    known: bytes | None = None
    """The key of before."""
    file: Path | None = None
    line: int = 0
    """Where that stands, counted from 1."""

    @property
    def fingerprint(self) -> str:
        """What people compare: the offered key's."""
        assert self.address.key is not None
        return fingerprint(self.address.key)

    def require(self) -> None:
        """Raise `KeyChanged`, with what to do, if the key is another one than before."""
        if self.verdict == "changed" and self.known is not None:
            said = _(
                "The broker at {where} has another key than before. Either it was set up anew, or "
                "somebody pretends to be it. Before: {before}. Now: {now}. Ask its "
                "operator. If the new one is right, remove line {line} of {file} and connect again."
            )
            raise KeyChanged(
                said.format(
                    where=_place(self.address),
                    before=fingerprint(self.known),
                    now=self.fingerprint,
                    line=self.line,
                    file=self.file,
                )
            )


class KnownBrokers:
    """The brokers that were met before, by host and port."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or default_directory() / "known_brokers"

    def check(self, address: Address) -> Meeting:
        """Compare an address with its offered key with what is known. Raises `BadSecretFile`."""
        assert address.key is not None, "the offered key is part of the address"
        line, known = self._find(address)
        if known is None:
            return Meeting("unknown", address)
        return Meeting("same" if known == address.key else "changed", address, known, self._file, line)

    def key(self, address: Address) -> bytes | None:
        """The key that was remembered for this host and port. Raises `BadSecretFile`."""
        return self._find(address)[1]

    def _find(self, address: Address) -> tuple[int, bytes | None]:
        """The line of this host and port, counted from 1, and the key there; 0 and None if there is none."""
        place = _place(address)
        for number, line in enumerate(_lines(self._file), 1):
            words = line.split()
            if len(words) >= 2 and words[0] == place:
                return number, _key(words[1], self._file, number)
        return 0, None

    def remember(self, address: Address, server: str = "") -> None:
        """Keep the key in `address` for its host and port. Raises `KeyChanged` if there is another one."""
        with locked(self._file):
            meeting = self.check(address)
            meeting.require()
            if meeting.verdict == "unknown" and address.key is not None:
                name = " ".join(word for word in server.split() if word.isprintable())[:64]
                line = f"{_place(address)} {encode_key(address.key)} {name}".rstrip()
                _write(self._file, [*_lines(self._file), line])


class Tokens:
    """Remember-me tokens by broker and login. A token is good once; its successor is kept before it is dropped."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or default_directory() / "tokens"

    def load(self, broker: bytes, login: str) -> bytes | None:
        """The token for this login at the broker with this key. Raises `BadSecretFile`."""
        for line in _lines(self._file):
            words = line.split()
            if len(words) == 3 and _belongs(words, broker, login):
                with contextlib.suppress(ValueError):
                    return bytes.fromhex(words[2])
        return None

    def last(self, broker: bytes) -> str | None:
        """The login at the broker with this key whose token was kept last. Raises `BadSecretFile`."""
        lines = [line.split() for line in _lines(self._file)]
        logins = [words[1] for words in lines if len(words) == 3 and words[0] == encode_key(broker)]
        return logins[-1] if logins else None

    def any(self) -> bool:
        """Whether anybody is remembered anywhere. Raises `BadSecretFile`."""
        return bool(_lines(self._file))

    def replace(self, broker: bytes, login: str, token: bytes) -> None:
        """Keep this token, as the last one, instead of any before: the file holds one or the other at all times."""
        self._rewrite(broker, login, [f"{encode_key(broker)} {names.key(login)} {token.hex()}"])

    def forget(self, broker: bytes, login: str) -> None:
        """Keep none."""
        self._rewrite(broker, login, [])

    def _rewrite(self, broker: bytes, login: str, added: list[str]) -> None:
        with locked(self._file):
            lines = _lines(self._file)
            kept = [line for line in lines if not _belongs(line.split(), broker, login)]
            if kept + added != lines:
                _write(self._file, kept + added)


def _place(address: Address) -> str:
    host = address.host.lower()
    return f"{f'[{host}]' if ':' in host else host}:{address.port}"


def _belongs(words: list[str], broker: bytes, login: str) -> bool:
    return words[:2] == [encode_key(broker), names.key(login)]


def _key(text: str, file: Path, line: int) -> bytes:
    try:
        return decode_key(text)
    except BadAddress as error:
        said = _("{file}, line {line}: {fault} Remove the line.")
        raise BadSecretFile(said.format(file=file, line=line, fault=sentence(error))) from None


def _lines(file: Path) -> list[str]:
    if not file.exists():
        return []
    content = read_secret(file)
    if len(content) >= _BYTES:
        said = _("{file}: longer than {limit} bytes; remove lines that are no longer needed.")
        raise BadSecretFile(said.format(file=file, limit=_BYTES))
    try:
        return content.decode().splitlines()
    except UnicodeDecodeError:
        raise BadSecretFile(_("{file}: is not text; move it away.").format(file=file)) from None


def _write(file: Path, lines: list[str]) -> None:
    replace(file, "".join(f"{line}\n" for line in lines).encode())

"""A key file: who somebody is, at which broker, and the secret that proves it, in one file of mode 0600.

`tertulia-broker bot add` and `/keys add` write it; bots, scripts and `--key` read it. It is TOML, so that a person
sees what it is. Must not know what the key may be used for: the broker knows.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from common import addresses
from common.addresses import Address, BadAddress
from common.keys import BadSecretFile, KeyPair, pair_of, read_secret, write_secret

_FILE: Final = """\
# Whoever has this file is {login} at that broker, without a password. Keep it to yourself (mode 0600).
# If others have seen it: tertulia-broker bot revoke, or /keys revoke, and make a new one.
address = "{address}"
login = "{login}"
secret = "{secret}"
"""


@dataclass(frozen=True)
class Credential:
    """Who, where, and the key pair that proves it."""

    address: Address
    login: str
    keys: KeyPair


def broker(credential: Credential, given: str | None) -> Address:
    """Where to connect to if that address is given beside a key file: there if it is whole; at another host than the
    file's, to whoever has the key of the file's broker; else to the file's own. Raises `BadAddress`."""
    address = addresses.parse(given) if given else credential.address
    if address.key is not None:
        return address
    return (
        credential.address if address.host == credential.address.host else replace(address, key=credential.address.key)
    )


def write(path: Path, credential: Credential) -> None:
    """Write a new key file of mode 0600. Raises `FileExistsError` if it is there, `OSError` if it cannot be made."""
    secret = addresses.encode_key(credential.keys.secret)
    text = _FILE.format(address=credential.address, login=credential.login, secret=secret)
    write_secret(path, text.encode())


def read(path: Path) -> Credential:
    """Read a key file. Raises `BadSecretFile` naming the file and what to do."""
    try:
        table = tomllib.loads(read_secret(path).decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise BadSecretFile(f"{path}: this is no key file; make one with: tertulia-broker bot add") from None
    found = {key: table.get(key) for key in ("address", "login", "secret")}
    for key, value in found.items():
        if not isinstance(value, str):
            raise BadSecretFile(f"{path}: {key!r} is missing; make a key file with: tertulia-broker bot add")
    try:
        address = addresses.parse(str(found["address"]))
    except BadAddress as error:
        raise BadSecretFile(f"{path}: 'address': {error}") from None
    if address.key is None:
        raise BadSecretFile(f"{path}: 'address': the broker's key is missing.")
    try:
        secret = addresses.decode_key(str(found["secret"]))
    except BadAddress:
        raise BadSecretFile(f"{path}: 'secret' is damaged; restore the file, or make a new key.") from None
    return Credential(address, str(found["login"]), pair_of(secret))

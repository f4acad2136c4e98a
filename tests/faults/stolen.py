"""Somebody takes the broker's data directory, and its log: what can be read in it, and what cannot.

People of a real broker register, log in by password and by token, change a password, mistype one, and talk in public
and in private; then the broker is killed, so that nothing is tidied up. Every byte of every file is searched for
every password, token and client's secret key, as it is and in the usual encodings. What can be read is told.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from zmq.utils import z85

from common import keys, messages
from common.errors import ChatError
from common.keys import KeyPair
from tests.faults.broker_process import BrokerProcess
from tests.support.loopback import RawClient

PUBLIC: Final = "said where everybody may read it"
PRIVATE: Final = "said in a private room"
DELETED: Final = "said in a room that was deleted"
DIRECT: Final = "said to one person alone"
SURNAMES: Final = "Etxeberria-Zubizarreta"
PHRASES: Final = (
    "correct horse battery staple",
    "contraseña larguísima №1",
    "p@ss'word\"; --",
    "0123456789abcdef" * 8,
)
"""Passwords of the people, by their number."""
CHANGED: Final = "the one after the change"
SET: Final = "set by the operator, who knows it"
MISTYPED: Final = "corect horse batery stapel"
IN_THE_LOGINS_PLACE: Final = "a_password_typed_as_login"


@dataclass
class Loot:
    """The files, and what the people know that the thief must not find in them."""

    files: dict[str, bytes] = field(default_factory=dict)
    secrets: dict[str, bytes] = field(default_factory=dict)
    """Passwords, tokens and secret keys, by what they are."""
    open: dict[str, bytes] = field(default_factory=dict)
    """What was not kept from whoever has the files, by what it is."""


def encodings(secret: bytes) -> Iterator[tuple[str, bytes]]:
    """The forms in which a secret may have been written."""
    yield "raw", secret
    yield "hex", secret.hex().encode()
    yield "HEX", secret.hex().upper().encode()
    text = secret.decode(errors="ignore")
    yield "UTF-16", text.encode("utf-16-le") if text else secret
    yield "reversed", secret[::-1]
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for shift in range(3):
            # Whatever stands before it, the middle of the secret is encoded in one of three ways.
            encoded = encode(bytes(shift) + secret)
            yield f"{name} at {shift}", encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]
    whole = secret[: len(secret) // 4 * 4]
    yield "Z85", z85.encode(whole)


def found(loot: Loot) -> list[str]:
    """Where which secret can be read."""
    return [
        f"{what} in {name}, {form}"
        for what, secret in loot.secrets.items()
        for form, needle in encodings(secret)
        for name, content in loot.files.items()
        if needle in content
    ]


def readable(loot: Loot) -> Iterator[tuple[str, list[str]]]:
    """What can be read as it is, and where."""
    for what, needle in loot.open.items():
        yield what, [name for name, content in loot.files.items() if needle in content]


def steal(broker: BrokerProcess) -> Loot:
    """Let people live on the broker, kill it, and take everything."""
    loot = Loot()
    people = [RawClient(broker.address) for _ in PHRASES]
    try:
        for number, client in enumerate(people):
            _register(client, number)
            loot.secrets[f"the password of person{number}"] = PHRASES[number].encode()
            loot.secrets[f"the secret key of person{number}'s client"] = client.keys.secret
        _tokens(broker, loot)
        _passwords(broker, people[1], loot)
        _talk(people, loot)
    finally:
        for client in people:
            client.close()
    broker.kill()
    loot.files = {path.name: path.read_bytes() for path in broker.data.iterdir() if path.is_file()}
    loot.files["broker.log"] = broker.log.read_bytes()
    pair: KeyPair = keys.read_pair(broker.data / "broker.key")
    loot.open["the broker's own secret key"] = pair.secret
    loot.open["the pepper"] = (broker.data / "pepper").read_bytes()
    loot.open["passwords, as bcrypt over a digest that is keyed with the pepper"] = b"t1$$2b$"
    loot.open["tokens, as their SHA-256: a match is seen, none can be made"] = _digest(loot)
    return loot


def _register(client: RawClient, number: int) -> None:
    client.hello()
    client.ask(
        messages.Register(
            login=f"person{number}",
            password=PHRASES[number],
            first_names="Miren",
            surnames=SURNAMES,
            age=33,
            gender="female",
        )
    )


def _tokens(broker: BrokerProcess, loot: Loot) -> None:
    """Log in to be remembered, and again with the token, which makes the next one."""
    with RawClient(broker.address) as first, RawClient(broker.address) as second:
        for client in (first, second):
            client.hello()
            loot.secrets[f"the secret key of another client of person0, {client.key[:4]}"] = client.keys.secret
        login = messages.Login(login="person0", password=PHRASES[0], remember=True)
        loot.secrets["a token that was used"] = token = first.ask(login).token
        login = messages.Login(login="person0", token=token)
        loot.secrets["a token that still lets in"] = second.ask(login).token


def _digest(loot: Loot) -> bytes:
    return hashlib.sha256(loot.secrets["a token that still lets in"]).digest()


def _passwords(broker: BrokerProcess, client: RawClient, loot: Loot) -> None:
    """Change one, have one set by the operator, mistype one, and type one in the wrong place."""
    client.ask(messages.Password(old=PHRASES[1], new=CHANGED))
    loot.secrets["a new password"] = CHANGED.encode()
    command = [sys.executable, "-m", "broker", "user", "passwd", "person2", "--data-dir", str(broker.data)]
    subprocess.run(command, check=True, env={**os.environ, "TERTULIA_PASSWORD": SET})
    loot.secrets["a password that the operator set"] = SET.encode()
    with RawClient(broker.address) as other:
        other.hello()
        for login, password in (("person0", MISTYPED), (IN_THE_LOGINS_PLACE, "whatever else")):
            assert isinstance(other.try_ask(messages.Login(login=login, password=password)), ChatError)
    loot.secrets["a mistyped password"] = MISTYPED.encode()
    loot.secrets["a password typed as a login"] = IN_THE_LOGINS_PLACE.encode()


def _talk(people: list[RawClient], loot: Loot) -> None:
    ana, bob = people[0], people[1]
    ana.say("lobby", PUBLIC)
    ana.ask(messages.Create(room="cellar", private=True, kept=True))
    ana.say("cellar", PRIVATE)
    ana.ask(messages.Create(room="attic"))
    ana.say("attic", DELETED)
    ana.ask(messages.Delete(room="attic"))
    bob.ask(messages.Direct(to="person0", text=DIRECT, nonce=os.urandom(16)))
    loot.open |= {
        "logins": b"person3",
        "names of people": SURNAMES.encode(),
        "names of rooms, private ones too": b"cellar",
        "messages in public rooms": PUBLIC.encode(),
        "messages in private rooms": PRIVATE.encode(),
        "messages in deleted rooms, until their place is written again": DELETED.encode(),
        "private messages": DIRECT.encode(),
        "public keys of clients": ana.key.encode(),
        "addresses that people came from": b"127.0.0.1",
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options."""


def run(arguments: argparse.Namespace) -> int:
    """Steal and search; 1 if a secret was found."""
    with BrokerProcess("verbose = true\n") as broker:
        loot = steal(broker)
    size = sum(map(len, loot.files.values()))
    print(f"{len(loot.files)} files ({', '.join(sorted(loot.files))}), {size:,} bytes")
    told = found(loot)
    forms = sum(len(list(encodings(secret))) for secret in loot.secrets.values())
    print(f"searched for {len(loot.secrets)} passwords, tokens and secret keys in {forms} forms: found {len(told)}")
    for line in told:
        print(f"FOUND: {line}")
    print("can be read:")
    for what, names in readable(loot):
        print(f"  {what}: {', '.join(sorted(names)) or 'nowhere'}")
    print("  age and gender, times, who is in which room, who wrote what to whom: rows of the database")
    return int(bool(told))

"""CURVE key pairs, and the files that keep secrets: made with mode 0600, refused if others can read them.

Must not know whose key it is. Source: RFC 7748 (Curve25519), ZeroMQ RFC 26 (CurveZMQ).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from common.errors import ChatError


class BadSecretFile(ChatError):
    """A secret file that is missing, unreadable, readable by others, or not what it should hold."""

    code = "bad-secret-file"
    sentence = "The secret file cannot be used."


@dataclass(frozen=True)
class KeyPair:
    """A CURVE key pair, 32 bytes each; the secret half is never shown."""

    public: bytes
    secret: bytes = field(repr=False)


def generate() -> KeyPair:
    """A new key pair."""
    import zmq
    from zmq.utils import z85

    public, secret = zmq.curve_keypair()
    return KeyPair(z85.decode(public), z85.decode(secret))


def user_id(public: bytes) -> str:
    """The name that ZAP gives the connections of whoever holds the secret half: the key in Z85 (ZeroMQ RFC 32)."""
    from zmq.utils import z85

    return z85.encode(public).decode()


def public_of(user_id: str) -> bytes:
    """The public key whose `user_id` that is."""
    from zmq.utils import z85

    return z85.decode(user_id)


def write_secret(path: Path, content: bytes) -> None:
    """Write `content` to a new file of mode 0600, whole or not at all. Raises `FileExistsError` if it is there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        os.unlink(draft)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make what was made in `directory` last: without this a new file's name may be lost with the power."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_secret(path: Path, length: int | None = None, *, most: int = 65_536) -> bytes:
    """Read a secret file, `most` bytes of it. Raises `BadSecretFile` naming the file and what to do.

    With `length`, the file must hold exactly that many bytes.
    """
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(most)
    except OSError as error:
        raise BadSecretFile(f"{path}: cannot be read ({error.strerror}).") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadSecretFile(f"{path}: others can read this secret; run: chmod 600 {path}")
    if length is not None and len(content) != length:
        raise BadSecretFile(f"{path}: expected {length} bytes, found {len(content)}; restore it from a backup.")
    return content


def load_or_make_secret(path: Path, length: int) -> bytes:
    """Read the secret of `length` bytes in `path`, making a random one at the first call. Raises `BadSecretFile`."""
    if not path.exists():
        _make(path, os.urandom(length))
    return read_secret(path, length)


def load_or_make(path: Path) -> KeyPair:
    """Read the key pair in `path` (64 bytes: public, then secret), making it at the first call.

    Raises `BadSecretFile`.
    """
    if not path.exists():
        made = generate()
        _make(path, made.public + made.secret)
    return read_pair(path)


def read_pair(path: Path) -> KeyPair:
    """Read the key pair in `path`. Raises `BadSecretFile`."""
    content = read_secret(path, 64)
    pair = KeyPair(content[:32], content[32:])
    if not _belong_together(pair):
        # Nobody could connect, and nothing would say why.
        raise BadSecretFile(f"{path}: damaged, the two keys are no pair; restore it from a backup.")
    return pair


def _make(path: Path, content: bytes) -> None:
    """Write a secret; whoever comes second takes what the first has made."""
    try:
        write_secret(path, content)
    except FileExistsError:
        pass
    except OSError as error:
        raise BadSecretFile(f"{path}: cannot be made ({error.strerror}).") from None


_FIELD: Final = 2**255 - 19
_OF_SMALL_ORDER: Final = frozenset(
    number.to_bytes(32, "little")
    for number in (
        0,
        1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
        _FIELD - 1,
        _FIELD,
        _FIELD + 1,
    )
)


def is_public(key: bytes) -> bool:
    """Whether somebody can hold the secret half: no, of points of small order, with which all share one secret.

    Source: RFC 7748 section 6.1.
    """
    return len(key) == 32 and key[:31] + bytes([key[31] & 0x7F]) not in _OF_SMALL_ORDER


def pair_of(secret: bytes) -> KeyPair:
    """The key pair whose secret half that is."""
    import zmq
    from zmq.utils import z85

    return KeyPair(z85.decode(zmq.curve_public(z85.encode(secret))), secret)


def _belong_together(pair: KeyPair) -> bool:
    return pair_of(pair.secret) == pair

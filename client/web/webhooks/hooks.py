"""The file of webhooks: what may be posted where, and what of which room goes out to whom.

JSON of mode 0600, written by `tertulia web hook` and read again by the gateway whenever it has changed. Of an incoming
hook's secret only the SHA-256 is kept; what outgoing ones sign with must be kept as it is. Must not know HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct, field

from client import log
from client.language import _
from client.secret_file import locked, replace
from client.trust import default_directory
from client.web.webhooks.bounds import HOOKS, SECRET_BYTES, URL_LENGTH
from common import names
from common.keys import BadSecretFile, read_secret

LOGGER: Final = logging.getLogger("tertulia.web")
_FILE_BYTES: Final = 65_000
"""What `read_secret` reads."""

Happening = Literal["message", "edit", "retract", "reaction", "join", "leave"]
"""What an outgoing hook can tell of a room."""
HAPPENINGS: Final[tuple[Happening, ...]] = get_args(Happening)
Id = Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]


class BadHook(Exception):
    """A hook that cannot be made, or a file that cannot be used; the sentence says why."""


class Incoming(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whoever knows the secret may say something in the room."""

    id: Id
    name: str
    room: str
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the secret, in hexadecimal."""


class Outgoing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens in the room is posted to the URL."""

    id: Id
    name: str
    room: str
    url: str
    events: tuple[Happening, ...]
    secret: str
    """What the requests are signed with."""
    private: bool = False
    """Whether the address may be one of a private network."""
    plain: bool = False
    """Whether it may go out unencrypted."""

    @property
    def host(self) -> str:
        """Where the URL leads; the rest of it may be a secret."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


class Hooks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All hooks of one gateway."""

    incoming: tuple[Incoming, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    version: Literal[1] = field(default=1)

    def find(self, secret: str) -> Incoming | None:
        """The incoming hook of that secret; as much work whether there is one or not."""
        given = hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
        found = None
        for hook in self.incoming:
            if hmac.compare_digest(hook.digest, given):
                found = hook
        return found


def default_path() -> Path:
    """Where the user's hooks are kept."""
    return default_directory() / "hooks.json"


def read(path: Path) -> Hooks:
    """Read a file of hooks; one that is not there has none. Raises `BadSecretFile` or `BadHook`."""
    try:
        if not path.exists():
            return Hooks()
        return msgspec.json.decode(read_secret(path), type=Hooks)
    except OSError as error:
        raise BadHook(_("{file}: cannot be read ({fault})").format(file=path, fault=error.strerror)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadHook(_("{file}: is no file of hooks ({fault})").format(file=path, fault=error)) from None


def change(path: Path, by: Callable[[Hooks], Hooks]) -> Hooks:
    """Read the hooks, change them and write them again, as one. Raises what `read` and `by` raise, and `BadHook`."""
    path = path.resolve()  # else a link would be replaced, and not what it leads to
    with locked(path):
        hooks = by(read(path))
        content = msgspec.json.format(msgspec.json.encode(hooks), indent=2)
        if max(len(hooks.incoming), len(hooks.outgoing)) > HOOKS or len(content) > _FILE_BYTES:
            raise BadHook(_("{file}: there are too many hooks; remove some first").format(file=path))
        replace(path, content)
        return hooks


def add_incoming(path: Path, name: str, room: str) -> str:
    """Make an incoming hook; returns its secret, which is kept nowhere. Raises `BadHook`, `BadName`."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    hook = Incoming(id=_new_id(), name=names.parse(name), room=names.parse(room), digest=digest)
    change(path, lambda hooks: msgspec.structs.replace(_without(hooks, name), incoming=(*hooks.incoming, hook)))
    return secret


def add_outgoing(
    path: Path, name: str, room: str, url: str, events: tuple[str, ...], *, private: bool = False, plain: bool = False
) -> str:
    """Make an outgoing hook; returns what it signs with. Raises `BadHook`, `BadName`."""
    check_url(url, plain)
    for event in events:
        if event not in HAPPENINGS:
            said = _("{event!r} is no event; expected some of {known}")
            raise BadHook(said.format(event=event, known=", ".join(HAPPENINGS)))
    hook = Outgoing(
        id=_new_id(),
        name=names.parse(name),
        room=names.parse(room),
        url=url,
        events=tuple(each for each in HAPPENINGS if each in events),
        secret=secrets.token_urlsafe(SECRET_BYTES),
        private=private,
        plain=plain,
    )
    change(path, lambda hooks: msgspec.structs.replace(_without(hooks, name), outgoing=(*hooks.outgoing, hook)))
    return hook.secret


def remove(path: Path, name: str) -> None:
    """Forget a hook. Raises `BadHook` if there is none of that name."""

    def without(hooks: Hooks) -> Hooks:
        kept = Hooks(
            incoming=tuple(each for each in hooks.incoming if names.key(each.name) != names.key(name)),
            outgoing=tuple(each for each in hooks.outgoing if names.key(each.name) != names.key(name)),
        )
        if kept == hooks:
            raise BadHook(_("there is no hook {name!r}; see: tertulia web hook list").format(name=name))
        return kept

    change(path, without)


def check_url(url: str, plain: bool) -> None:
    """Raise `BadHook` unless things can be posted to that URL; `plain`: unencrypted, too."""
    if len(url) > URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
        raise BadHook(_("a URL has at most {limit} characters, all of ASCII and visible").format(limit=URL_LENGTH))
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.scheme not in ("https", "http") or parts.fragment:
        raise BadHook(_("{url!r} is no URL to post to; expected https://HOST/…").format(url=url))
    if parts.scheme == "http" and not plain:
        raise BadHook(_("everybody on the way can read what goes to http://; use https://, or allow it: --allow-http"))


def _without(hooks: Hooks, name: str) -> Hooks:
    """The hooks, if none of them has that name."""
    taken = {each.name for each in hooks.incoming} | {each.name for each in hooks.outgoing}
    if names.key(name) in map(names.key, taken):
        raise BadHook(_("there is a hook {name!r} already; choose another --name").format(name=name))
    return hooks


def _new_id() -> str:
    return secrets.token_hex(8)


class HooksFile:
    """The hooks of a file as they are now, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        """Raises what `read` raises."""
        self._path = path
        self._mark = self._look()
        self._hooks = read(path)

    def current(self) -> Hooks:
        """The hooks; those of before, and a line in the log, if the file cannot be used any more."""
        mark = self._look()
        if mark != self._mark:
            self._mark = mark
            try:
                self._hooks = read(self._path)
            except (BadHook, BadSecretFile) as error:
                log.event(LOGGER, "hooks-unusable", logging.WARNING, reason=error)
            else:
                incoming, outgoing = len(self._hooks.incoming), len(self._hooks.outgoing)
                log.event(LOGGER, "hooks-read", incoming=incoming, outgoing=outgoing)
        return self._hooks

    def _look(self) -> tuple[int, ...]:
        """What changes with the file, and with who may read it."""
        try:
            found = os.stat(self._path)
        except OSError as error:
            return (error.errno or 0,)
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size

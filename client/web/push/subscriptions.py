"""The browsers that want to be told, on disk: a file of mode 0600 beside the gateway's key.

Each is bound to the session (label) and the account that asked for it. What a browser says of itself is a stranger's
word: an endpoint is an https URL of a push service on the public internet, or refused. Must not know what is sent.

Source: W3C Push API (PushSubscription), RFC 8291 section 2 (keys).
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from client.language import N_, _
from client.secret_file import replace
from client.web.push.bounds import ENDPOINT_LENGTH, FILE_BYTES, PER_ACCOUNT, SUBSCRIPTIONS
from common import names
from common.errors import BadRequest
from common.keys import BadSecretFile, read_secret

_PLAIN: Final = re.compile(r"[\x21-\x7e]+")
_PART: Final = "[a-z0-9-]{0,61}[a-z0-9]"
_HOST: Final = re.compile(rf"(?=.{{4,253}}$)(?:[a-z0-9](?:{_PART})?\.)+[a-z](?:{_PART})?")
"""A name with a dot that does not end in figures: push services have names, and no address is one."""
_LOCAL: Final = ("local", "localhost", "internal", "lan", "home", "corp", "intranet", "home.arpa", "localdomain")


class BadSubscription(BadRequest):
    """What a browser gave is no push subscription that may be used."""

    sentence = N_("This browser's push service cannot be used from here.")


class Subscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One browser that wants to be told."""

    endpoint: Annotated[str, Meta(max_length=ENDPOINT_LENGTH)]
    p256dh: str
    auth: str
    label: str
    login: str
    failures: int = 0
    """Notices given up in a row."""

    @property
    def host(self) -> str:
        """The push service; the rest of the endpoint is a secret."""
        return urlsplit(self.endpoint).netloc

    def failing(self, failures: int) -> Subscription:
        """The same with another number of failures."""
        return msgspec.structs.replace(self, failures=failures)


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    subscriptions: tuple[Subscription, ...] = ()
    version: Literal[1] = 1


def parse(given: Any, label: str, login: str) -> Subscription:
    """The subscription in what a browser says of itself (`PushSubscription.toJSON`). Raises `BadSubscription`."""
    keys = given.get("keys") if isinstance(given, dict) else None
    if not isinstance(keys, dict):
        raise BadSubscription
    endpoint, point, auth = _endpoint(given.get("endpoint")), _key(keys.get("p256dh"), 65), _key(keys.get("auth"), 16)
    _on_the_curve(point)
    return Subscription(endpoint=endpoint, p256dh=point, auth=auth, label=label, login=login)


def _endpoint(url: Any) -> str:
    if not isinstance(url, str) or len(url) > ENDPOINT_LENGTH or not _PLAIN.fullmatch(url) or "\\" in url:
        raise BadSubscription
    try:
        parts = urlsplit(url)
        usual = parts.port in (None, 443)
    except ValueError:
        raise BadSubscription from None
    if parts.scheme != "https" or not usual or "@" in parts.netloc or parts.fragment or not _is_named(parts.hostname):
        raise BadSubscription
    return url


def _is_named(host: str | None) -> bool:
    """Whether it may be a host on the internet; where a name leads is looked at with each connection."""
    local = host is None or any(host == name or host.endswith(f".{name}") for name in _LOCAL)
    return host is not None and not local and _HOST.fullmatch(host) is not None


def _key(text: Any, length: int) -> str:
    if not isinstance(text, str) or len(text) > 2 * length or not re.fullmatch("[A-Za-z0-9_-]+={0,2}", text):
        raise BadSubscription
    bare = text.rstrip("=")
    try:
        data = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except ValueError:
        raise BadSubscription from None
    if len(data) != length:
        raise BadSubscription
    return bare


def _on_the_curve(point: str) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), base64.urlsafe_b64decode(point + "="))
    except ValueError:
        raise BadSubscription from None


class Subscriptions:
    """All of them, oldest first, by their endpoint; one gateway at a time has the file."""

    def __init__(self, file: Path) -> None:
        """Read the file, if there is one. Raises `BadSecretFile`."""
        self._file = file
        self._writing = asyncio.Lock()
        self._all: dict[str, Subscription] = {}
        if file.exists():
            try:
                content = msgspec.json.decode(read_secret(file, most=FILE_BYTES), type=_File)
            except msgspec.DecodeError:
                said = _("{path}: is damaged; remove it: browsers subscribe anew when they are opened")
                raise BadSecretFile(said.format(path=file)) from None
            self._all = {each.endpoint: each for each in content.subscriptions}
        self._saved = self._content()

    def __iter__(self) -> Iterator[Subscription]:
        return iter(tuple(self._all.values()))

    def __len__(self) -> int:
        return len(self._all)

    def find(self, endpoint: str) -> Subscription | None:
        """The subscription of that endpoint."""
        return self._all.get(endpoint)

    def add(self, new: Subscription) -> list[Subscription]:
        """Add one, in the place of an older one of the same endpoint or the same session; returns which had to go."""
        gone = [each for each in self if each.endpoint == new.endpoint or each.label == new.label]
        rest = [each for each in self if each not in gone]
        same = [each for each in rest if names.key(each.login) == names.key(new.login)]
        gone += same[: max(0, len(same) + 1 - PER_ACCOUNT)]
        gone += [each for each in rest if each not in gone][: max(0, len(rest) + 1 - SUBSCRIPTIONS)]
        for each in gone:
            self.drop(each)
        self._all[new.endpoint] = new
        return gone

    def change(self, new: Subscription) -> None:
        """Put a subscription in its own place, if it is still there."""
        if new.endpoint in self._all:
            self._all[new.endpoint] = new

    def drop(self, subscription: Subscription) -> None:
        """Forget one."""
        self._all.pop(subscription.endpoint, None)

    def _content(self) -> bytes:
        return msgspec.json.encode(_File(tuple(self._all.values())))

    async def save(self) -> None:
        """Put them on disk, if they have changed. Raises `OSError`."""
        async with self._writing:
            content = self._content()
            if content != self._saved:
                await asyncio.to_thread(replace, self._file, content)
                self._saved = content

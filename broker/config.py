"""The broker's settings: every default, where a setting may come from, and what each must look like.

A flag wins over an environment variable (`TERTULIA_BROKER_PORT`, `TERTULIA_BROKER_CHAT_GRACE_S`), which wins over
the file. An error names its source, the key and what was expected. Must not know what a setting does. Long,
because every setting has its sentence and its rule here, in one table each.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import platformdirs

from broker.chat.settings import ChatSettings
from broker.web.settings import WebSettings
from broker.wire.bounds import Bounds
from common import names
from common.errors import BadName, ChatError
from common.limits import PORT, Rate

ENVIRONMENT: Final = "TERTULIA_BROKER_"
FILE: Final = "broker.toml"
DATABASE: Final = "tertulia.db"


class BadConfig(ChatError):
    """A setting that cannot be used; the sentence names its source, the key and what was expected."""

    code = "bad-config"
    sentence = "The configuration cannot be used."


def default_data_dir() -> Path:
    """Where this user's broker keeps its keys and its database unless told otherwise."""
    return Path(platformdirs.user_data_dir("tertulia", appauthor=False)) / "broker"


def default_file() -> Path:
    """The file that is read if no other is named, and if it is there."""
    return Path(platformdirs.user_config_dir("tertulia", appauthor=False)) / FILE


@dataclass(frozen=True)
class BrokerConfig:
    """The broker's settings; every default stands here, or in `ChatSettings`."""

    listen: str = "*"
    """Address or name on which to listen; `*` is every address of this machine, IPv4 and IPv6."""
    port: int = PORT
    """The command port; the two above it are used as well. 0 finds three free ones."""
    announce: str = ""
    """Host to tell clients, where it is not the one that can be seen from here (NAT, containers)."""
    data_dir: Path = field(default_factory=default_data_dir)
    """Where keys and database are kept; made with mode 0700."""
    database: str = ""
    """`sqlite:///PATH`; empty means `tertulia.db` in the data directory."""
    idle_exit_s: float = 0.0
    """Seconds without anybody connected after which the broker ends by itself; 0 means never."""
    log_format: Literal["text", "json"] = "text"
    """How the lines on standard error look."""
    verbose: bool = False
    """Log what only matters for diagnosis, too."""
    bcrypt_cost: int = 12
    """Work factor of password hashes; one more doubles the time of a login."""
    hashers: int = 2
    """Threads that hash passwords."""
    readers: int = 2
    """Threads that read history."""
    journal_capacity: int = 10_000
    """Changes that may wait for the disk before senders are told to try again."""
    io_threads: int = 1
    """libzmq's threads for encryption and network; one more pays off only with cores to spare."""
    network: Bounds = field(default_factory=Bounds)
    """What connections are bounded by."""
    chat: ChatSettings = field(default_factory=ChatSettings)
    """What the rules of the chat are set to."""
    web: WebSettings = field(default_factory=WebSettings)
    """Whether the gateway for browsers is started beside, and how."""

    @property
    def database_path(self) -> Path:
        """The database's file. Raises `BadConfig` for a URL of another kind."""
        if not self.database:
            return self.data_dir / DATABASE
        scheme, separator, path = self.database.partition(":///")
        if scheme.startswith("postgres"):
            raise BadConfig("database: PostgreSQL is not supported by this version; use sqlite:///PATH.")
        if scheme != "sqlite" or not separator or not path:
            raise BadConfig(f"database: expected sqlite:///PATH, found {self.database!r}.")
        return Path(path)


class _Key(NamedTuple):
    """What a setting must look like."""

    kind: type
    expected: str
    fits: Callable[[Any], bool]


def _whole(low: int, high: int) -> _Key:
    return _Key(int, f"a whole number from {low} to {high}", lambda value: low <= value <= high)


def _seconds(high: float) -> _Key:
    return _Key(float, f"seconds, 0 to {high:g}", lambda value: math.isfinite(value) and 0 <= value <= high)


def _rate() -> _Key:
    return _Key(Rate, "two numbers: so many a second, so many at once ([0, 0]: no limit)", _is_rate)


def _is_rate(value: Rate) -> bool:
    finite = all(type(each) in (int, float) and math.isfinite(each) and each >= 0 for each in value)
    return finite and (value.burst >= 1 or not value.per_s)


def _one_of(*words: str) -> _Key:
    return _Key(str, " or ".join(f'"{word}"' for word in words), lambda value: value in words)


def _is_name(value: str) -> bool:
    try:
        return names.parse(value) == value
    except BadName:
        return False


def _are_keys(values: frozenset[str]) -> bool:
    return all(re.fullmatch(r"[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}", value) for value in values)


def _are_lines(value: frozenset[str]) -> bool:
    return all(each and each.isprintable() for each in value)


_KEYS: Final[dict[str, _Key]] = {
    "listen": _Key(str, 'an address, a host name, or "*"', lambda value: bool(value) and value.isprintable()),
    "port": _whole(0, 65_533),
    "announce": _Key(str, "a host name or an address", lambda value: re.fullmatch(r"[\w.:%-]*", value) is not None),
    "data_dir": _Key(Path, "a directory's path", lambda value: True),
    "database": _Key(str, "sqlite:///PATH", lambda value: value.isprintable()),
    "idle_exit_s": _seconds(1e9),
    "log_format": _one_of("text", "json"),
    "verbose": _Key(bool, "true or false", lambda value: True),
    "bcrypt_cost": _whole(4, 16),
    "hashers": _whole(1, 64),
    "readers": _whole(1, 64),
    "journal_capacity": _whole(16, 1_000_000),
    "io_threads": _whole(1, 16),
    "network.connections": _whole(16, 1_000_000),
    "network.strangers": _whole(1, 1_000_000),
    "network.strangers_per_address": _whole(1, 1_000_000),
    "network.handshakes": _rate(),
    "network.session_handshakes": _rate(),
    "network.listener_bytes": _rate(),
    "network.member_bytes": _rate(),
    "network.stranger_bytes": _rate(),
    "network.address_bytes": _rate(),
    "network.unread_bytes": _whole(1_048_576, 1_073_741_824),
    "network.flood_requests": _whole(0, 1_000_000),
    "network.subscriptions": _whole(256, 1_000_000),
    "network.offences": _rate(),
    "network.ban_s": _seconds(86_400),
    "chat.server_name": _Key(
        str, "1 to 64 printable characters", lambda text: 1 <= len(text) <= 64 and text.isprintable()
    ),
    "chat.default_room": _Key(str, "a room's name: letters, digits, '_', '-', '.'", _is_name),
    "chat.registration": _one_of("open", "closed"),
    "chat.grace_s": _seconds(86_400),
    "chat.posts": _rate(),
    "chat.bot_posts": _rate(),
    "chat.requests": _rate(),
    "chat.bot_requests": _rate(),
    "chat.stranger_requests": _rate(),
    "chat.registrations": _rate(),
    "chat.gateways": _Key(frozenset, "a list of public keys, 40 characters each", _are_keys),
    "web.serve": _Key(bool, "true or false", lambda value: True),
    "web.listen": _Key(str, "an address or a host name", lambda value: bool(value) and value.isprintable()),
    "web.port": _whole(0, 65_535),
    "web.tls_cert": _Key(Path, "a file's path", lambda value: True),
    "web.tls_key": _Key(Path, "a file's path", lambda value: True),
    "web.trusted_proxies": _Key(frozenset, "a list of addresses or networks", _are_lines),
    "web.origins": _Key(frozenset, "a list of origins, such as https://chat.example.org", _are_lines),
    "web.push_contact": _Key(str, "mailto:… or https://…", lambda value: value.startswith(("mailto:", "https://"))),
    "web.per_address": _whole(1, 1_000_000),
}


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, object]) -> BrokerConfig:
    """Put the settings together. `file` None means the default one, if it is there. Raises `BadConfig`.

    `flags` are settings by key, without those that were not given.
    """
    found: dict[str, object] = {}
    for source, given in (
        _from_file(file),
        ("environment", _from_environment(environment)),
        ("command line", flags),
    ):
        for key, value in given.items():
            found[key] = _read(source, key, value)
    tables: dict[str, dict[str, Any]] = {"": {}, "chat": {}, "network": {}, "web": {}}
    for key, value in found.items():
        table, _, name = key.rpartition(".")
        tables[table][name] = value
    chat, network, web = ChatSettings(**tables["chat"]), Bounds(**tables["network"]), WebSettings(**tables["web"])
    if (web.tls_cert is None) != (web.tls_key is None):
        raise BadConfig("web.tls_cert and web.tls_key belong together: set both, or neither.")
    config = BrokerConfig(**tables[""], chat=chat, network=network, web=web)
    _ = config.database_path  # a URL that cannot be used is told now, not at the first write
    return config


def _from_file(file: Path | None) -> tuple[str, dict[str, object]]:
    path = file or default_file()
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if file is None:
            return "", {}
        raise BadConfig(f"{path}: there is no such file.") from None
    except OSError as error:
        raise BadConfig(f"{path}: cannot be read ({error.strerror}).") from None
    try:
        return str(path), dict(_flattened(tomllib.loads(content.decode())))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: not TOML: {error}.") from None


def _flattened(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{above}{key}.")
        else:
            yield above + key, value


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """The settings among the environment's variables, turned from text into what TOML would have given."""
    by_variable = {variable(key): key for key in _KEYS}
    given: dict[str, object] = {}
    for name, text in environment.items():
        if name.startswith(ENVIRONMENT):
            key = by_variable.get(name, name.removeprefix(ENVIRONMENT).lower())
            given[key] = _from_text(key, text)
    return given


def variable(key: str) -> str:
    """The environment variable of a setting."""
    return ENVIRONMENT + key.upper().replace(".", "_")


def _from_text(key: str, text: str) -> object:
    kind = _KEYS[key].kind if key in _KEYS else str
    if kind in (int, float):
        try:
            return int(text) if kind is int else float(text)
        except ValueError:
            return text
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if kind is Rate:
        try:
            return [float(part) for part in re.split(r"[,\s]+", text) if part]
        except ValueError:
            return text
    if kind is frozenset:
        return [part for part in re.split(r"[,\s]+", text) if part]
    return text


def _read(source: str, key: str, value: object) -> object:
    """The value as `BrokerConfig` holds it. Raises `BadConfig`."""
    rule = _KEYS.get(key)
    if rule is None:
        near = difflib.get_close_matches(key, _KEYS, 1)
        raise BadConfig(f"{source}: {key}: no such setting{f'; did you mean {near[0]}?' if near else '.'}")
    right: object = None
    if rule.kind is Path and isinstance(value, str | Path) and str(value):
        right = Path(value).expanduser()
    elif rule.kind is frozenset and isinstance(value, list) and all(isinstance(each, str) for each in value):
        right = frozenset(value)
    elif rule.kind is Rate and isinstance(value, list) and len(value) == 2:
        right = Rate(*value)
    elif rule.kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        right = float(value)
    elif type(value) is rule.kind:
        right = value
    if right is None or not rule.fits(right):
        raise BadConfig(f"{source}: {key}: expected {rule.expected}, found {value!r}.")
    return right

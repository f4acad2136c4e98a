"""What the client is told before it starts: flags win over the environment, it wins over `client.toml`.

Every fault of the file is reported with file, key and what was expected. Must not know what the settings are
for, and never holds a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path


class BadConfig(Exception):
    """The settings cannot be used; the sentence names file, key and expectation."""


@dataclass(frozen=True)
class ClientConfig:
    """The client's settings; `config/client.toml` says what each is for, and a test holds the two equal."""

    address: str = ""
    login: str = ""
    plain: bool = False
    remember: bool = True


_ENVIRONMENT = {"address": "TERTULIA_ADDRESS", "login": "TERTULIA_LOGIN"}
_EXPECTED = {"bool": "true or false", "str": "text in quotes"}


def default_path() -> Path:
    """Where the user's `client.toml` lies on this system, whether there is one or not."""
    import platformdirs

    return platformdirs.user_config_path("tertulia", appauthor=False) / "client.toml"


def read(path: Path) -> ClientConfig:
    """Read a settings file. Raises `BadConfig`, for a missing file too."""
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfig(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise BadConfig(f"{path}: expected TOML in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path}: expected TOML: {error}.") from None
    kinds = {field.name: str(field.type) for field in fields(ClientConfig)}
    for key, value in table.items():
        if key not in kinds:
            raise BadConfig(f"{path}: {key!r}: there is no such setting; expected one of {', '.join(kinds)}.")
        if type(value).__name__ != kinds[key]:
            raise BadConfig(f"{path}: {key!r}: expected {_EXPECTED[kinds[key]]}, found {value!r}.")
    return ClientConfig(**table)


def load(flags: Mapping[str, object], environment: Mapping[str, str], path: Path | None = None) -> ClientConfig:
    """Settle every setting: from `flags` where it is there, else the environment, else the file, else the default.

    With `path`, that file must exist; without it the user's own is read if there is one. Raises `BadConfig`.
    """
    if path is not None:
        config = read(path)
    else:
        usual = default_path()
        config = read(usual) if usual.exists() else ClientConfig()
    found: dict[str, object] = {field.name: getattr(config, field.name) for field in fields(ClientConfig)}
    found.update({key: environment[name] for key, name in _ENVIRONMENT.items() if environment.get(name)})
    found.update({key: value for key, value in flags.items() if key in found and value is not None})
    return ClientConfig(**found)  # type: ignore[arg-type]

"""What the client is told before it starts: flags win over the environment, it wins over `client.toml`.

Every fault of the file is reported with file, key and what was expected. Must not know what the settings are
for, and never holds a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from client.language import LANGUAGES, N_, _, known


class BadConfig(Exception):
    """The settings cannot be used; the sentence names file, key and expectation."""


@dataclass(frozen=True)
class ClientConfig:
    """The client's settings; `config/client.toml` says what each is for, and a test holds the two equal."""

    address: str = ""
    login: str = ""
    plain: bool = False
    remember: bool = True
    lang: str = ""
    theme: str = "auto"
    notify: list[str] = field(default_factory=lambda: ["bell"])
    themes: dict[str, dict[str, str]] = field(default_factory=dict)


NOTICES: Final = ("bell", "osc9", "osc777", "desktop", "none")
"""The ways to tell somebody of what they do not see."""

_ENVIRONMENT = {"address": "TERTULIA_ADDRESS", "login": "TERTULIA_LOGIN", "lang": "TERTULIA_LANG"}
_EXPECTED = {"bool": N_("true or false"), "str": N_("text in quotes")}


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
        raise BadConfig(_("{file}: cannot be read ({reason}).").format(file=path, reason=error.strerror)) from None
    except UnicodeDecodeError:
        raise BadConfig(_("{file}: expected TOML in UTF-8.").format(file=path)) from None
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(_("{file}: expected TOML: {fault}.").format(file=path, fault=error)) from None
    kinds = {field.name: str(field.type) for field in fields(ClientConfig)}
    for key, value in table.items():
        if key not in kinds:
            said = _("{file}: {key!r}: there is no such setting; expected one of {known}.")
            raise BadConfig(said.format(file=path, key=key, known=", ".join(kinds)))
        if key == "themes":
            _check_themes(path, value)
        elif key == "notify":
            _check_notices(path, value)
        elif type(value).__name__ != kinds[key]:
            said = _("{file}: {key!r}: expected {expected}, found {value!r}.")
            raise BadConfig(said.format(file=path, key=key, expected=_(_EXPECTED[kinds[key]]), value=value))
    return ClientConfig(**table)


def _check_themes(path: Path, themes: object) -> None:
    """Each theme is a table of texts; whether they are styles is judged where they are used."""
    for name, table in themes.items() if isinstance(themes, dict) else [("", themes)]:
        where = f"themes.{name}" if name else "themes"
        if not isinstance(table, dict):
            text = _("{file}: {key!r}: expected {expected}, found {value!r}.")
            raise BadConfig(text.format(file=path, key=where, expected=_("a table of styles"), value=table))
        for key, value in table.items():
            if not isinstance(value, str):
                text = _("{file}: {key!r}: expected {expected}, found {value!r}.")
                expected = _(_EXPECTED["str"])
                raise BadConfig(text.format(file=path, key=f"{where}.{key}", expected=expected, value=value))


def _check_notices(path: Path, ways: object) -> None:
    if not isinstance(ways, list) or not all(way in NOTICES for way in ways):
        said = _("{file}: {key!r}: expected {expected}, found {value!r}.")
        expected = _("a list of {ways}").format(ways=", ".join(NOTICES))
        raise BadConfig(said.format(file=path, key="notify", expected=expected, value=ways))


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
    if found["lang"] and known(str(found["lang"])) is None:
        said = _("{lang!r} is no language that this program speaks; expected one of {known}.")
        raise BadConfig(said.format(lang=found["lang"], known=", ".join(LANGUAGES)))
    return ClientConfig(**found)  # type: ignore[arg-type]

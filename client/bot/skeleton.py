"""`tertulia bot new`: a directory with a small bot that works, its test, and what it takes to run it.

The texts lie in `skeleton/`. Nothing that is there already is touched. Must not know how bots are run.
"""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from pathlib import Path
from typing import Final

from client.language import _
from common import names

_TEXTS: Final = Path(__file__).with_name("skeleton")
_FILES: Final = {
    "{name}.py": "bot.txt",
    "test_{name}.py": "test.txt",
    "README.md": "readme.txt",
    "{name}.service": "service.txt",
    ".gitignore": "gitignore.txt",
}
_OURS: Final = frozenset({"broker", "client", "common", "testkit", "test", "tests", "bot", "conftest"})


class BadBotName(Exception):
    """A name by which no bot can be made; the sentence says why."""


def check(name: str) -> None:
    """Raise `BadBotName` unless the name may be an account's and a module's, and hides no other module."""
    names.parse(name)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        said = _("{name!r} cannot be a module of Python; use small letters, digits and _, a letter first")
        raise BadBotName(said.format(name=name))
    if name in _OURS or name in sys.stdlib_module_names or _installed(name):
        raise BadBotName(
            _("{name!r} is the name of another module, which it would hide; choose another").format(name=name)
        )


def make(name: str, where: Path) -> list[Path]:
    """Make the directory `name` in `where`; returns what was made. Raises `BadBotName`, `BadName` and `OSError`."""
    check(name)
    directory = (where / name).resolve()
    try:
        directory.mkdir()
    except FileExistsError:
        said = _("{place} is there already, and nothing in it was touched; choose another name")
        raise BadBotName(said.format(place=directory)) from None
    made = []
    for title, text in _FILES.items():
        content = (_TEXTS / text).read_text(encoding="utf-8")
        content = content.replace("NAME", name)
        if text == "service.txt":
            words = " ".join(map(_quoted, (*_command(), "bot", "run", f"{directory}/{name}.py")))
            content = content.replace("COMMAND", words).replace("DIRECTORY", str(directory).replace("%", "%%"))
        path = directory / title.format(name=name)
        path.write_text(content, encoding="utf-8")
        made.append(path)
    return made


def _installed(name: str) -> bool:
    """Whether that is a module here, of one file or more; a mere directory is none."""
    found = importlib.util.find_spec(name)
    return found is not None and found.origin is not None


def _command() -> tuple[str, ...]:
    """How this program is called where it is installed."""
    script = Path(sys.executable).with_name("tertulia")
    return (str(script),) if script.exists() else (sys.executable, "-m", "client")


def _quoted(word: str) -> str:
    """A word of a unit's command line, as systemd.service(5) and systemd.syntax(7) have it."""
    if re.fullmatch(r"[\w./:@+=-]+", word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'

"""Bots in files: a file is run as a module, and the bots at its top level are found.

A `bot.run(…)` in the file does not run there; what it asks for is noted, so that the same file runs by itself, and by
`tertulia bot run`. Must not know how bots are run.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from client.bot.bot import Bot
from client.language import _


class BadFile(Exception):
    """A file that no bot can be taken from; the sentence names the file, and the line where there is one."""


@dataclass(frozen=True)
class Asked:
    """What a file asks for in its `bot.run(…)`."""

    rooms: tuple[str, ...] | None = None
    address: str | None = None
    key: str | None = None
    login: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class Found:
    """A bot of a file."""

    file: Path
    name: str
    """The variable that holds it."""
    bot: Bot
    asked: Asked = Asked()


_noted: dict[int, Asked] | None = None


def note(bot: Bot, asked: Asked) -> bool:
    """For `bot.run`: take down what is asked for if the bot's file is only being loaded; returns whether it is."""
    if _noted is None:
        return False
    _noted[id(bot)] = asked
    return True


@contextmanager
def _noting() -> Iterator[dict[int, Asked]]:
    global _noted
    _noted = {}
    try:
        yield _noted
    finally:
        _noted = None


def load(file: Path) -> list[Found]:
    """The bots of a file, in the order of their making. Raises `BadFile` if there is none, or if the file is broken."""
    if not file.is_file():
        raise BadFile(_("{file}: there is no such file").format(file=file))
    place = str(file.resolve().parent)
    if place not in sys.path:
        sys.path.insert(0, place)  # as Python does for the file that it runs
    with _noting() as noted:
        module = _run(file, noted)
    found: dict[int, Found] = {}
    for name, value in vars(module).items():
        if isinstance(value, Bot):
            value.name = value.name or file.stem
            found.setdefault(id(value), Found(file, name, value, noted.get(id(value), Asked())))
    if not found:
        raise BadFile(_("{file}: there is no bot in it; a file of a bot has: bot = Bot()").format(file=file))
    return list(found.values())


def _run(file: Path, noted: Mapping[int, Asked]) -> object:
    name = file.stem if file.stem.isidentifier() and file.stem not in sys.modules else f"_bot_{len(sys.modules)}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise BadFile(_("{file}: is no Python; its name must end in .py").format(file=file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        said = f"{error.filename or file}:{error.lineno}: {error.msg}"
        raise BadFile(said) from None
    except SystemExit as error:
        if not noted:  # else it is `raise SystemExit(bot.run())`, and the bot is to be run
            raise BadFile(_where(file, error)) from error
    except Exception as error:
        raise BadFile(_where(file, error)) from error
    return module


def _where(file: Path, error: BaseException) -> str:
    """What went wrong, and on which line of the author's."""
    frames = traceback.extract_tb(error.__traceback__)
    written = [frame for frame in frames if not frame.filename.startswith("<")]  # made code would lie in any directory
    own = [frame for frame in written if Path(frame.filename).resolve().parent == file.resolve().parent]
    place = f"{own[-1].filename}:{own[-1].lineno}" if own else str(file)
    return f"{place}: {type(error).__name__}: {error}"


def choose(found: list[Found], name: str) -> list[Found]:
    """The bot of that variable; all if no name is given. Raises `BadFile`."""
    chosen = [each for each in found if name in ("", each.name)]
    if not chosen:
        known = ", ".join(each.name for each in found)
        said = _("{file}: there is no bot {name!r} in it; there is {known}")
        raise BadFile(said.format(file=found[0].file, name=name, known=known))
    return chosen


def imported(files: Iterable[Path]) -> set[Path]:
    """The files, and those beside them that they import, by what stands in them; of a broken one, itself."""
    import ast

    known: set[Path] = set()
    waiting = [file.resolve() for file in files]
    roots = {file.parent for file in waiting}
    while waiting:
        file = waiting.pop()
        if file in known:
            continue
        known.add(file)
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        for name in _imports(tree):
            waiting += [path for root in roots for path in _files(root, name)]
    return known


def _imports(tree: object) -> Iterator[str]:
    import ast

    assert isinstance(tree, ast.Module)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _files(root: Path, name: str) -> Iterator[Path]:
    """The files under `root` that the import of a module reads: its packages', and its own."""
    path = root
    for part in name.split("."):
        path = path / part
        for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
            if file.is_file():
                yield file

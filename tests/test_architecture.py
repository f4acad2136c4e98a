"""The shape of the tree: who may import whom and which library, how long things may be, what must be written down."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.generated import ROOT, modules, summary
from tests.support import unmeasured

MODULES = modules()

BELOW_TUI = ("common", "client.link", "client.language", "client.refusals", "client.trust", "client.config")

# A part of the tree, and the parts of the tree that it may import.
MAY_IMPORT = {
    "common": ("common",),
    "broker/chat": ("common", "broker.chat"),
    "broker/store": ("common", "broker.chat", "broker.log", "broker.store"),
    "broker/wire": ("common", "broker.chat", "broker.log", "broker.wire"),
    "broker": ("common", "broker"),
    "client/link": ("common", "client.link"),
    "client/bot": ("common", "client.link", "client.bot", "client.language", "client.log"),
    "client/tui": (*BELOW_TUI, "client.typed", "client.tui"),
    "client/typed": ("common", "client.language", "client.typed"),
    "client/language.py": ("common", "client.refusals"),
    "client/tui/model": (*BELOW_TUI, "client.tui.model"),
    "client/tui/text": (*BELOW_TUI, "client.tui.model", "client.tui.text"),
    "client/tui/view": (*BELOW_TUI, "client.tui.model", "client.tui.text", "client.tui.view"),
    "client/tui/commands": (
        *BELOW_TUI,
        "client.tui.model",
        "client.tui.text",
        "client.tui.view",
        "client.tui.commands",
        "client.typed",
    ),
    "client": ("common", "client"),
    "testkit": ("broker", "client", "common", "testkit"),
}

# A library, and the only places that may import it.
ONLY_IN = {
    "aiohttp": ("client/web",),
    "apsw": ("broker/store",),
    "asyncio": ("client", "testkit"),
    "bcrypt": ("broker/wire",),
    "concurrent": ("broker/wire", "broker/app.py", "broker/machine.py"),
    "cryptography": ("client/web/push",),
    "confusable_homoglyphs": ("common/lookalikes.py",),
    "msgpack": ("common/codec.py",),
    "multiprocessing": (),
    "peewee": ("broker/store",),
    "playhouse": ("broker/store",),
    "prompt_toolkit": ("client/tui",),
    "py_vapid": ("client/web/push",),
    "pywebpush": ("client/web/push",),
    "rjsmin": ("client/web/edge",),
    "queue": ("broker/log_writer.py", "broker/store", "broker/wire", "broker/app.py", "broker/machine.py"),
    "socket": (
        "broker/wire",
        "broker/app.py",
        "broker/machine.py",
        "client/link",
        "client/local.py",
        "client/web/public.py",
    ),
    "sqlite3": (),
    "subprocess": ("broker/web/child.py", "client/local.py"),
    "threading": (
        "broker/log.py",
        "broker/log_writer.py",
        "broker/store",
        "broker/web/child.py",
        "broker/wire",
        "broker/app.py",
        "client/bot/ending.py",
        "client/bot/threads.py",
        "client/local.py",
        "client/tui/plain.py",
    ),
    "tomllib": ("broker/config.py", "client/config.py", "common/credentials.py"),
    "zmq": (
        "broker/wire",
        "broker/app.py",
        "broker/machine.py",
        "broker/cli.py",
        "client/link",
        "client/trust.py",
        "common/keys.py",
    ),
}

# The rules of the chat: no sockets, files, threads, clock or chance. Only this, and msgspec for messages of their own.
PURE = frozenset(
    "__future__ base64 bisect collections contextlib dataclasses enum functools hashlib heapq hmac itertools math"
    " msgspec operator re string types typing unicodedata".split()
)

LINES_TYPICAL = 150
LINES_WITH_REASON = 250
LINES_AT_MOST = 400
FUNCTION_LINES = 60

# Lists of records without a line of logic, which are read as one page: the protocol's messages, and the rules' port.
LONG_LISTS = {"common/messages.py", "broker/chat/ports.py"}

VAGUE = re.compile(r"(^|_)(base|helpers?|managers?|misc|utils?)(_|$)")


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Every module that `path` imports, wherever in the file it does so."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def within(name: str, parents: tuple[str, ...], separator: str) -> bool:
    return any(name == parent or name.startswith(parent + separator) for parent in parents)


def named(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.as_posix())


@named(MODULES)
def test_parts_import_only_what_they_may(path: Path) -> None:
    part = max((part for part in MAY_IMPORT if within(path.as_posix(), (part,), "/")), key=len)
    ours = [name for name in imports(path) if name.split(".")[0] in ("broker", "client", "common", "testkit", "tests")]
    assert [name for name in ours if not within(name, MAY_IMPORT[part], ".")] == []


@named(MODULES)
def test_libraries_stay_where_they_belong(path: Path) -> None:
    for name in imports(path):
        places = ONLY_IN.get(name.split(".")[0])
        assert places is None or within(path.as_posix(), places, "/"), f"{name} may only be imported in {places}"


@named([path for path in MODULES if within(path.as_posix(), ("broker/chat",), "/")])
def test_the_rules_know_nothing_but_data(path: Path) -> None:
    foreign = [name for name in imports(path) if name.split(".")[0] not in PURE | {"common", "broker"}]
    assert foreign == []


@named(MODULES)
def test_a_module_says_what_it_is_for_and_is_no_longer_than_it_may_be(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    docstring = ast.get_docstring(tree(path))
    assert docstring, "a module begins with a docstring"
    assert summary(path)
    lines = text.count("\n")
    if path.as_posix() in LONG_LISTS:
        return
    assert lines <= LINES_AT_MOST
    if lines > LINES_WITH_REASON:
        assert re.search(r"\b(long|length|lines|one table|one module|one file|together)\b", docstring, re.IGNORECASE), (
            f"over {LINES_WITH_REASON} lines, the docstring gives the reason"
        )


def test_the_typical_module_is_short() -> None:
    lengths = [(ROOT / path).read_text(encoding="utf-8").count("\n") for path in MODULES]
    assert statistics.median(lengths) <= LINES_TYPICAL


@named(MODULES)
def test_functions_fit_on_a_screen(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < FUNCTION_LINES, f"{node.name} has over {FUNCTION_LINES} lines"


@named(MODULES)
def test_names_say_something(path: Path) -> None:
    names = [path.stem] + [node.name for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    assert [name for name in names if VAGUE.search(re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())] == []


def loaded_by(statement: str) -> set[str]:
    """The top-level modules in memory after a fresh Python has run `statement`."""
    script = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=unmeasured.environment(), capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_command_line_starts_light() -> None:
    heavy = {"asyncio", "msgspec", "msgpack", "platformdirs", "prompt_toolkit", "zmq", "broker"}
    assert loaded_by("import client.cli, client.command_line; client.command_line.parser()") & heavy == set()


def test_the_terminal_does_not_load_what_only_the_broker_needs() -> None:
    foreign = {"aiohttp", "apsw", "bcrypt", "broker", "confusable_homoglyphs", "peewee", "playhouse", "sqlite3"}
    assert loaded_by("import client.tui.app, client.link") & foreign == set()


def test_a_bot_loads_no_more_than_it_needs() -> None:
    assert loaded_by("import client") & {"asyncio", "msgspec", "zmq"} == set()
    foreign = {"aiohttp", "apsw", "bcrypt", "broker", "peewee", "playhouse", "prompt_toolkit", "testkit"}
    assert loaded_by("import client.bot; from client import Bot") & foreign == set()


def tracked() -> list[Path]:
    """What a clone holds; without git (a source archive), every file that is no product of a build."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        return [ROOT / name for name in done.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        return [
            path
            for name in ("broker", "client", "common", "testkit", "config", "docs")
            for path in (ROOT / name).rglob("*.*")
        ]


def test_the_tree_names_no_machine_it_was_made_on() -> None:
    # Written in pieces, so that this file does not find itself.
    private = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + r"home/\w", "/" + "opt/pypi", "index" + "-url"]))
    found = []
    for path in tracked():
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".cfg", ".ini", ".js", ".json", ".sh", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in private.finditer(text)]
    assert found == []

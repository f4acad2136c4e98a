"""The page of the example bots is true: every bot, a key that the broker makes for it, and a line that runs it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from broker.cli import _parser
from common import scopes
from tests.examples.program import BOTS, LINES, PAGE


def test_every_bot_is_on_the_page() -> None:
    found = {path.relative_to(BOTS).as_posix() for path in BOTS.rglob("*.py") if "bot.run()" in path.read_text("utf-8")}
    assert {re.search(r"tertulia bot run ([^\s=]+)(=\S+)?$", run)[1] for _, run in LINES} == found  # type: ignore[index]


@pytest.mark.parametrize(("key", "run"), LINES)
def test_its_key_can_be_made_and_is_the_one_it_runs_with(key: str, run: str) -> None:
    words = shlex.split(key)
    assert words[0] == "tertulia-broker"
    asked = _parser().parse_args(words[1:])
    assert scopes.parse(asked.scopes)
    file, _, named = run.rsplit(" ", 1)[1].partition("=")
    assert (named or f"{Path(file).stem}.key") == f"{asked.login}.key"


@pytest.mark.parametrize("path", sorted(BOTS.rglob("*.py")), ids=lambda path: path.stem)
def test_every_variable_that_a_bot_reads_is_explained_in_its_first_lines_or_on_the_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    head = text.split('"""')[1]
    read = set(re.findall(r'environ(?:ment)?\.get\("(TERTULIA_\w+)"', text))
    assert [name for name in sorted(read) if name not in head and name not in PAGE] == []

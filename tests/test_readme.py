"""What the documents say is what the code does: made parts are up to date, examples run, options exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from client.command_line import parser
from client.commands import completion
from tests import generated
from tests.generated import PARTS, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PARTS)
def test_what_is_made_from_the_code_is_up_to_date(name: str) -> None:
    assert generated.renewed(name) == PARTS[name][0].read_text(encoding="utf-8"), "run: python -m tests.generated"


def test_every_command_and_option_is_in_the_readme() -> None:
    part = README[README.index("## Without a screen") : README.index("## A bot")]
    for name, command in completion.commands().items():
        if name not in ("", "chat"):
            assert f"tertulia {name}" in part
            own = set(command.options) - {"--help", "--address", "--login", "--config", "--lang"}
            assert [option for option in own if option not in part] == []


def test_the_documented_fields_are_those_that_are_printed() -> None:
    show = (ROOT / "client" / "commands" / "show.py").read_text(encoding="utf-8")
    table = ast.get_docstring(ast.parse(show)) or ""
    changes = ((kind, kind) for kind in ("edit", "retract", "reaction"))
    for kind, row in (("message", "tail"), *changes, ("room", "rooms"), ("user", "users")):
        printed = re.search(rf"^\s*{kind}\s+\{{(.*?)\}}", table, re.MULTILINE)
        documented = re.search(rf"^\| `{row}` \| (.*) \|$", README, re.MULTILINE)
        assert printed
        assert documented
        assert re.findall(r'"(\w+)"', printed[1]) == re.findall(r"`(\w+)`", documented[1])


def test_the_bot_of_the_readme_is_ten_lines_of_python() -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code
    ast.parse(code[1])
    assert len([line for line in code[1].splitlines() if line]) <= 10


def test_help_names_the_environment_and_every_exit_status() -> None:
    text = parser().format_help()
    for word in ("TERTULIA_ADDRESS", "TERTULIA_LOGIN", "TERTULIA_PASSWORD", "0 done", "1 refused", "2 wrong", "3 no"):
        assert word in text


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:\.\./)?(?:broker|client|common|config|docs|scripts|tests)/[\w./-]+)`", text)
    assert [name for name in named if not (ROOT / name.removeprefix("../")).exists()] == []

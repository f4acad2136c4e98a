"""The parts of the documents that are made from the code: the table of modules, and that of commands.

python -m tests.generated            rewrite them
python -m tests.generated --check    say what is out of date, and end with status 1 if anything is
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("common", "broker", "client", "testkit")


def modules() -> list[Path]:
    """Every module of the packages, relative to the root of the tree."""
    return sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def summary(path: Path) -> str:
    """The first sentence of a module's docstring, on one line; empty if it has none."""
    docstring = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<=[^.][.]) (?=[A-Z`*])", paragraph)[0].rstrip(".:")


def module_table() -> Iterator[str]:
    """All modules, one part a package."""
    for package in PACKAGES:
        yield from ("", f"**{package}/**", "", "| module | what it is for |", "|---|---|")
        for path in modules():
            if path.parts[0] == package:
                yield f"| `{path.as_posix()}` | {_cell(summary(path))} |"
    yield ""


def command_table() -> Iterator[str]:
    """All commands of the terminal, those of the assignment first."""
    from client.typed.table import TABLE

    yield from ("", "| type | to |", "|---|---|")
    for spec in TABLE:
        yield f"| `{_cell(spec.usage)}` | {_cell(spec.help)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


PARTS: dict[str, tuple[Path, Callable[[], Iterator[str]]]] = {
    "modules": (ROOT / "docs" / "ARCHITECTURE.md", module_table),
    "commands": (ROOT / "README.md", command_table),
}
"""Each part by the name that marks it, with its page and what makes it."""


def renewed(name: str) -> str:
    """A page as it should be: the text between the marks of the part `name` made anew."""
    page, make = PARTS[name]
    before, begin, rest = page.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not begin or not end:
        raise ValueError(f"{page} has no marks for {name}")
    return before + begin + "\n".join(make()) + "\n" + end + after


def main(arguments: list[str]) -> int:
    """Rewrite the parts, or check them; returns the exit status."""
    status = 0
    for name, (page, _) in PARTS.items():
        wanted = renewed(name)
        if wanted != page.read_text(encoding="utf-8"):
            if "--check" in arguments:
                print(f"{page.relative_to(ROOT)}: the table of {name} is out of date; run: python -m tests.generated")
                status = 1
            else:
                page.write_text(wanted, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

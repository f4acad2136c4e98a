"""The catalogs of the client's sentences: extracted from the code, merged with what is translated, compiled.

python -m scripts.catalogs            renew and compile `client/locale/*/LC_MESSAGES/tertulia.po`, and browser.json
python -m scripts.catalogs --check    say what is out of date or not translated, and end with status 1 if anything is

Needs Babel, which is among the extra requirements of the tests; the client itself does not.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_javascript
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
LOCALES = ROOT / "client" / "locale"
BROWSER = ROOT / "client" / "web" / "browser"
SENTENCES = LOCALES / "browser.json"
"""The sentences that the browser's code marks, for `client.web.facts`, which tells the browser those and no others."""
KEYWORDS = {"_": 1, "N_": 1, "ngettext": 2}
"""The functions that mark a sentence, each with how many of its arguments are sentences."""
COMMENT = "# For translators: "
"""A comment in the code that begins like this, just above a sentence, is shown to whoever translates it; `//` in
JavaScript."""

HEADER = """\
# Tertulia in {language}.
# What is extracted from the code, and the order, come from `python -m scripts.catalogs`."""


def sources() -> list[Path]:
    """Every module of the client."""
    return sorted((ROOT / "client").rglob("*.py"))


def refusals() -> Iterator[tuple[Path, str]]:
    """What each class of errors says of itself, of the broker's too: people are told that in their language."""
    for path in sorted([*(ROOT / "common").rglob("*.py"), *sources()]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                for statement in node.body:
                    match statement:
                        case (
                            ast.AnnAssign(target=ast.Name(id="sentence"), value=ast.Constant(value=str(text)))
                            | ast.Assign(targets=[ast.Name(id="sentence")], value=ast.Constant(value=str(text)))
                        ):
                            yield path, text


def marked(path: Path) -> Iterator[tuple[ast.Call, tuple[str, ...]]]:
    """Every call in a module that marks a sentence, with the sentence; those that translate a table's are left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            given = node.args[: KEYWORDS[node.func.id]]
            texts = [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if any(isinstance(each, ast.JoinedStr | ast.BinOp) for each in given):
                raise ValueError(f"{path}, line {node.lineno}: an f-string or a sum cannot be looked up in a catalog")
            if texts:
                yield node, tuple(texts)


def browser() -> Iterator[tuple[Path, tuple[str, ...], list[str]]]:
    """Every sentence of the browser's code, one or two for a number, with what is said to translators."""
    options = {"parse_template_string": True}
    note = COMMENT.removeprefix("# ")
    for path in sorted(BROWSER.rglob("*.js")):
        with path.open("rb") as file:
            for _line, name, given, notes in extract_javascript(file, list(KEYWORDS), [note], options):
                texts = given if isinstance(given, tuple) else (given,)
                kept = tuple(text for text in texts[: KEYWORDS[str(name)]] if text)
                if kept:
                    yield path, kept, [each.removeprefix(note) for each in notes]


def for_browser() -> str:
    """What `browser.json` should hold; a sentence a line, so that two people's do not meet in one."""
    found = {texts for _path, texts, _notes in browser()}
    strings = sorted(texts[0] for texts in found if len(texts) == 1)
    plurals = sorted(list(texts) for texts in found if len(texts) == 2)
    return json.dumps({"strings": strings, "plurals": plurals}, ensure_ascii=False, indent=0) + "\n"


def template() -> Catalog:
    """Every sentence of the code, none translated."""
    found = Catalog(charset="utf-8")
    for path, text in refusals():
        found.add(text, locations=[(_relative(path), 0)])
    for path in sources():
        lines = path.read_text(encoding="utf-8").splitlines()
        for node, texts in sorted(marked(path), key=lambda each: (each[0].lineno, each[0].col_offset)):
            above = lines[node.lineno - 2].strip()
            notes = [above.removeprefix(COMMENT)] if above.startswith(COMMENT) else []
            found.add(texts if len(texts) > 1 else texts[0], locations=[(_relative(path), 0)], auto_comments=notes)
    for path, texts, notes in browser():
        found.add(texts if len(texts) > 1 else texts[0], locations=[(_relative(path), 0)], auto_comments=notes)
    return found


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def catalogs() -> list[Path]:
    """The catalog of each language."""
    return sorted(LOCALES.glob("*/LC_MESSAGES/tertulia.po"))


def read(path: Path) -> Catalog:
    """A catalog as it stands."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def renewed(path: Path, wanted: Catalog) -> bytes:
    """The catalog with the sentences that the code has now: what is new is empty, what is gone is gone."""
    catalog = read(path)
    catalog.update(wanted, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.header_comment = HEADER.format(language=catalog.locale.get_display_name("en"))
    written = BytesIO()
    write_po(written, catalog, width=120, sort_by_file=True, include_lineno=False, omit_header=False)
    # What would change with every run, and with every release of Babel.
    dropped = (b'"POT-Creation-Date:', b'"PO-Revision-Date:', b'"Generated-By:', b'"Project-Id-Version:')
    dropped += (b'"Report-Msgid-Bugs-To:', b'"Last-Translator:', b'"Language-Team:')
    return b"".join(line for line in written.getvalue().splitlines(keepends=True) if not line.startswith(dropped))


def compiled(catalog: Catalog) -> bytes:
    """What the client loads."""
    written = BytesIO()
    catalog.creation_date = catalog.revision_date = datetime(2000, 1, 1)  # else it would be now
    write_mo(written, catalog)
    return written.getvalue()


def lacking(catalog: Catalog) -> list[str]:
    """The sentences that are not translated."""
    return [str(message.id) for message in catalog if message.id and (not all(_texts(message.string)) or message.fuzzy)]


def _texts(string: str | tuple[str, ...]) -> tuple[str, ...]:
    return string if isinstance(string, tuple) else (string,)


def main(arguments: list[str]) -> int:
    """Renew the catalogs, or check them; returns the exit status."""
    status = 0
    wanted = template()
    if "--check" not in arguments:
        SENTENCES.write_text(for_browser(), encoding="utf-8")
    elif SENTENCES.read_text(encoding="utf-8") != for_browser():
        print(f"{_relative(SENTENCES)} is out of date; run: python -m scripts.catalogs")
        status = 1
    for path in catalogs():
        written = renewed(path, wanted)
        if "--check" in arguments:
            if written != path.read_bytes():
                print(f"{_relative(path)} is out of date; run: python -m scripts.catalogs")
                status = 1
        else:
            path.write_bytes(written)
            path.with_suffix(".mo").write_bytes(compiled(read(path)))
        for text in lacking(read(path)):
            print(f"{_relative(path)}: not translated: {text}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

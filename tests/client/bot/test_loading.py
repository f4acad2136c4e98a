"""Bots in files: which are found, what their files ask for, and which files belong to them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.bot import loading
from client.bot.loading import Asked, BadFile

HEAD = "from client.bot import Bot\nbot = Bot()\n"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("run", "asked"),
    [
        ("", Asked()),
        ("bot.run(rooms=['ops'], key='x.key')", Asked(("ops",), key="x.key")),
        ("raise SystemExit(bot.run(login='a', password='b'))", Asked(login="a", password="b")),
        ("if __name__ == '__main__':\n    bot.run(rooms=['ops'])", Asked()),
    ],
)
def test_what_a_file_asks_for_is_noted_and_not_run(run: str, asked: Asked, tmp_path: Path) -> None:
    file = tmp_path / "noted.py"
    file.write_text(f"{HEAD}{run}\n")
    (found,) = loading.load(file)
    assert (found.name, found.bot.name, found.asked) == ("bot", "noted", asked)


def test_a_bot_is_found_once_however_many_names_it_has_and_several_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "several.py"
    file.write_text(f"{HEAD}same = bot\nother = Bot('other')\n")
    found = loading.load(file)
    assert [(each.name, each.bot.name) for each in found] == [("bot", "several"), ("other", "other")]
    assert loading.choose(found, "") == found
    assert loading.choose(found, "other") == found[1:]
    with pytest.raises(BadFile, match="no bot 'third' in it; there is bot, other"):
        loading.choose(found, "third")


def test_a_file_may_have_the_name_of_a_module_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "argparse.py"
    file.write_text(HEAD)
    assert loading.load(file)[0].bot.name == "argparse"
    import argparse

    assert hasattr(argparse, "ArgumentParser")


def test_what_a_file_imports_from_beside_it_is_watched_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "deck" / "inner").mkdir(parents=True)
    for name in ("deck/__init__", "deck/cards", "deck/inner/__init__", "deck/unused", "words", "more", "unused"):
        (tmp_path / f"{name}.py").write_text("import more\n" if name == "words" else "import json, words\n")
    file = tmp_path / "game.py"
    file.write_text("from deck import cards\ndef late():\n    import deck.inner\n")
    names = ["game", "deck/__init__", "deck/cards", "deck/inner/__init__", "words", "more"]
    assert loading.imported([file]) == {(tmp_path / f"{name}.py").resolve() for name in names}
    file.write_text("def (\n")
    assert loading.imported([file]) == {file.resolve()}


def test_what_is_refused_where_it_is_written_is_told_with_that_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever directory it is done in: code that is made, as that of dataclasses, is in no file of any."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "quiz.py"
    file.write_text(f"{HEAD}@bot.command(name='quiz start')\nasync def start(ctx): ...\n")
    with pytest.raises(BadFile, match=r"quiz\.py:3: BadHandler: 'quiz start' is no name for a command"):
        loading.load(file)

"""`client.config`: which setting wins, and what a faulty file is told."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from client import config
from client.config import BadConfig, ClientConfig

ROOT = Path(__file__).parents[2]


def test_the_file_in_the_tree_holds_the_defaults() -> None:
    assert tomllib.loads((ROOT / "config" / "client.toml").read_text()) == asdict(ClientConfig())
    assert config.read(ROOT / "config" / "client.toml") == ClientConfig()


def test_flags_win_over_the_environment_and_it_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "client.toml"
    file.write_text('address = "file"\nlogin = "file"\nplain = true\n')
    environment = {"TERTULIA_ADDRESS": "environment", "TERTULIA_LOGIN": "environment"}
    assert config.load({}, {}, file) == ClientConfig("file", "file", True, True)
    assert config.load({}, environment, file) == ClientConfig("environment", "environment", True, True)
    assert config.load({"address": "flag", "login": None}, environment, file) == ClientConfig(
        "flag", "environment", True, True
    )
    assert config.load({"room": "lobby"}, {"TERTULIA_LOGIN": ""}, file).login == "file"


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config.load({}, {}) == ClientConfig()
    config.default_path().parent.mkdir(parents=True)
    config.default_path().write_text("remember = false\n")
    assert config.load({}, {}) == ClientConfig(remember=False)


def test_the_usual_place_bears_the_name() -> None:
    assert config.default_path().name == "client.toml"
    assert config.default_path().parent.name == "tertulia"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            'adress = "x"\n',
            "'adress': there is no such setting; expected one of "
            "address, login, plain, remember, lang, theme, notify, themes.",
        ),
        ('plain = "yes"\n', "'plain': expected true or false, found 'yes'."),
        ("plain = 1\n", "'plain': expected true or false, found 1."),
        ("login = 7\n", "'login': expected text in quotes, found 7."),
        ("login = \n", "expected TOML: Invalid value (at line 1, column 9)."),
        ("notify = 1\n", "'notify': expected a list of bell, osc9, osc777, desktop, none, found 1."),
        ('notify = ["horn"]\n', "'notify': expected a list of bell, osc9, osc777, desktop, none, found ['horn']."),
        ("themes = 1\n", "'themes': expected a table of styles, found 1."),
        ("[themes]\nmine = 1\n", "'themes.mine': expected a table of styles, found 1."),
        ("[themes.mine]\nme = 1\n", "'themes.mine.me': expected text in quotes, found 1."),
        ("[login]\n", "'login': expected text in quotes, found {}."),
    ],
)
def test_a_faulty_file_is_told_file_key_and_expectation(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "client.toml"
    file.write_text(text)
    with pytest.raises(BadConfig) as caught:
        config.read(file)
    assert str(caught.value) == f"{file}: {sentence}"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be read"):
        config.load({}, {}, tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'login = "jos\xe9"\n')
    with pytest.raises(BadConfig, match="UTF-8"):
        config.read(tmp_path / "latin.toml")

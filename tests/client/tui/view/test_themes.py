"""Themes: each of them says how everything looks, the terminal's abilities bound them, and faults are told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prompt_toolkit.styles import Style

from client.config import BadConfig
from client.tui.view import themes
from client.tui.view.render import NICKS
from client.tui.view.style import BUILT_IN, COLOURED, PLAIN

RICH = {"TERM": "xterm-256color"}


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    yield
    themes.use(themes.AUTO, {})


def test_every_theme_knows_every_name() -> None:
    for name, table in BUILT_IN.items():
        if name != "none":
            assert table.keys() == COLOURED.keys()
        assert set(table) <= set(COLOURED)
        assert Style.from_dict(table)
    assert all(f"nick.{number}" in COLOURED for number in range(NICKS))


def test_without_colour_there_is_none() -> None:
    style = Style.from_dict(PLAIN)
    for name in COLOURED:
        attributes = style.get_attrs_for_style_str("class:" + name)
        assert (attributes.color, attributes.bgcolor) == ("", "")


def test_sixteen_colours_are_all_the_terminals_own() -> None:
    style = Style.from_dict(BUILT_IN["ansi"])
    for name in COLOURED:
        attributes = style.get_attrs_for_style_str("class:" + name)
        for colour in (attributes.color, attributes.bgcolor):
            assert not colour or colour.startswith("ansi"), name


@pytest.mark.parametrize(
    ("environment", "theme"),
    [
        (RICH, "any"),
        ({**RICH, "NO_COLOR": "1"}, "none"),
        ({"TERM": "dumb"}, "none"),
        ({"TERM": "vt100"}, "none"),
        ({"TERM": "linux"}, "ansi"),
        ({"TERM": "xterm-16color"}, "ansi"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "any"),
        ({**RICH, "COLORFGBG": "0;15"}, "light"),
        ({**RICH, "COLORFGBG": "15;default;0"}, "any"),
    ],
)
def test_what_fits_a_terminal(environment: dict[str, str], theme: str) -> None:
    assert themes.fitting(environment) == theme
    assert themes.style(environment).style_rules == Style.from_dict(BUILT_IN[theme]).style_rules


def test_ones_own_theme_stands_on_another_and_yields_to_no_colour() -> None:
    own = {"mine": {"base": "dark", "me": "italic #ff0000"}, "bare": {}}
    themes.use("mine", own)
    attributes = themes.style(RICH).get_attrs_for_style_str("class:me")
    assert (attributes.color, attributes.italic) == ("ff0000", True)
    assert themes.style(RICH).get_attrs_for_style_str("class:nick.0").color == "87afff"
    assert not themes.style({"NO_COLOR": "1"}).get_attrs_for_style_str("class:me").color
    themes.use("bare", own)
    assert themes.style(RICH).style_rules == Style.from_dict(COLOURED).style_rules
    themes.use("light", {})
    assert themes.style(RICH).get_attrs_for_style_str("class:title").bgcolor == "d0d7de"


@pytest.mark.parametrize(
    ("name", "own", "said"),
    [
        ("drak", {}, "theme: there is no 'drak'; expected one of auto, any, dark, light, ansi, none."),
        ("auto", {"x": {"base": "y"}}, "themes.x: base: there is no 'y'; expected one of auto, any, dark, light"),
        ("auto", {"x": {"tittle": "bold"}}, "themes.x: there is no 'tittle' to give a style to; there is title"),
        ("auto", {"x": {"me": "boldd #12"}}, "themes.x: me: expected a style such as"),
    ],
)
def test_faults_are_told(name: str, own: dict[str, dict[str, str]], said: str) -> None:
    with pytest.raises(BadConfig) as caught:
        themes.use(name, own)
    assert str(caught.value).startswith(said)

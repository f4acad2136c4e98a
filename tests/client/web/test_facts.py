"""What the browser is told of what is written in Python."""

from __future__ import annotations

import json

import pytest

from client.language import LANGUAGES
from client.typed.table import TABLE
from client.web import facts
from common import limits


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_told_is_the_table_and_the_limits(lang: str) -> None:
    told = json.loads(json.dumps(facts.facts(lang)))
    assert told["lang"] == lang
    assert [row["name"] for row in told["commands"]] == [spec.name for spec in TABLE]
    assert [(arg["name"], arg["kind"]) for row in told["commands"] for arg in row["args"]] == [
        (arg.name, arg.kind.name.lower()) for spec in TABLE for arg in spec.args
    ]
    assert told["limits"]["PASSWORD_LENGTH"] == list(limits.PASSWORD_LENGTH)
    assert told["limits"]["TEXT_LENGTH"] == limits.TEXT_LENGTH


def test_each_language_is_told_in_itself() -> None:
    english, spanish = ({row["name"]: row for row in facts.facts(lang)["commands"]} for lang in ("en", "es"))
    assert (english["/join"]["usage"], spanish["/join"]["usage"]) == ("/join <room>", "/join <sala>")
    assert spanish["/join"]["args"][0]["name"] == "room", "by which values go"
    assert english["/join"]["group"] != spanish["/join"]["group"]
    assert english[r"#\private"]["usage"] == r"#\private<user> <text>"
    assert {"/editor", "/keyboard"} <= {row["name"] for row in english.values() if row["terminal"]}


def test_the_sentences_are_those_of_the_browsers_code() -> None:
    assert facts.facts("en")["strings"] == {}, "English stands in the code"
    told = json.loads(facts.SENTENCES.read_text(encoding="utf-8"))
    strings = facts.facts("es")["strings"]
    assert strings["Today"] == "Hoy"
    assert set(strings) <= {*told["strings"], *(one for one, _many in told["plurals"])}
    assert all(len(strings[one]) == 2 for one, _many in told["plurals"] if one in strings)


def test_a_language_that_there_is_not_is_english() -> None:
    assert facts.facts("xx")["lang"] == "en"

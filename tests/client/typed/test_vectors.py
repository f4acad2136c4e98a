"""What a typed line means, by the vectors that the browser's core is held to as well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from client.typed.completion import proposals
from client.typed.grammar import Call, Mistake, Say
from client.typed.table import TABLE

VECTORS: Final = json.loads((Path(__file__).parents[2] / "vectors" / "typed.json").read_text(encoding="utf-8"))


def meant(line: str) -> dict[str, Any]:
    """What a line means, as the vectors write it."""
    match TABLE.parse(line):
        case Say(text):
            return {"say": text}
        case Call(spec, values, flags):
            return {"call": spec.name, "values": dict(values), "flags": sorted(flags)}
        case Mistake(lines):
            return {"mistake": list(lines)}
    return {"nothing": True}


@pytest.mark.parametrize("case", VECTORS["lines"] + VECTORS["names"], ids=lambda case: ascii(case["line"]))
def test_a_line(case: dict[str, Any]) -> None:
    assert {"line": case["line"], **meant(case["line"])} == case


def test_every_command_and_every_alias_is_tried() -> None:
    tried = {case["call"] for case in VECTORS["lines"] if "call" in case}
    proposed = {text.strip() for case in VECTORS["completion"] for text, _replaces, _shown in case["proposes"]}
    assert {spec.name for spec in TABLE} <= tried | proposed


class Known:
    """The names of the vectors."""

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known

    def rooms(self) -> list[str]:
        return list(self._known["rooms"])

    def people(self) -> list[str]:
        return list(self._known["people"])

    def speakers(self) -> list[str]:
        return list(self._known["speakers"])

    def talks(self, letters: str) -> Iterator[tuple[str, str]]:
        for talk in self._known["talks"]:
            if talk.startswith(letters):
                yield talk, talk if talk[0] == "@" else f"#{talk}"

    def emoji(self, letters: str) -> Iterator[tuple[str, str]]:
        yield from ((f":{name}:", sign) for name, sign in self._known["emoji"] if name.startswith(letters[1:]))


@pytest.mark.parametrize("case", VECTORS["completion"], ids=lambda case: ascii(case["before"]))
def test_what_is_proposed(case: dict[str, Any]) -> None:
    found = proposals(case["before"], Known(VECTORS["known"]), case["requested"])
    assert [[each.text, each.replaces, each.shown] for each in found] == case["proposes"]

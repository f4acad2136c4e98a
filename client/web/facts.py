"""What the browser must know of what is written in Python: the table of commands, limits, sentences in its language.

Made once for each language and served as `/facts/<lang>.json`; docs/WEB.md says how it is read. Must not know HTTP, nor
what the browser does with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from client.language import CATALOGS, Translator, translator
from client.typed.grammar import Arg, Spec
from client.typed.table import GROUPS
from common import limits

LIMITS: Final = (
    "PROTOCOL_VERSION",
    "NAME_LENGTH",
    "TEXT_LENGTH",
    "TEXT_BYTES",
    "SUBJECT_LENGTH",
    "NOTE_LENGTH",
    "QUERY_LENGTH",
    "PERSON_NAME_LENGTH",
    "AGE_RANGE",
    "PASSWORD_LENGTH",
    "NONCE_BYTES",
    "REACTIONS",
    "HISTORY_PAGE",
    "LIST_PAGE",
    "SEARCH_PAGE",
    "REQUEST_BYTES",
    "TYPING_S",
    "HEARTBEAT_S",
)
"""Which of `common.limits` the browser is told; a range is a list of two."""

SENTENCES: Final = CATALOGS / "browser.json"
"""The sentences that stand in the browser's code, made from it by `python -m scripts.catalogs`."""


def facts(lang: str) -> Mapping[str, Any]:
    """All of it in `lang`, or in English where that is none of `client.language.LANGUAGES`; ready for JSON."""
    return _facts(translator(lang))


@cache
def _facts(speaks: Translator) -> Mapping[str, Any]:
    return {
        "lang": speaks.lang,
        "strings": _strings(speaks),
        "commands": [_command(spec, speaks.text(title), speaks.text) for title, specs in GROUPS for spec in specs],
        "limits": {name: getattr(limits, name) for name in LIMITS},
    }


def _strings(speaks: Translator) -> dict[str, str | list[str]]:
    """The sentences of the browser's code that this language says otherwise; two forms where a number decides."""
    found = json.loads(SENTENCES.read_text(encoding="utf-8"))
    said: dict[str, str | list[str]] = {text: speaks.text(text) for text in found["strings"]}
    said |= {one: [speaks.number(one, many, 1), speaks.number(one, many, 2)] for one, many in found["plurals"]}
    same = {one: [one, many] for one, many in found["plurals"]}
    return {text: forms for text, forms in said.items() if forms != same.get(text, text)}


def _command(spec: Spec, group: str, translate: Callable[[str], str]) -> dict[str, Any]:
    return {
        "name": spec.name,
        "aliases": spec.aliases,
        "args": [_arg(arg, translate) for arg in spec.args],
        "flags": {flag: translate(what) for flag, what in spec.flags.items()},
        "group": group,
        "help": translate(spec.help),
        "example": translate(spec.example),
        "usage": spec.usage_in(translate),
        "on_screen": spec.on_screen,
        "terminal": spec.terminal,
    }


def _arg(arg: Arg, translate: Callable[[str], str]) -> dict[str, Any]:
    return {
        "name": arg.name,
        "label": translate(arg.name),
        "kind": arg.kind.name.lower(),
        "optional": arg.optional,
        "choices": arg.choices,
    }

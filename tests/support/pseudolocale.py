"""A language that nobody speaks: what is marked for translation comes in other letters, so that what is not stands out.

Each Latin letter becomes a Cyrillic one of the same width; what is put into a sentence stays as it is. So every Latin
word that is left on a screen is a name, something typed, or a text that was forgotten.
"""

from __future__ import annotations

import gettext
import re
import string

import pytest

from client import language

_LETTERS = str.maketrans(string.ascii_letters, "абцдефгхийклмнопярстувшхызАБЦДЕФГХИЙКЛМНОПЯРСТУВШХЫЗ")
_FIELDS = re.compile(r"(\{[^}]*\}|%\(\w+\)[a-z]|%[a-z])")


def pseudo(text: str) -> str:
    """A text in the other letters, its fields untouched."""
    parts = _FIELDS.split(text)
    return "".join(part if index % 2 else part.translate(_LETTERS) for index, part in enumerate(parts))


class PseudoLocale(gettext.NullTranslations):
    """A catalog that has everything."""

    def gettext(self, message: str) -> str:
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return pseudo(msgid1 if n == 1 else msgid2)


def speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client speak it until the test is over."""
    monkeypatch.setattr(language, "_chosen", language.Translator("xx", PseudoLocale()))


def words(text: str) -> set[str]:
    """The words in Latin letters, of two and more."""
    return set(re.findall(r"(?<!\w)[A-Za-z][A-Za-z-]+(?!\w)", text))

"""The language people are spoken to: English as it stands in the code, others from the catalogs in `locale/`.

    _("Text with {name}").format(name=...)              a sentence, whole, with named fields
    ngettext("{n} message", "{n} messages", n).format(n=n)
    N_("A row of a table")                               marked here, translated with `_` where it is shown
    sentence(error)                                      what to say of a refusal, by its code
    long_date(day)                                       a date in the order that the language writes it
    translator("es").sentence(error)                     the same to one person of many, who are spoken to in their own

What is not shown to people is not translated: log lines, JSON, settings, names of commands and flags, the wire. Until
`use` was called everything is English, and nothing is loaded. Must not know who is spoken to, or where.

Source: GNU gettext (`LANGUAGE`, `LC_ALL`, `LC_MESSAGES`, `LANG`, in this order).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from common.errors import ChatError

if TYPE_CHECKING:
    import datetime
    from gettext import NullTranslations

LANGUAGES: Final = ("en", "es")
"""The languages there are, English, which needs no catalog, first."""

DOMAIN: Final = "tertulia"
CATALOGS: Final = Path(__file__).with_name("locale")


class Translator:
    """One language, for a program that speaks several at a time; `translator` gives it."""

    def __init__(self, lang: str, catalog: NullTranslations | None) -> None:
        self.lang = lang
        self._catalog = catalog

    def text(self, text: str) -> str:
        """The text in this language, or as it is if the catalog does not have it."""
        # To nothing, gettext gives the head of the catalog.
        return self._catalog.gettext(text) if text and self._catalog is not None else text

    def number(self, one: str, many: str, n: int) -> str:
        """The text for `n` things."""
        if self._catalog is None:
            return one if n == 1 else many
        return self._catalog.ngettext(one, many, n)

    def sentence(self, error: ChatError) -> str:
        """What to tell people of a refusal or a failure.

        In English the sentence that it holds, which may have details. Else that sentence translated if the catalog
        knows it; of a broker's that it does not, what its code means; and what this program made itself, as it was
        made.
        """
        if self._catalog is None:
            return error.message
        from client.refusals import translated

        said = translated(error.message, self._catalog.gettext)
        if said is not None:
            return said
        return self._catalog.gettext(error.sentence) if error.remote else error.message


_chosen = Translator(LANGUAGES[0], None)


def N_(text: str) -> str:
    """Mark a text of a table as one to translate, and leave it as it is."""
    return text


def _(text: str) -> str:
    """The text in the language chosen, or as it is if the catalog does not have it."""
    return _chosen.text(text)


def ngettext(one: str, many: str, n: int) -> str:
    """The text for `n` things in the language chosen."""
    return _chosen.number(one, many, n)


def sentence(error: ChatError) -> str:
    """What to tell people of a refusal or a failure, in the language chosen (`Translator.sentence`)."""
    return _chosen.sentence(error)


def translator(lang: str) -> Translator:
    """The language `lang` (`es`, also `es-AR`), whatever was chosen for this process; English if there is no catalog
    for it."""
    return _translator(known(lang) or LANGUAGES[0])


@cache
def _translator(known: str) -> Translator:
    return Translator(known, _loaded(known) if known != LANGUAGES[0] else None)


def use(lang: str | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """Speak `lang` (`es`, also `es_AR.UTF-8`) from now on, or else what the locale says; returns which it is.

    A language that there is no catalog for becomes the locale's, and a locale without one English.
    """
    global _chosen
    _chosen = translator(known(lang or "") or _of_locale(environment))
    return _chosen.lang


def known(name: str) -> str | None:
    """Which of `LANGUAGES` a locale's name means: `es` for `es_AR.UTF-8`; None for any other."""
    code = name.replace("-", "_").split(".")[0].split("@")[0].split("_")[0].casefold()
    return code if code in LANGUAGES else None


def _of_locale(environment: Mapping[str, str]) -> str:
    settings = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, settings), "")
    if locale.split(".")[0] in ("", "C", "POSIX"):
        return LANGUAGES[0]  # in which, as GNU has it, LANGUAGE says nothing
    wanted = [*environment.get("LANGUAGE", "").split(":"), locale]
    return next(filter(None, map(known, wanted)), LANGUAGES[0])


def _loaded(lang: str) -> NullTranslations:
    import gettext

    return gettext.translation(DOMAIN, CATALOGS, [lang])


_WEEKDAYS: Final = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
_MONTHS: Final = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)


def long_date(day: datetime.date) -> str:
    """A day with its weekday: `Sunday 22 November 2026`."""
    weekday, month = _(_WEEKDAYS[day.weekday()]), _(_MONTHS[day.month - 1])
    return _("{weekday} {day} {month} {year}").format(weekday=weekday, day=day.day, month=month, year=day.year)


def short_date(day: datetime.date) -> str:
    """A day in figures: `2026-11-22`."""
    return _("{year:04}-{month:02}-{day:02}").format(year=day.year, month=day.month, day=day.day)


def moment(when: datetime.datetime) -> str:
    """A day and a time, to the minute: `2026-11-22 10:39`."""
    return f"{short_date(when)} {when:%H:%M}"

"""Dialogues: what somebody says, and what is to be heard then. Must not know who answers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence

from testkit.person import Person
from testkit.seen import Post

Expected = str | re.Pattern[str] | None | Sequence[str | re.Pattern[str]]
"""A text; a pattern that is searched for; several of these in order; None for silence."""


async def hold(person: Person, say: Callable[[str], Awaitable[Post]], lines: Iterable[tuple[str, Expected]]) -> None:
    """Say each line, and compare what the person hears then; nothing more may be heard than is expected.

    Raises `AssertionError` that names the line, what was expected and what was heard.
    """
    await person.forget()
    for number, (said, expected) in enumerate(lines, 1):
        await say(said)
        where = f"Line {number}, {said!r}"
        for each in _each(expected):
            await _hear(person, each, where)
        try:
            await person.silence()
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from None


async def _hear(person: Person, expected: str | re.Pattern[str], where: str) -> None:
    try:
        heard = (await person.hears()).text
    except AssertionError as error:
        raise AssertionError(f"{where}: expected {_shown(expected)}. {error}") from None
    fits = heard == expected if isinstance(expected, str) else expected.search(heard)
    if not fits:
        raise person.failure(f"{where}: expected {_shown(expected)}, heard {heard!r}.")


def _each(expected: Expected) -> Sequence[str | re.Pattern[str]]:
    if expected is None:
        return ()
    return (expected,) if isinstance(expected, str | re.Pattern) else expected


def _shown(expected: str | re.Pattern[str]) -> str:
    return repr(expected) if isinstance(expected, str) else f"something like {expected.pattern!r}"

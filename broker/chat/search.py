"""Finding messages by their words, in what the account may read. Must not know how words are kept.

    canción del mar    messages with all of these words, the last one perhaps a beginning
    "del mar"          these words, one after the other
    -canción           none with this word

Whatever else somebody types only divides words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from broker.chat import ports
from broker.chat.context import Context, handles
from broker.chat.effects import Answer, Ask, Effect, Now
from broker.chat.reading import all_readable, log_name, readable, said
from common import messages
from common.errors import BadText, Busy
from common.limits import HISTORY_BYTES

_SLOWLY: Final = "You search more often than this broker allows; wait a little."
_TERM: Final = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
_NO_BEGINNING: Final = re.compile("[0-9A-Za-z]")
"""A single letter is no beginning of a word to search for: a good part of all words would be found."""


class Terms(NamedTuple):
    """What somebody asked for."""

    words: tuple[ports.Phrase, ...]
    without: tuple[ports.Phrase, ...]


def terms(query: str) -> Terms:
    """Read what somebody typed. Raises `BadText` if there is no word in it to look for."""
    found = list(_terms(query))
    words = tuple(phrase for wanted, phrase in found if wanted)
    if not words:
        raise BadText("There is no word to search for.")
    return Terms(words, tuple(phrase._replace(begins=False) for wanted, phrase in found if not wanted))


def _terms(query: str) -> Iterator[tuple[bool, ports.Phrase]]:
    matches = [match for match in _TERM.finditer(query) if _has_word(match[2] or match[3] or "")]
    for match in matches:
        text = match[3] or match[2]
        begins = match is matches[-1] and match[3] is not None and not _NO_BEGINNING.fullmatch(text)
        yield not match[1], ports.Phrase(text, begins)


def _has_word(text: str) -> bool:
    return any(unicodedata.category(character)[0] in "LN" for character in text)


@handles(messages.Search)
def search(ctx: Context, command: messages.Search) -> list[Effect]:
    """Find messages by their words, newest first."""
    account, origin, state = ctx.account, ctx.origin, ctx.state
    asked = terms(command.query)
    sender = None if command.sender is None else ctx.user(command.sender).id
    logs = all_readable(ctx.session) if command.log is None else [readable(ctx, command.log)]
    ctx.rules.searches.check(account.id, ctx.now.mono, _SLOWLY)

    def then(result: object, now: Now) -> list[Effect]:
        if result is None:
            raise Busy("That search takes too long; give more words, or longer ones.")
        assert isinstance(result, ports.Findings)
        later = Context(ctx.rules, origin, state.session(origin.key, origin.session), now)
        still = dict(all_readable(later.session))
        hits = [
            messages.Hit(log=log_name(state, log), entry=said(state, row))
            for log, row in result.found
            if log in still and row.seq > still[log]
        ]
        return [Answer(origin, messages.Found(id=origin.id, hits=hits, more=result.more))]

    question = ports.FindMessages(
        tuple(logs), asked.words, asked.without, sender, command.before, command.limit, HISTORY_BYTES, account.id
    )
    return [Ask(origin, question, then)]

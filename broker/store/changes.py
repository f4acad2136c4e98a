"""What an entry does to the message that it answers or changes, within the transaction that writes it.

What is retracted or edited is erased: the row's text is overwritten, and the index is told the old text, to forget it.
Must not know transactions, nor whether a change is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import apsw

from broker.chat.ports import NewEntries, Place
from broker.store import words
from common.limits import REACTIONS

_TARGET: Final = "UPDATE entry SET target = ? WHERE seq = ?"
_MESSAGE: Final = "seq = ?1 AND log = ?2 AND kind IN ('message', 'direct')"
_IS_THERE: Final = f"SELECT 1 FROM entry WHERE {_MESSAGE}"
_EDIT: Final = f"""
    UPDATE entry SET text = CASE WHEN retracted THEN text ELSE ?4 END, changed = ?3,
        edited = CASE WHEN retracted THEN edited ELSE ?5 END WHERE {_MESSAGE}"""
_RETRACT: Final = f"UPDATE entry SET text = '', retracted = 1, changed = ?3 WHERE {_MESSAGE}"
_FORGET_REACTIONS: Final = "DELETE FROM reaction WHERE target = ?"
_CHANGED: Final = f"UPDATE entry SET changed = ?3 WHERE {_MESSAGE}"
# Whoever asked has looked before; this holds if others were quicker. An emoji keeps its place among the others as long
# as somebody's is there, whoever put it first.
_PUT: Final = f"""
    INSERT OR IGNORE INTO reaction (target, account, emoji, first)
    SELECT seq, ?4, ?5, coalesce((SELECT min(first) FROM reaction WHERE target = ?1 AND emoji = ?5), ?3)
    FROM entry WHERE {_MESSAGE} AND NOT retracted AND (
        EXISTS (SELECT 1 FROM reaction WHERE target = ?1 AND emoji = ?5)
        OR (SELECT count(DISTINCT emoji) FROM reaction WHERE target = ?1) < {REACTIONS})"""
_PEOPLE: Final = "SELECT count(*) FROM reaction WHERE target = ? AND emoji = ?"
_TAKE_AWAY: Final = "DELETE FROM reaction WHERE target = ? AND account = ? AND emoji = ?"


def carry_out(
    connection: apsw.Connection, targeted: Iterable[tuple[NewEntries, int]], places: list[tuple[Place, ...]]
) -> bool:
    """Do in order what these entries do, each of which was just inserted at those of `places`; whether a text was
    erased. The places of a reaction are told how many people it has then."""
    erased = False
    for entries, at in targeted:
        for log, target, place in zip(entries.logs, entries.targets, places[at], strict=True):
            connection.execute(_TARGET, (target, place.seq))
            message = (target, log, place.seq)
            if connection.execute(_IS_THERE, message[:2]).fetchone() is None:
                continue
            match entries.kind:
                case "edit":
                    words.take_out(connection, target)
                    connection.execute(_EDIT, (*message, entries.text, entries.time))
                    words.put_in(connection, target)
                    erased = True
                case "retract":
                    words.take_out(connection, target)
                    connection.execute(_RETRACT, message)
                    connection.execute(_FORGET_REACTIONS, (target,))
                    erased = True
                case "reaction" if entries.other:
                    connection.execute(_CHANGED, message)
                    connection.execute(_PUT, (*message, entries.sender, entries.text))
                case "reaction":
                    connection.execute(_CHANGED, message)
                    connection.execute(_TAKE_AWAY, (target, entries.sender, entries.text))
                case _:
                    pass  # an answer changes nothing
        if entries.kind == "reaction":
            places[at] = tuple(
                place._replace(people=_people(connection, target, entries.text))
                for target, place in zip(entries.targets, places[at], strict=True)
            )
    return erased


def _people(connection: apsw.Connection, target: int, emoji: str) -> int:
    found: Any = connection.execute(_PEOPLE, (target, emoji)).fetchone()
    return int(found[0])


def forget(connection: apsw.Connection, seqs: Iterable[int]) -> None:
    """Before these entries are deleted: take them out of the index, and their reactions with them."""
    for seq in seqs:
        words.take_out(connection, seq)
        connection.execute(_FORGET_REACTIONS, (seq,))

"""How far each account has read each conversation, and what of it it wants to be told; written behind.

`read` moves with nearly every message that somebody sees. So it moves in memory at once, and goes to disk with all that
was marked in the `MARK_KEPT_S` after the first: one row a conversation, however often it was marked. A broker that is
killed loses those seconds, and somebody is shown as new what they have seen. Must not know who may mark what.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import Final

from broker.chat.effects import Commit, Effect, Now
from broker.chat.entities import Account
from broker.chat.ports import DropMark, MarkRow, PutMark, Write
from broker.chat.state import State
from broker.chat.telling import marked_now
from common.limits import MARK_KEPT_S, TALKS

AT_ONCE: Final = 500
"""Marks in one commit: a few milliseconds, so that no sender notices; the rest follows at the next tick."""


class Marks:
    """The marks of every account: those in memory are `Account.marks`, and here is which of them are not kept yet."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._unkept: dict[tuple[int, int], None] = {}
        """Account and conversation; one whose mark is gone is to be forgotten on disk, too."""
        self._mistold: dict[tuple[int, int], None] = {}
        """Those whose sessions were told what was taken back since."""
        self._due = math.inf

    def of(self, account: Account, talk: int) -> MarkRow:
        """The mark of a conversation; one that says nothing if there is none."""
        return account.marks.get(talk) or self._blank(account, talk)

    def _blank(self, account: Account, talk: int) -> MarkRow:
        return MarkRow(account.id, talk, 0, None, 0)

    def put(self, account: Account, mark: MarkRow, now: Now) -> MarkRow:
        """Take `mark` for the account's latest, and return it as it is to be kept.

        Of private conversations the one marked longest ago is forgotten where there would be more than `TALKS`.
        """
        last = next(reversed(account.marks.values())).marked if account.marks else 0
        mark = mark._replace(marked=max(now.time, last + 1))
        known = account.marks.pop(mark.talk, None)
        account.marks[mark.talk] = mark
        if known is None and mark.talk < 0:
            private = [talk for talk in account.marks if talk < 0]
            for talk in private[: max(0, len(private) - TALKS)]:
                del account.marks[talk]
                self.keep_later(account, talk, now)
        return mark

    def take_back(self, account: Account, old: MarkRow, new: MarkRow) -> None:
        """What turned `old` into `new` could not be kept; what was read since stays read.

        Who was told of it with something read meanwhile is told again.
        """
        mark = account.marks.get(new.talk)
        if mark is not None and mark.read == new.read:
            mark = old
        if mark is None or mark == self._blank(account, old.talk):
            account.marks.pop(old.talk, None)
        else:
            account.marks[mark.talk] = mark._replace(notify=old.notify)
        self._unkept[account.id, old.talk] = self._mistold[account.id, old.talk] = None
        self._due = -math.inf

    def keep_later(self, account: Account, talk: int, now: Now) -> None:
        """Have the mark written, as it stands by then, with the others of these seconds."""
        self._unkept[account.id, talk] = None
        self._due = min(self._due, now.mono + MARK_KEPT_S)

    def tick(self, now: Now) -> list[Effect]:
        """Write what is due."""
        if now.mono < self._due:
            return []
        return [*self._tell_again(), *self._commit(list(islice(self._unkept, AT_ONCE)), now)]

    def _tell_again(self) -> list[Effect]:
        mistold, self._mistold = self._mistold, {}
        effects: list[Effect] = []
        for id, talk in mistold:
            account = self._state.accounts.get(id)
            if account is not None and self._is_there(account, talk):
                effects += marked_now(self._state, account, self.of(account, talk))
        return effects

    def keep(self, now: Now) -> list[Effect]:
        """Write everything: there will be no later."""
        return self._commit(list(self._unkept), now)

    def _is_there(self, account: Account, talk: int) -> bool:
        """Whether there is such a conversation: what was made may have been taken back, as it could not be kept."""
        if talk < 0:
            return -talk in self._state.accounts
        return talk in account.rooms or (talk in self._state.rooms and self._state.rooms[talk].creator is None)

    def _commit(self, marks: list[tuple[int, int]], now: Now) -> list[Effect]:
        writes: list[Write] = []
        for id, talk in marks:
            del self._unkept[id, talk]
            account = self._state.accounts.get(id)
            if account is not None and not self._is_there(account, talk):
                account.marks.pop(talk, None)
            mark = account.marks.get(talk) if account else None
            writes.append(PutMark(mark) if mark else DropMark(id, talk))
        if not self._unkept:
            self._due = math.inf

        def undo() -> None:
            self._unkept.update(dict.fromkeys(marks))
            self._due = min(self._due, now.mono + MARK_KEPT_S)

        return [Commit(tuple(writes), lambda places, now: [], undo, None)] if writes else []

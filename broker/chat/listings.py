"""Lists: users, rooms, members; by name, a page at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate, islice
from typing import Final, TypeVar

from broker.chat import views
from broker.chat.context import Context, handles, may_know
from broker.chat.effects import Answer, Effect
from broker.chat.entities import Account, Room
from broker.chat.gateways import is_one_only
from broker.chat.rights import READS
from common import messages, names

T = TypeVar("T", Account, Room)
_MODERATORS_SHOWN: Final = 2_500
"""Moderators in a page of rooms, so that it fits into `REPLY_BYTES` whatever everybody is called."""


def _page(found: Iterable[T], after: str, limit: int) -> tuple[list[T], bool]:
    """The first `limit` of `found` by key above `after`, and whether there are more."""
    start = names.key(after)
    ordered = sorted((item for item in found if item.key > start), key=lambda item: item.key)
    return ordered[:limit], len(ordered) > limit


@handles(messages.Users)
def users(ctx: Context, command: messages.Users) -> list[Effect]:
    """All users of the system, but the accounts that only carry others."""
    keys = ctx.state.account_keys
    start = bisect_right(keys, names.key(command.after)) if command.after else 0
    rest = (ctx.state.account_by_key[keys[index]] for index in range(start, len(keys)))
    found = list(islice((account for account in rest if not is_one_only(account)), command.limit + 1))
    reply = messages.UserList(
        id=ctx.origin.id,
        users=[views.user_view(account) for account in found[: command.limit]],
        more=len(found) > command.limit,
    )
    return [Answer(ctx.origin, reply)]


@handles(messages.Rooms)
def rooms(ctx: Context, command: messages.Rooms) -> list[Effect]:
    """The rooms that the account may know of and has not hidden."""
    account, scopes = ctx.account, ctx.session.scopes
    known = (
        room
        for room in ctx.state.rooms.values()
        if may_know(account, room) and (command.hidden or room.id not in account.hidden)
    )
    page, more = _page(known, command.after, command.limit)
    moderators = list(accumulate(len(room.moderators) for room in page))
    if moderators and moderators[-1] > _MODERATORS_SHOWN:
        page, more = page[: bisect_right(moderators, _MODERATORS_SHOWN)], True
    shown = [views.room_view(room, account, scopes) for room in page]
    return [Answer(ctx.origin, messages.RoomList(id=ctx.origin.id, rooms=shown, more=more))]


@handles(messages.Members)
def members(ctx: Context, command: messages.Members) -> list[Effect]:
    """A room's members."""
    room = ctx.room(command.room, READS)
    found = (ctx.state.accounts[id] for id in room.members)
    page, more = _page(found, command.after, command.limit)
    shown = [views.member_view(account) for account in page]
    return [Answer(ctx.origin, messages.MemberList(id=ctx.origin.id, members=shown, more=more))]

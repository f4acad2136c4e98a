"""What an account may read of which log, and how an entry looks to it. Must not know how logs are kept."""

from __future__ import annotations

from typing import Any, NamedTuple

from broker.chat import ports
from broker.chat.context import Context
from broker.chat.entities import Account, Session
from broker.chat.rights import READS, check_plain, check_room, hears_inbox, reads
from broker.chat.state import State
from common import messages
from common.errors import NoSuchLog, NotMember
from common.scopes import DIRECT


class Readable(NamedTuple):
    """A log that may be read."""

    log: int
    since: int
    """Only what is above this `seq`."""


def readable(ctx: Context, name: str, verbs: tuple[str, ...] = READS) -> Readable:
    """The log of that name, if the account may read it. Raises `NoSuchLog` or `NotMember`.

    Raises `Forbidden` if the session's key has none of the `verbs` there, or, for the inbox, no `DIRECT`.
    """
    account = ctx.account
    if name[:1] == "@":
        owner: Account | None = ctx.state.account(name[1:])
        if owner is not account:
            raise NoSuchLog
        check_plain(ctx.session, DIRECT)
        return Readable(-account.id, 0)
    room = ctx.state.room(name)
    if room is None or (room.row.private and account.id not in room.members):
        raise NoSuchLog
    if account.id not in room.members:
        raise NotMember
    check_room(ctx.session, room, verbs)
    return Readable(room.id, room.members[account.id])


def all_readable(session: Session) -> list[Readable]:
    """Every log that the session may read: its account's inbox and rooms, as far as its key goes."""
    account, scopes = session.account, session.scopes
    rooms = [Readable(room.id, room.members[account.id]) for room in account.rooms.values() if reads(scopes, room)]
    return [Readable(-account.id, 0), *rooms] if hears_inbox(scopes) else rooms


def log_name(state: State, log: int) -> str:
    """What the log of that number is called on the wire."""
    return state.rooms[log].name if log > 0 else state.accounts[-log].inbox


def entry(state: State, row: ports.EntryRow) -> messages.AnyEntry:
    """An entry as it is shown."""
    if row.kind in ("message", "direct"):
        return said(state, row)
    sender = state.accounts[row.sender].login
    place = {"seq": row.seq, "prev": row.prev, "time": row.time}
    match row.kind:
        case "edit":
            return messages.Edited(**place, sender=sender, target=row.target, text=row.text, nonce=row.nonce)
        case "retract":
            return messages.Retracted(**place, sender=sender, target=row.target, nonce=row.nonce)
        case "reaction":
            return messages.Reacted(
                **place,
                sender=sender,
                target=row.target,
                emoji=row.text,
                on=row.other == 1,
                count=row.reactions[0].people if row.reactions else 0,
                nonce=row.nonce,
            )
        case _:
            return messages.Invited(**place, sender=sender, room=row.text)


def said(state: State, row: ports.EntryRow) -> messages.Message | messages.DirectMessage:
    """A message as it is now."""
    fields: dict[str, Any] = {
        "seq": row.seq,
        "prev": row.prev,
        "time": row.time,
        "sender": state.accounts[row.sender].login,
        "text": row.text,
        "nonce": row.nonce,
    }
    if row.target:
        fields["reply_to"] = row.target
    if row.hops:
        fields["hops"] = row.hops
    if row.changed:
        views = [messages.ReactionView(emoji=each.emoji, count=each.people, mine=each.mine) for each in row.reactions]
        fields |= {"edited": row.edited, "retracted": row.retracted, "reactions": views, "changed": row.changed}
    if row.kind == "message":
        return messages.Message(**fields)
    return messages.DirectMessage(**fields, to=state.accounts[row.other].login)

"""What is said: to a room, to a person, and reading it again. Must not know how it is kept or carried."""

from __future__ import annotations

from typing import Final

from broker.chat import ports
from broker.chat.context import Context, handles, may_know
from broker.chat.effects import Answer, Append, Ask, Effect, Now, Origin, Publish, Refuse
from broker.chat.entities import Account
from broker.chat.state import State
from common import messages, texts
from common.errors import NoSuchLog, NoSuchRoom, NotMember
from common.limits import HISTORY_BYTES

_SLOWLY: Final = "You write faster than this broker allows; wait a little."


@handles(messages.Send)
def send(ctx: Context, command: messages.Send) -> list[Effect]:
    """Say something in a room."""
    account = ctx.account
    room = ctx.state.room_by_name.get(command.room) or ctx.room(command.room)
    if account.id not in room.members:
        raise NotMember if may_know(account, room) else NoSuchRoom
    texts.check_text(command.text)
    ctx.rules.posts.check(account.id, ctx.now.mono, _SLOWLY)
    return [
        Append(
            ctx.origin,
            ports.NewEntries("message", (room.id,), account.id, 0, command.text, command.nonce, ctx.now.time),
        )
    ]


@handles(messages.Direct)
def direct(ctx: Context, command: messages.Direct) -> list[Effect]:
    """Say something to one person: an entry in the sender's inbox and one in the recipient's."""
    account, other = ctx.account, ctx.user(command.to)
    texts.check_text(command.text)
    ctx.rules.posts.check(account.id, ctx.now.mono, _SLOWLY)
    logs = (-account.id,) if other is account else (-account.id, -other.id)
    entries = ports.NewEntries("direct", logs, account.id, other.id, command.text, command.nonce, ctx.now.time)
    return [Append(ctx.origin, entries)]


def appended(state: State, append: Append, places: tuple[ports.Place, ...]) -> list[Effect]:
    """What follows when a message is on disk: everybody who is entitled hears it, the sender is told its place."""
    origin, entries = append.origin, append.entries
    first = places[0]
    answer = Answer(origin, messages.Sent(id=origin.id, seq=first.seq, time=first.time))
    if first.known:
        return [answer]
    sender = state.accounts[entries.sender].login
    if entries.kind == "message":
        room = state.rooms.get(entries.logs[0])
        if room is None:
            return [Refuse(origin, NoSuchRoom())]
        room.head = first.seq
        event = messages.Message(
            seq=first.seq, prev=first.prev, time=first.time, sender=sender, text=entries.text, nonce=entries.nonce
        )
        return [Publish(room.name, event), answer]
    return [*_heard(state, entries, places, sender), answer]


def _heard(state: State, entries: ports.NewEntries, places: tuple[ports.Place, ...], sender: str) -> list[Effect]:
    effects: list[Effect] = []
    to = state.accounts[entries.other].login
    for log, place in zip(entries.logs, places, strict=True):
        account = state.accounts[-log]
        account.head = place.seq
        event = messages.DirectMessage(
            seq=place.seq,
            prev=place.prev,
            time=place.time,
            sender=sender,
            to=to,
            text=entries.text,
            nonce=entries.nonce,
        )
        effects.append(Publish(account.inbox, event))
    return effects


@handles(messages.History)
def history(ctx: Context, command: messages.History) -> list[Effect]:
    """Read a log that the account is entitled to, from where it is entitled to it."""
    log, since = _readable(ctx, command.log)
    after = command.after if command.after is None else max(command.after, since)
    origin, state = ctx.origin, ctx.state

    def then(result: object, now: Now) -> list[Effect]:
        later = Context(ctx.rules, origin, state.session(origin.key, origin.session), now)
        if _readable(later, command.log)[0] != log:
            raise NoSuchLog  # another room by that name
        assert isinstance(result, ports.LogPage)
        rows = [row for row in result.entries if row.seq > since]
        return [_entries(state, origin, rows, result.more and len(rows) == len(result.entries))]

    return [Ask(origin, ports.ReadLog(log, after, command.before, command.limit, HISTORY_BYTES), then)]


def _readable(ctx: Context, name: str) -> tuple[int, int]:
    """The log's number, and the seq above which the account may read. Raises `NoSuchLog`."""
    account = ctx.account
    if name[:1] == "@":
        owner: Account | None = ctx.state.account(name[1:])
        if owner is not account:
            raise NoSuchLog
        return -account.id, 0
    room = ctx.state.room(name)
    if room is None or (room.row.private and account.id not in room.members):
        raise NoSuchLog
    if account.id not in room.members:
        raise NotMember
    return room.id, room.members[account.id]


def _entries(state: State, origin: Origin, rows: list[ports.EntryRow], more: bool) -> Answer:
    """The reply to `history`."""
    return Answer(origin, messages.Entries(id=origin.id, entries=[_entry(state, row) for row in rows], more=more))


def _entry(state: State, row: ports.EntryRow) -> messages.AnyEntry:
    sender = state.accounts[row.sender].login
    if row.kind == "message":
        return messages.Message(
            seq=row.seq, prev=row.prev, time=row.time, sender=sender, text=row.text, nonce=row.nonce
        )
    if row.kind == "direct":
        to = state.accounts[row.other].login
        return messages.DirectMessage(
            seq=row.seq, prev=row.prev, time=row.time, sender=sender, to=to, text=row.text, nonce=row.nonce
        )
    return messages.Invited(seq=row.seq, prev=row.prev, time=row.time, sender=sender, room=row.text)

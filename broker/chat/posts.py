"""What is said: to a room, to a person, and reading it again. Must not know how it is kept or carried."""

from __future__ import annotations

from broker.chat import ports
from broker.chat.context import Context, handles, may_know
from broker.chat.effects import Answer, Append, Ask, Effect, Now, Publish, Refuse
from broker.chat.entities import Account
from broker.chat.reading import Readable, entry, log_name, readable
from broker.chat.revisions import looked_at
from broker.chat.rights import WRITES, check_room
from broker.chat.state import State
from common import messages, texts
from common.errors import Loop, NoSuchLog, NoSuchRoom, NotMember
from common.limits import HISTORY_BYTES, HOPS


@handles(messages.Send)
def send(ctx: Context, command: messages.Send) -> list[Effect]:
    """Say something in a room."""
    account = ctx.account
    room = ctx.state.room_by_name.get(command.room) or ctx.room(command.room)
    if account.id not in room.members:
        raise NotMember if may_know(account, room) else NoSuchRoom
    if ctx.session.scopes is not None:
        check_room(ctx.session, room, WRITES)
    texts.check_text(command.text)
    hops = _hops(account, command.hops)
    ctx.rules.check_post(account, ctx.now)
    entries = ports.NewEntries(
        "message", (room.id,), account.id, 0, command.text, command.nonce, ctx.now.time, (), hops
    )
    if command.reply_to:
        return _answering(ctx, room.name, command.reply_to, entries)
    return [Append(ctx.origin, entries)]


@handles(messages.Direct)
def direct(ctx: Context, command: messages.Direct) -> list[Effect]:
    """Say something to one person: an entry in the sender's inbox and one in the recipient's."""
    account, other = ctx.account, ctx.user(command.to)
    texts.check_text(command.text)
    hops = _hops(account, command.hops)
    ctx.rules.check_post(account, ctx.now)
    logs = (-account.id,) if other is account else (-account.id, -other.id)
    entries = ports.NewEntries(
        "direct", logs, account.id, other.id, command.text, command.nonce, ctx.now.time, (), hops
    )
    if command.reply_to:
        return _answering(ctx, account.inbox, command.reply_to, entries)
    return [Append(ctx.origin, entries)]


def _hops(account: Account, declared: int | None, answered: int | None = None) -> int:
    """How many programs have answered one another up to a message. Raises `Loop` if they are too many.

    What a program says is due to one at least, itself; `answered` are those of the message that it answers. It may say
    that there are more, since a message can be due to another without answering it, but not that there are fewer.
    """
    hops = declared or 0
    if account.row.bot:
        hops = max(hops, 1 if answered is None else answered + 1)
    if hops > HOPS:
        raise Loop
    return hops


def _answering(ctx: Context, log: str, seq: int, entries: ports.NewEntries) -> list[Effect]:
    """Append a message that answers the one at `seq`, once it is known that this is there to be read.

    In the recipient's inbox it answers their copy; there is none if it was said to, or by, somebody else.
    """

    def then(later: Context, _: Readable, message: ports.MessageRow) -> list[Effect]:
        seqs = dict(message.copies)
        targets = tuple(seqs.get(each, 0) for each in entries.logs)
        hops = _hops(later.account, entries.hops, message.hops)
        return [Append(later.origin, entries._replace(time=later.now.time, targets=targets, hops=hops))]

    return looked_at(ctx, log, seq, entries.nonce, then)


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
            seq=first.seq,
            prev=first.prev,
            time=first.time,
            sender=sender,
            text=entries.text,
            nonce=entries.nonce,
            reply_to=entries.targets[0] if entries.targets else 0,
            hops=entries.hops,
        )
        return [Publish(room.name, event), answer]
    effects = _heard(state, entries, places)
    return [*effects, answer] if effects else [Refuse(origin, NoSuchRoom())]


def _heard(state: State, entries: ports.NewEntries, places: tuple[ports.Place, ...]) -> list[Effect]:
    """What is broadcast on each of the logs, but those of rooms that are gone by now."""
    effects: list[Effect] = []
    targets = entries.targets or (0,) * len(places)
    for log, place, target in zip(entries.logs, places, targets, strict=True):
        owner = state.rooms.get(log) if log > 0 else state.accounts[-log]
        if owner is None:
            continue
        owner.head = place.seq
        row = ports.EntryRow(
            place.seq,
            place.prev,
            place.time,
            entries.kind,
            entries.sender,
            entries.other,
            entries.text,
            entries.nonce,
            target,
            hops=entries.hops,
            reactions=(ports.Reaction(entries.text, place.people, False),) if place.people else (),
        )
        effects.append(Publish(log_name(state, log), entry(state, row)))
    return effects


@handles(messages.History)
def history(ctx: Context, command: messages.History) -> list[Effect]:
    """Read a log that the account is entitled to, from where it is entitled to it."""
    log, since = readable(ctx, command.log)
    after = command.after if command.after is None else max(command.after, since)
    origin, state = ctx.origin, ctx.state

    def then(result: object, now: Now) -> list[Effect]:
        later = Context(ctx.rules, origin, state.session(origin.key, origin.session), now)
        if readable(later, command.log)[0] != log:
            raise NoSuchLog  # another room by that name
        assert isinstance(result, ports.LogPage)
        rows = [row for row in result.entries if row.seq > since]
        more = result.more and len(rows) == len(result.entries)
        return [Answer(origin, messages.Entries(id=origin.id, entries=[entry(state, row) for row in rows], more=more))]

    question = ports.ReadLog(log, after, command.before, command.limit, HISTORY_BYTES, ctx.account.id)
    return [Ask(origin, question, then)]

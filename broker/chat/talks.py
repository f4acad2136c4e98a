"""What is told of a conversation without being said in it: how far it was read, and who is writing.

How far somebody has read is told to their own sessions alone. Must not know how a mark is kept.
"""

from __future__ import annotations

from broker.chat import ports
from broker.chat.context import Context, handles
from broker.chat.effects import Answer, Effect, Publish
from broker.chat.entities import Account, Room
from broker.chat.rights import check_plain
from broker.chat.state import State
from broker.chat.telling import marked_now
from common import messages, topics
from common.limits import TYPING_ROOM
from common.scopes import DIRECT


def _partner(ctx: Context, talk: str) -> Room | Account:
    """The room one is a member of, or the other person. Raises `NoSuchRoom`, `NotMember` or `NoSuchUser`.

    Raises `Forbidden` if the session's key has no scope there.
    """
    if talk.startswith(topics.INBOX):
        check_plain(ctx.session, DIRECT)
        return ctx.user(talk.removeprefix(topics.INBOX))
    return ctx.own_room(talk)


@handles(messages.Mark)
def mark(ctx: Context, command: messages.Mark) -> list[Effect]:
    """Note how far a conversation was read, or what of it is to be told; nothing happens if that is known."""
    account, marks, partner = ctx.account, ctx.rules.marks, _partner(ctx, command.talk)
    talk, head = (partner.id, partner.head) if isinstance(partner, Room) else (-partner.id, account.head)
    answer = messages.Reply(id=ctx.origin.id)
    old = marks.of(account, talk)
    read = max(old.read, min(command.read or 0, head))
    new = old._replace(read=read, notify=command.notify or old.notify)
    if new == old:
        return [Answer(ctx.origin, answer)]
    new = marks.put(account, new, ctx.now)
    if new.notify == old.notify:
        marks.keep_later(account, talk, ctx.now)
        return [*_told(ctx.state, account, talk), Answer(ctx.origin, answer)]
    # What was read is soon marked again; what somebody wishes is on disk before it is answered.
    change = ctx.change()
    change.write(ports.PutMark(new), lambda: marks.take_back(account, old, new))
    change.after(lambda _: _told(ctx.state, account, talk))
    return change.effects(ctx.origin, lambda: answer)


def _told(state: State, account: Account, talk: int) -> list[Effect]:
    """The account's sessions are told how the conversation is marked now."""
    mark = account.marks.get(talk)
    return marked_now(state, account, mark) if mark else []


@handles(messages.Typing)
def typing(ctx: Context, command: messages.Typing) -> list[Effect]:
    """Let those who are there see that somebody writes; dropped where that would be noise."""
    account, partner = ctx.account, _partner(ctx, command.talk)
    answer = Answer(ctx.origin, messages.Reply(id=ctx.origin.id))
    crowded = isinstance(partner, Room) and partner.online > TYPING_ROOM
    if partner is account or crowded or ctx.rules.typing.take(account.id, ctx.now.mono):
        return [answer]
    log = partner.name if isinstance(partner, Room) else partner.inbox
    return [Publish(log, messages.WritesNow(login=account.login, on=command.on)), answer]

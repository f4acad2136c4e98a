"""What is done to a message after it was said: it is answered, edited, taken back, reacted to.

Each looks at the message first, on a worker, and says then what to append; the store does to the message what the entry
says, in the same transaction. Between the two somebody may have been quicker: then the store does what is still to be
done, as the page says (`docs/PROTOCOL.md`). Must not know how a message is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from broker.chat import ports
from broker.chat.context import Context, handles, keeps_order
from broker.chat.effects import Answer, Append, Ask, Effect, Now
from broker.chat.reading import Readable, readable
from broker.chat.rights import WRITES, check_plain
from common import messages, texts
from common.errors import Forbidden, NoSuchLog, NoSuchMessage, TooMany
from common.limits import POST_CHARACTERS, REACTIONS
from common.scopes import ADMIN


class _Revision(Protocol):
    """What these requests have in common."""

    @property
    def log(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def nonce(self) -> bytes: ...


Check = Callable[[Context, ports.MessageRow], None]
"""Raises why that message may not be changed so by who asks now."""


def looked_at(
    ctx: Context, log: str, seq: int, nonce: bytes, then: Callable[[Context, Readable, ports.MessageRow], list[Effect]]
) -> list[Effect]:
    """Look at a message in a log, and go on with `then` if the account may read it. Else raises `NoSuchMessage`.

    Raises what `readable` raises.
    """
    where = readable(ctx, log, WRITES)
    origin, rules = ctx.origin, ctx.rules

    def found(result: object, now: Now) -> list[Effect]:
        later = Context(rules, origin, rules.state.session(origin.key, origin.session), now)
        here = readable(later, log, WRITES)
        if here.log != where.log:
            raise NoSuchLog  # another room by that name
        if result is None or seq <= here.since:
            raise NoSuchMessage
        assert isinstance(result, ports.MessageRow)
        return then(later, here, result)

    return [Ask(origin, ports.ReadMessage(where.log, seq, ctx.account.id, nonce), found)]


def _revised(ctx: Context, command: _Revision, check: Check, kind: str, text: str = "", other: int = 0) -> list[Effect]:
    """Append an entry that changes a message, to every log that holds it: one's own first."""

    def then(later: Context, here: Readable, message: ports.MessageRow) -> list[Effect]:
        if message.known:
            # Nothing is appended: by then the nonce may be forgotten with the room that it was used in, and what was
            # never checked would be done.
            place = message.known
            return [Answer(later.origin, messages.Sent(id=later.origin.id, seq=place.seq, time=place.time))]
        check(later, message)
        # Whatever is erased is erased from the index word by word, while everybody's messages wait.
        erased = message.length if kind in ("edit", "retract") else 0
        later.rules.check_post(later.account, later.now, 1 + erased // POST_CHARACTERS)
        copies = sorted(message.copies, key=lambda copy: copy[0] != here.log)
        entries = ports.NewEntries(
            kind,
            tuple(log for log, _ in copies),
            later.account.id,
            other,
            text,
            command.nonce,
            later.now.time,
            tuple(seq for _, seq in copies),
        )
        return [Append(later.origin, entries)]

    return looked_at(ctx, command.log, command.seq, command.nonce, then)


@handles(messages.Edit)
def edit(ctx: Context, command: messages.Edit) -> list[Effect]:
    """Replace the text of a message of one's own."""
    texts.check_text(command.text)

    def check(ctx: Context, message: ports.MessageRow) -> None:
        if message.sender != ctx.account.id:
            raise Forbidden("Only who wrote a message may edit it.")
        if message.retracted:
            raise NoSuchMessage("That message was taken back.")

    return _revised(ctx, command, check, "edit", command.text)


@handles(messages.Retract)
def retract(ctx: Context, command: messages.Retract) -> list[Effect]:
    """Take a message back: one's own, or anybody's in a room in which one keeps order. Its text is erased."""

    def check(ctx: Context, message: ports.MessageRow) -> None:
        account = ctx.account
        if message.sender == account.id:
            return
        room = ctx.state.room(command.log) if message.kind == "message" else None
        if room is None or not keeps_order(account, room):
            raise Forbidden(
                "Only who wrote a message, who made the room, its moderators or the operator may take it back."
            )
        check_plain(ctx.session, ADMIN)

    return _revised(ctx, command, check, "retract")


@handles(messages.React)
def react(ctx: Context, command: messages.React) -> list[Effect]:
    """Put an emoji to a message, or take one's own away."""
    texts.check_emoji(command.emoji)

    def check(ctx: Context, message: ports.MessageRow) -> None:
        if message.retracted:
            raise NoSuchMessage("That message was taken back.")
        if command.on and command.emoji not in message.emoji and len(message.emoji) >= REACTIONS:
            raise TooMany(f"A message takes {REACTIONS} different emoji; choose one that is there.")

    return _revised(ctx, command, check, "reaction", command.emoji, int(command.on))

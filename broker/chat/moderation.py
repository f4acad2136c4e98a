"""Who keeps order in a room besides whoever made it. Must not know what that entitles them to."""

from __future__ import annotations

from broker.chat.context import Context, handles, may_know
from broker.chat.effects import Effect
from broker.chat.rights import NOTHING
from common import messages
from common.errors import Forbidden, NotMember, TooMany
from common.limits import MODERATORS


@handles(messages.Moderate)
def moderate(ctx: Context, command: messages.Moderate) -> list[Effect]:
    """Let somebody keep order in a room, whether they are there or not; or no longer."""
    room = ctx.room(command.room, NOTHING)
    if not ctx.owns(room):
        raise Forbidden("Only who made the room, or the operator, may say who keeps order in it.")
    account = ctx.user(command.login)
    if command.on and account is room.creator:
        raise Forbidden("Who made the room keeps order in it anyway.")
    if command.on and not may_know(account, room):
        raise NotMember(f"{account.login} is not in the room; invite them first.")
    change = ctx.change()
    if (account.id in room.moderators) != command.on:
        if command.on and len(room.moderators) >= MODERATORS:
            raise TooMany(f"A room has at most {MODERATORS} moderators; let another go first.")
        change.set_moderator(room, account, command.on, ctx.account.login)
        change.stamp("moderator", room=room.name, login=account.login, on=command.on, by=ctx.account.login)
    return change.effects(ctx.origin, lambda: messages.Reply(id=ctx.origin.id))

"""Rooms: made, entered, left, deleted, named, opened to guests. Must not know how members are told."""

from __future__ import annotations

from broker.chat import naming, ports, views
from broker.chat.context import Context, handles, keeps_order
from broker.chat.effects import Effect
from broker.chat.entities import Room
from broker.chat.rights import NOTHING, check_plain, enters
from common import messages, texts
from common.errors import DefaultRoom, Forbidden, NoSuchRoom, NotMember, TooMany
from common.limits import NONCE_BYTES, ROOMS_JOINED, ROOMS_PER_ACCOUNT
from common.scopes import ADMIN


def _reply(ctx: Context, room: Room) -> messages.RoomReply:
    return messages.RoomReply(
        id=ctx.origin.id, room=views.room_view(room, ctx.account, ctx.session.scopes), current=ctx.session.current.name
    )


def _check_owner(ctx: Context, room: Room) -> None:
    if not ctx.owns(room):
        raise Forbidden("Only who made the room, or the operator, may do that.")


def _check_order(ctx: Context, room: Room) -> None:
    if not keeps_order(ctx.account, room):
        raise Forbidden("Only who made the room, its moderators, or the operator may do that.")


def _check_space(ctx: Context) -> None:
    if len(ctx.account.rooms) >= ROOMS_JOINED:
        raise TooMany(f"You are in {ROOMS_JOINED} rooms; leave one first.")


def _check_invited(ctx: Context, room: Room) -> None:
    account = ctx.account
    if room.row.private and room.creator is not account and room.id not in account.invited:
        raise NoSuchRoom


@handles(messages.Create)
def create(ctx: Context, command: messages.Create) -> list[Effect]:
    """Make a room and join it."""
    account = ctx.account
    name = naming.check_new_room(ctx.state, command.room)
    subject = texts.check_line(command.subject, "The topic line")
    if len(account.created_rooms) >= ROOMS_PER_ACCOUNT:
        raise TooMany(f"You have made {ROOMS_PER_ACCOUNT} rooms; delete one first.")
    _check_space(ctx)
    change = ctx.change()
    row = ports.RoomRow(
        ctx.state.next_id("room"),
        name,
        command.kept,
        command.private,
        command.open and command.private,
        subject,
        account.id,
        ctx.now.time,
    )
    room = change.add_room(row, account)
    change.join(account, room)
    change.after(lambda _: ctx.rules.grants.reclaim(room.topic))
    change.stamp("room-created", room=name, by=account.login, kept=command.kept, private=command.private)
    return change.effects(ctx.origin, lambda: _reply(ctx, room))


@handles(messages.Join)
def join(ctx: Context, command: messages.Join) -> list[Effect]:
    """Become a member."""
    room = ctx.room(command.room)
    change = ctx.change()
    if ctx.account.id not in room.members:
        _check_invited(ctx, room)
        _check_space(ctx)
    change.join(ctx.account, room)
    return change.effects(ctx.origin, lambda: _reply(ctx, room))


@handles(messages.Enter)
def enter(ctx: Context, command: messages.Enter) -> list[Effect]:
    """Go into a room; leave the one this session was in, unless another session of the account is in it."""
    room, session, account = ctx.room(command.room), ctx.session, ctx.account
    change = ctx.change()
    if account.id not in room.members:
        _check_invited(ctx, room)
    change.join(account, room)
    old = session.current
    change.set_current(session, room)
    # A session whose key has no scope there is not there, though the default room is its current one by name.
    there = [each for each in account.sessions.values() if each is session or (each.present and each.current is old)]
    leaves = [each for each in there if enters(each.scopes, old)] == [session]
    if old is not room and account.id in old.members and leaves:
        change.leave(account, old, "left")
    return change.effects(ctx.origin, lambda: _reply(ctx, room))


@handles(messages.Leave)
def leave(ctx: Context, command: messages.Leave) -> list[Effect]:
    """Stop being a member; whoever is nowhere then is in the default room."""
    room = ctx.own_room(command.room)
    if room is ctx.rules.default:
        raise DefaultRoom
    change = ctx.change()
    change.leave(ctx.account, room, "left")
    change.settle(ctx.account, room, ctx.rules.default)
    return change.effects(ctx.origin, lambda: messages.Left(id=ctx.origin.id, current=ctx.session.current.name))


@handles(messages.Delete)
def delete(ctx: Context, command: messages.Delete) -> list[Effect]:
    """Delete a room that one has made, and its log."""
    room = ctx.room(command.room, NOTHING)
    if room is ctx.rules.default:
        raise DefaultRoom
    _check_owner(ctx, room)
    if room.creator is not ctx.account:
        check_plain(ctx.session, ADMIN)
    change = ctx.change()
    change.drop_room(room, ctx.account.login, "deleted", ctx.rules.default)
    change.stamp("room-deleted", room=room.name, by=ctx.account.login, reason="deleted")
    return change.effects(ctx.origin, lambda: messages.Left(id=ctx.origin.id, current=ctx.session.current.name))


@handles(messages.Hide)
def hide(ctx: Context, command: messages.Hide) -> list[Effect]:
    """Take a room off one's own list, or put it back."""
    room = ctx.room(command.room)
    if room is ctx.rules.default:
        raise DefaultRoom
    change = ctx.change()
    if (room.id in ctx.account.hidden) != command.hidden:
        change.set_hidden(ctx.account, room, command.hidden)
    return change.effects(ctx.origin, lambda: messages.Reply(id=ctx.origin.id))


@handles(messages.Invite)
def invite(ctx: Context, command: messages.Invite) -> list[Effect]:
    """Let somebody into a room, and tell their inbox."""
    room, guest = ctx.own_room(command.room, NOTHING), ctx.user(command.login)
    change = ctx.change()
    if guest.id not in room.members and room.id not in guest.invited:
        sender, nonce = ctx.account, ctx.rules.random(NONCE_BYTES)
        if room.row.private:
            change.invite(guest, room)
        entry = ports.NewEntries("invited", (-guest.id,), sender.id, room.id, room.name, nonce, ctx.now.time)
        change.append(
            guest,
            entry,
            lambda place: messages.Invited(
                seq=place.seq, prev=place.prev, time=place.time, sender=sender.login, room=room.name
            ),
        )
        change.stamp("invited", room=room.name, login=guest.login, by=sender.login)
    return change.effects(ctx.origin, lambda: messages.Reply(id=ctx.origin.id))


@handles(messages.Remove)
def remove(ctx: Context, command: messages.Remove) -> list[Effect]:
    """Expel somebody; from a private room, withdraw the invitation too."""
    room, guest = ctx.room(command.room, NOTHING), ctx.user(command.login)
    if room is ctx.rules.default:
        raise DefaultRoom("Nobody can be removed from the default room.")
    _check_order(ctx, room)
    if guest is ctx.account:
        raise Forbidden("To go yourself, leave the room.")
    if keeps_order(guest, room) and not ctx.owns(room):
        raise Forbidden(
            f"{guest.login} keeps order here as well: only who made the room, or the operator, may do that."
        )
    if guest.id not in room.members and room.id not in guest.invited:
        raise NotMember(f"{guest.login} is not in the room.")
    change = ctx.change()
    change.withdraw_invitation(guest, room)
    if guest.id in room.moderators:
        change.set_moderator(room, guest, False, ctx.account.login)
    if guest.id in room.members:
        change.leave(guest, room, "removed")
        change.settle(guest, room, ctx.rules.default)
    change.stamp("removed", room=room.name, login=guest.login, by=ctx.account.login)
    return change.effects(ctx.origin, lambda: messages.Reply(id=ctx.origin.id))


@handles(messages.Subject)
def subject(ctx: Context, command: messages.Subject) -> list[Effect]:
    """Set a room's topic line."""
    room = ctx.own_room(command.room, NOTHING)
    _check_order(ctx, room)
    line = texts.check_line(command.subject, "The topic line")
    change = ctx.change()
    if line != room.row.subject:
        change.update_subject(room, line, ctx.account.login)
    return change.effects(ctx.origin, lambda: messages.Reply(id=ctx.origin.id))

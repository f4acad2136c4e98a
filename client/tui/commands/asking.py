"""Commands that look something up and show the answer: rooms, people, sessions, help.

Each takes the desk, its arguments by name and its flags (`client.tui.commands.ports.Action`). Must not know the screen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from client.language import N_, _, ngettext
from client.tui.commands.ports import Chat, Desk
from client.tui.text.wrap import pad
from client.tui.view.render import clock, day, short_day
from common import names
from common.messages import (
    Members,
    MemberView,
    Profile,
    ProfileView,
    Rooms,
    RoomView,
    Sessions,
    SessionView,
    Status,
    Users,
    UserView,
)

Values = Mapping[str, str]
Flags = frozenset[str]

SHOWN = 200
"""Lines of one answer; what is beyond is counted."""


async def every_room(chat: Chat, hidden: bool = False) -> AsyncIterator[RoomView]:
    """All rooms that one may know of, page by page."""
    after, more = "", True
    while more:
        page = await chat.request(Rooms(hidden=hidden, after=after))
        for room in page.rooms:
            yield room
        more = page.more and bool(page.rooms)
        after = page.rooms[-1].name if page.rooms else ""


async def every_user(chat: Chat) -> AsyncIterator[UserView]:
    """All users of the system, page by page."""
    after, more = "", True
    while more:
        page = await chat.request(Users(after=after))
        for user in page.users:
            yield user
        more = page.more and bool(page.users)
        after = page.users[-1].login if page.users else ""


async def every_member(chat: Chat, room: str) -> AsyncIterator[MemberView]:
    """All members of a room, page by page."""
    after, more = "", True
    while more:
        page = await chat.request(Members(room=room, after=after))
        for member in page.members:
            yield member
        more = page.more and bool(page.members)
        after = page.members[-1].login if page.members else ""


async def rooms(desk: Desk, values: Values, flags: Flags) -> None:
    """`#lR`, `/rooms`: every room with how many are in it."""
    found = [room async for room in every_room(desk.chat, "--hidden" in flags)]
    desk.model.known_rooms = [room.name for room in found]
    many = ngettext("{n} room, with how many are there now:", "{n} rooms, with how many are there now:", len(found))
    desk.tell(many.format(n=len(found)), *_listing([_room(desk, room) for room in found]))


def _room(desk: Desk, room: RoomView) -> str:
    traits = [word for word, is_so in _traits(desk, room) if is_so]
    tail = f"  {room.subject}" if room.subject else ""
    mark = "→" if room.name == desk.model.current else "✓" if room.joined else " "
    return f"{mark} {pad('#' + room.name, 18)} {room.online:>4}  {pad(', '.join(traits), 22)}{tail}".rstrip()


def _traits(desk: Desk, room: RoomView) -> list[tuple[str, bool]]:
    return [
        (_("default room"), room.creator is None),
        (_("kept"), room.kept and room.creator is not None),
        (_("private"), room.private),
        (_("hidden"), room.hidden),
        (
            _("yours") if room.creator == desk.model.me else _("by {login}").format(login=room.creator),
            room.creator is not None,
        ),
    ]


async def users(desk: Desk, values: Values, flags: Flags) -> None:
    """`#show users`, `/users`: everybody in the whole system."""
    found = [user async for user in every_user(desk.chat)]
    desk.model.known_users = [user.login for user in found]
    online = sum(user.online for user in found)
    found.sort(key=lambda user: not user.online)
    lines = [
        f"{_dot(user.online)} {pad(user.login, 18)} {user.first_names} {user.surnames}{_kind(user)}{_said(user.status)}"
        for user in found
    ]
    many = ngettext("{n} user, {online} here now:", "{n} users, {online} here now:", len(found))
    desk.tell(many.format(n=len(found), online=online), *_listing(lines))


async def members(desk: Desk, values: Values, flags: Flags) -> None:
    """`/members`: who is in a room, present or not."""
    room = values.get("room") or room_here(desk)
    if room is None:
        return
    found = [member async for member in every_member(desk.chat, room)]
    here = ", ".join(member.login + _kind(member) + _said(member.status) for member in found if member.online)
    gone = ", ".join(member.login + _kind(member) for member in found if not member.online)
    talk = desk.model.find(room)
    creator = talk.view.creator if talk and talk.view else None
    order = [*([creator] if creator else []), *(talk.moderators if talk else [])]
    many = ngettext("#{room} has {n} member.", "#{room} has {n} members.", len(found))
    desk.tell(
        many.format(room=room, n=len(found)),
        _("here now: {logins}").format(logins=here or _("nobody")),
        *([_("not here: {logins}").format(logins=gone)] if gone else []),
        *([_("who keeps order: {logins}").format(logins=", ".join(order))] if order else []),
    )


async def whois(desk: Desk, values: Values, flags: Flags) -> None:
    """`/whois`: what everybody may know about somebody."""
    view = await desk.chat.request(Profile(login=values["user"]))
    shared = [talk.title for talk in desk.model.order if not talk.private and view.login in talk.members]
    lines = _profile(view)
    for said, where in (
        (_("made {rooms}"), [talk.title for talk in desk.model.order if talk.made_by(view.login)]),
        (_("keeps order in {rooms}"), [talk.title for talk in desk.model.order if talk.moderated_by(view.login)]),
    ):
        if where:
            lines.append(said.format(rooms=", ".join(where)))
    if shared and names.key(view.login) != names.key(desk.model.me):
        lines.append(_("in rooms with you: {rooms}").format(rooms=", ".join(shared)))
    desk.tell(*lines)


async def own_profile(desk: Desk) -> None:
    """`/profile` without arguments."""
    view = await desk.chat.request(Profile())
    desk.tell(*_profile(view), _("Change it with: {command}").format(command=_("/profile <field> <value>")))


STATUSES: Final[Mapping[Status, str]] = {
    "available": N_("available"),
    "away": N_("away"),
    "dnd": N_("not to be disturbed"),
}


def _said(status: Status) -> str:
    """What somebody says of themselves, where that is worth a word."""
    return "" if status == "available" else f" ({_(STATUSES[status])})"


def _kind(user: UserView | MemberView) -> str:
    """That somebody is a program, where it is so."""
    return " " + _("(bot)") if user.bot else ""


def _profile(view: ProfileView) -> list[str]:
    """A profile, a line for each thing."""
    name = f"{view.first_names} {view.surnames}".strip()
    lines = [_("{login} is {name}").format(login=view.login, name=name)]
    if view.bot:
        lines.append(_("a bot: a program, not a person"))
    if view.online:
        lines.append(_("here now, {status}").format(status=_(STATUSES[view.status])))
    elif view.seen is not None:
        lines.append(_("last here {day} {time}").format(day=short_day(view.seen), time=clock(view.seen)))
    else:
        lines.append(_("not here now"))
    if view.note:
        lines.append(_("says: {note}").format(note=view.note))
    lines.append(_("here since {day}").format(day=day(view.created)))
    if view.age is not None:
        own = _("age {age}, gender {gender} (seen by you and the operator only)")
        lines.append(own.format(age=view.age, gender=_(view.gender or "")))
    if view.show_seen is False:
        lines.append(_("nobody sees when you were last here; /seen on shows it"))
    return lines


async def sessions(desk: Desk, values: Values, flags: Flags) -> None:
    """`/sessions`: where this account is logged in."""
    found = (await desk.chat.request(Sessions())).sessions
    desk.tell(_("Your sessions; /revoke <number> ends one:"), *_listing([_session(view) for view in found]))


def _session(view: SessionView) -> str:
    seen = _("last seen {day} {time}").format(day=short_day(view.seen), time=clock(view.seen))
    who = pad(view.client or _("unnamed"), 24)
    return f"{view.id:>4}  {_dot(view.online)} {who} {_('this one') if view.current else seen}"


def room_here(desk: Desk) -> str | None:
    """The room that is looked at; None, and said so, in a private conversation."""
    if desk.model.here.private:
        desk.complain(_("This is a private conversation; name the room."))
        return None
    return desk.model.current


def _dot(online: bool) -> str:
    return "●" if online else "○"


def _listing(lines: list[str]) -> list[str]:
    if len(lines) > SHOWN:
        return [*lines[:SHOWN], _("… and {n} more").format(n=len(lines) - SHOWN)]
    return lines

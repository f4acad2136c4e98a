"""Commands that look something up and show the answer: rooms, people, sessions, help.

Each takes the desk, its arguments by name and its flags (`client.tui.ports.Action`). Must not know the screen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from client.tui.ports import Chat, Desk
from client.tui.render import clock, day, short_day
from client.tui.wrap import pad
from common.messages import (
    Members,
    MemberView,
    Profile,
    ProfileView,
    Rooms,
    RoomView,
    Sessions,
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
    desk.tell(
        f"{_count(len(found), 'room')}, with how many are there now:", *_listing([_room(desk, room) for room in found])
    )


def _room(desk: Desk, room: RoomView) -> str:
    traits = [word for word, is_so in _traits(desk, room) if is_so]
    tail = f"  {room.subject}" if room.subject else ""
    mark = "→" if room.name == desk.model.current else "✓" if room.joined else " "
    return f"{mark} {pad('#' + room.name, 18)} {room.online:>4}  {pad(', '.join(traits), 22)}{tail}".rstrip()


def _traits(desk: Desk, room: RoomView) -> list[tuple[str, bool]]:
    return [
        ("default room", room.creator is None),
        ("kept", room.kept and room.creator is not None),
        ("private", room.private),
        ("hidden", room.hidden),
        ("yours" if room.creator == desk.model.me else f"by {room.creator}", room.creator is not None),
    ]


async def users(desk: Desk, values: Values, flags: Flags) -> None:
    """`#show users`, `/users`: everybody in the whole system."""
    found = [user async for user in every_user(desk.chat)]
    desk.model.known_users = [user.login for user in found]
    online = sum(user.online for user in found)
    found.sort(key=lambda user: not user.online)
    lines = [f"{_dot(user.online)} {pad(user.login, 18)} {user.first_names} {user.surnames}" for user in found]
    desk.tell(f"{_count(len(found), 'user')}, {online} here now:", *_listing(lines))


async def members(desk: Desk, values: Values, flags: Flags) -> None:
    """`/members`: who is in a room, present or not."""
    room = values.get("room") or room_here(desk)
    if room is None:
        return
    found = [member async for member in every_member(desk.chat, room)]
    here = " ".join(member.login for member in found if member.online)
    away = " ".join(member.login for member in found if not member.online)
    desk.tell(
        f"#{room} has {_count(len(found), 'member')}.",
        f"here now: {here or 'nobody'}",
        *([f"away: {away}"] if away else []),
    )


async def whois(desk: Desk, values: Values, flags: Flags) -> None:
    """`/whois`: what everybody may know about somebody."""
    desk.tell(*_profile(await desk.chat.request(Profile(login=values["user"]))))


async def own_profile(desk: Desk) -> None:
    """`/profile` without arguments."""
    desk.tell(*_profile(await desk.chat.request(Profile())), "Change it with: /profile <field> <value>")


def _profile(view: ProfileView) -> list[str]:
    lines = [
        f"{view.login} is {view.first_names} {view.surnames}, {'here now' if view.online else 'not here now'}",
        f"since {day(view.created)}",
    ]
    if view.age is not None:
        lines.append(f"age {view.age}, gender {view.gender} (seen by you and the operator only)")
    return lines


async def sessions(desk: Desk, values: Values, flags: Flags) -> None:
    """`/sessions`: where this account is logged in."""
    found = (await desk.chat.request(Sessions())).sessions
    lines = [
        f"{view.id:>4}  {_dot(view.online)} {pad(view.client or 'unnamed', 24)} "
        + ("this one" if view.current else f"last seen {short_day(view.seen)} {clock(view.seen)}")
        for view in found
    ]
    desk.tell("Your sessions; /revoke <number> ends one:", *_listing(lines))


def room_here(desk: Desk) -> str | None:
    """The room that is looked at; None, and said so, in a private conversation."""
    if desk.model.here.private:
        desk.complain("This is a private conversation; name the room.")
        return None
    return desk.model.current


def _dot(online: bool) -> str:
    return "●" if online else "○"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listing(lines: list[str]) -> list[str]:
    if len(lines) > SHOWN:
        return [*lines[:SHOWN], f"… and {len(lines) - SHOWN} more"]
    return lines

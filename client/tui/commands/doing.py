"""Commands that change something: rooms, memberships, people in them, one's account, the end.

Each takes the desk, its arguments by name and its flags (`client.tui.commands.ports.Action`). Must not know the screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from client.language import _, sentence
from client.tui.commands import asking
from client.tui.commands.ports import Desk
from common.errors import BadProfile, Forbidden, NameTaken
from common.limits import AGE_RANGE
from common.messages import (
    Delete,
    Gender,
    Hide,
    Invite,
    Moderate,
    Password,
    Profile,
    Remove,
    Revoke,
    Subject,
    UpdateProfile,
)

Values = Mapping[str, str]
Flags = frozenset[str]


async def create_and_enter(desk: Desk, values: Values, flags: Flags) -> None:
    """`#cR`: one room at a time, so the room before is left."""
    try:
        await desk.chat.create(values["room"])
    except NameTaken as error:
        meant = _("If it is the room you want: {command}").format(command=f"#gR {values['room']}")
        desk.complain(sentence(error), meant)
        return
    await enter(desk, values, flags)


async def enter(desk: Desk, values: Values, flags: Flags) -> None:
    """`#gR`: go into a room and leave the one before."""
    await desk.chat.enter(values["room"])
    desk.show(_as_known(desk, values["room"]))


async def back(desk: Desk, values: Values, flags: Flags) -> None:
    """`#eR`: to the default room; nothing happens there."""
    state = desk.chat.state
    if state is None or state.current != desk.chat.default_room:
        await desk.chat.enter(desk.chat.default_room)
    desk.show(desk.chat.default_room)


async def create(desk: Desk, values: Values, flags: Flags) -> None:
    """`/create`: a room besides those one is in."""
    kept, private, open_ = (f"--{name}" in flags for name in ("keep", "private", "open"))
    await desk.chat.create(values["room"], kept=kept, private=private, open=open_)
    desk.show(_as_known(desk, values["room"]))
    if private:
        desk.tell(_("Nobody else knows of this room; let people in with /invite <user>."))


async def join(desk: Desk, values: Values, flags: Flags) -> None:
    """`/join`: a room besides those one is in."""
    await desk.chat.join(values["room"])
    desk.show(_as_known(desk, values["room"]))


async def leave(desk: Desk, values: Values, flags: Flags) -> None:
    """`/leave`: out of a room; closes a private conversation."""
    room = values.get("room")
    if room is None and desk.model.here.private:
        desk.model.close(desk.model.current)
        desk.show(desk.model.current)
        return
    await desk.chat.leave(_as_known(desk, room or desk.model.current))


async def delete(desk: Desk, values: Values, flags: Flags) -> None:
    """`#dR`, `/delete`: one's own room; somebody else's only goes off one's own list."""
    room = _as_known(desk, values["room"])
    try:
        await desk.chat.request(Delete(room=room))
    except Forbidden:
        await desk.chat.request(Hide(room=room))
        said = _("#{room} is not yours, so it only went off your own list. /unhide {room} brings it back.")
        desk.tell(said.format(room=room))
    else:
        desk.tell(_("#{room} is deleted.").format(room=room))


async def hide(desk: Desk, values: Values, flags: Flags) -> None:
    """`/hide`: off one's own list."""
    await desk.chat.request(Hide(room=values["room"]))
    desk.tell(_("#{room} is off your list. /unhide {room} brings it back.").format(room=values["room"]))


async def unhide(desk: Desk, values: Values, flags: Flags) -> None:
    """`/unhide`: on one's own list again."""
    await desk.chat.request(Hide(room=values["room"], hidden=False))
    desk.tell(_("#{room} is on your list again.").format(room=values["room"]))


async def topic(desk: Desk, values: Values, flags: Flags) -> None:
    """`/topic`: show or set the room's topic line."""
    room = asking.room_here(desk)
    if room is None:
        return
    if "subject" not in values and not flags:
        none = _("#{room} has no topic. Set one with: /topic <text>").format(room=room)
        desk.tell(desk.model.here.subject or none)
        return
    await desk.chat.request(Subject(room=room, subject="" if flags else values["subject"]))


async def invite(desk: Desk, values: Values, flags: Flags) -> None:
    """`/invite`: let somebody into a private room."""
    room = values.get("room") or asking.room_here(desk)
    if room is not None:
        await desk.chat.request(Invite(room=room, login=values["user"]))
        desk.tell(_("{login} may come into #{room} now, and was told so.").format(login=values["user"], room=room))


async def remove(desk: Desk, values: Values, flags: Flags) -> None:
    """`/remove`: put somebody out of a room."""
    room = values.get("room") or asking.room_here(desk)
    if room is not None:
        await desk.chat.request(Remove(room=room, login=values["user"]))
        desk.tell(_("{login} is out of #{room}.").format(login=values["user"], room=room))


async def moderator(desk: Desk, values: Values, flags: Flags) -> None:
    """`/moderator`: let somebody keep order in the room one is in, or no longer."""
    room = asking.room_here(desk)
    if room is None:
        return
    on = values.get("choice", "on") == "on"
    await desk.chat.request(Moderate(room=room, login=values["user"], on=on))
    said = _("{login} keeps order in #{room}: may put people out, take back messages and set the topic.")
    over = _("{login} does not keep order in #{room}.")
    desk.tell((said if on else over).format(login=values["user"], room=room))


async def message(desk: Desk, values: Values, flags: Flags) -> None:
    """`/msg`, `#\\private`: to one person, wherever they are. Without a text, turns to the conversation."""
    log = f"@{values['user']}"
    talk = desk.model.find(log)
    if talk is None:
        # Asked first, so that a mistyped login is refused before anything is written, and is spelt as its owner does.
        log = f"@{(await desk.chat.request(Profile(login=values['user']))).login}"
    else:
        log = talk.log
    if "text" not in values:
        desk.model.open(log)
        desk.show(log)
        return
    desk.say(log, values["text"])
    if log != desk.model.current:
        desk.tell(_("to {login} in private: {text}").format(login=log[1:], text=values["text"]))


async def profile(desk: Desk, values: Values, flags: Flags) -> None:
    """`/profile`: show one's own, or change a field of it."""
    if "field" not in values:
        await asking.own_profile(desk)
        return
    await desk.chat.request(_changed(values["field"], values.get("value", "").strip()))
    desk.tell(_("Your profile is changed."))


def _changed(field: str, value: str) -> UpdateProfile:
    """The request that sets one field. Raises `BadProfile` with what is expected."""
    match field.casefold().replace("_", "-"):
        case "names" | "first-names":
            return UpdateProfile(first_names=value)
        case "surnames":
            return UpdateProfile(surnames=value)
        case "age":
            if value.isascii() and value.isdigit() and AGE_RANGE[0] <= int(value[:9]) <= AGE_RANGE[1]:
                return UpdateProfile(age=int(value))
            raise BadProfile(_("An age is a number from {low} to {high}.").format(low=AGE_RANGE[0], high=AGE_RANGE[1]))
        case "gender":
            for gender in get_args(Gender):
                if value.casefold() in (gender, _(gender)):
                    return UpdateProfile(gender=gender)
            known = ", ".join(_(gender) for gender in get_args(Gender))
            raise BadProfile(_("A gender is one of {choices}.").format(choices=known))
    raise BadProfile(_("A field is first-names, surnames, age or gender; for example: /profile age 34"))


async def revoke(desk: Desk, values: Values, flags: Flags) -> None:
    """`/revoke`: end another session of one's own."""
    await desk.chat.request(Revoke(session=int(values["number"])))
    desk.tell(_("Session {number} is ended.").format(number=values["number"]))


async def password(desk: Desk, values: Values, flags: Flags) -> None:
    """`/password`: asked for, so that it stands neither on the screen nor in the history."""
    old = await desk.secret(_("Password now: "))
    new = await desk.secret(_("New password: ")) if old else None
    again = await desk.secret(_("New password again: ")) if new else None
    if not old or not new or again is None:
        desk.tell(_("Your password stays as it was."))
    elif new != again:
        desk.complain(_("The two new passwords differ; your password stays as it was."))
    else:
        await desk.chat.request(Password(old=old, new=new))
        desk.tell(_("Your password is changed; your other sessions are ended."))


async def history(desk: Desk, values: Values, flags: Flags) -> None:
    """`/history`: read further back."""
    await desk.older(min(int(values.get("number", "100")), 2_000))


async def clear(desk: Desk, values: Values, flags: Flags) -> None:
    """`/clear`: empty the view; nothing is deleted."""
    desk.clear()


async def act(desk: Desk, values: Values, flags: Flags) -> None:
    """`/me`: what one does, as a line that begins with one's name."""
    desk.say(desk.model.current, f"_{desk.model.me} {values['text'].strip()}_")


async def editor(desk: Desk, values: Values, flags: Flags) -> None:
    """`/editor`: the line is written in a program of one's own choice."""
    if desk.screen is not None:
        await desk.screen.edit_elsewhere()


async def quit(desk: Desk, values: Values, flags: Flags) -> None:
    """`#exit`, `/quit`."""
    desk.quit()


async def logout(desk: Desk, values: Values, flags: Flags) -> None:
    """`/logout`: the next start asks for the password again."""
    await desk.forget()


def _as_known(desk: Desk, room: str) -> str:
    """The room's name as it is written here, if it is known in another spelling."""
    talk = desk.model.find(room)
    return talk.log if talk else room

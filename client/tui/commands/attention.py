"""Commands about attention: what is unread, what is to be told, whether one may be disturbed.

Each takes the desk, its arguments by name and its flags (`client.tui.commands.ports.Action`). Must not know the screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from client.language import N_, _, ngettext
from client.tui.commands.ports import Desk
from common.limits import NOTE_LENGTH
from common.messages import Mark, Notify, Profile, SetStatus, Status, UpdateProfile

Values = Mapping[str, str]
Flags = frozenset[str]

TOLD: Final[Mapping[Notify, str]] = {
    "all": N_("You are told of every message in {name}."),
    "mentions": N_("Of {name} you are told what names you."),
    "off": N_("You are told nothing of {name}."),
}
STATUSES: Final[Mapping[Status, str]] = {
    "available": N_("You are available."),
    "away": N_("You are away; others see it."),
    "dnd": N_("You are not to be disturbed: nothing rings, and others see it."),
}


async def notify(desk: Desk, values: Values, flags: Flags) -> None:
    """`/notify`: what of the conversation one wants to be told."""
    talk = desk.model.here
    if "level" in values:
        await desk.chat.request(Mark(talk=talk.log, notify=cast(Notify, values["level"])))
        talk.notify = cast(Notify, values["level"])
    desk.tell(_(TOLD[talk.tells]).format(name=talk.title))


async def unread(desk: Desk, values: Values, flags: Flags) -> None:
    """`/unread`: where something is unread."""
    lines = [
        ngettext("{name}: {n} message", "{name}: {n} messages", talk.unread).format(name=talk.title, n=talk.unread)
        + (_(", names you") if talk.mentions and not talk.private else "")
        for talk in desk.model.order
        if talk.unread
    ]
    desk.tell(*(lines or [_("Nothing is unread.")]))


async def read(desk: Desk, values: Values, flags: Flags) -> None:
    """`/read`: everything here was read; with `--all`, everywhere."""
    for talk in desk.model.order if "--all" in flags else [desk.model.here]:
        desk.model.marks.seen(talk.log, talk.records.newest)
        talk.recount(desk.model.read(talk))
    desk.tell(_("Everything is read.") if flags else _("Everything here is read."))


async def away(desk: Desk, values: Values, flags: Flags) -> None:
    """`/away`: not at the keyboard."""
    await _set(desk, "away", values.get("note", ""))


async def dnd(desk: Desk, values: Values, flags: Flags) -> None:
    """`/dnd`: not to be disturbed."""
    await _set(desk, "dnd", values.get("note", ""))


async def back(desk: Desk, values: Values, flags: Flags) -> None:
    """`/back`: available again."""
    await _set(desk, "available", values.get("note", ""))


async def _set(desk: Desk, status: Status, note: str) -> None:
    note = " ".join(note.split())
    if len(note) > NOTE_LENGTH:
        desk.complain(_("At most {n} characters.").format(n=NOTE_LENGTH))
        return
    await desk.chat.request(SetStatus(status=status, note=note))
    desk.model.status, desk.model.status_note = status, note
    desk.tell(_(STATUSES[status]) + (f" ({note})" if note else ""))


async def seen(desk: Desk, values: Values, flags: Flags) -> None:
    """`/seen`: whether others may see when one was last here."""
    if "choice" in values:
        shown = (await desk.chat.request(UpdateProfile(show_seen=values["choice"] == "on"))).show_seen
    else:
        shown = (await desk.chat.request(Profile())).show_seen
    if shown is False:
        desk.tell(_("Nobody sees when you were last here."))
    else:
        desk.tell(_("Others may see when you were last here; /seen off hides it."))


async def comings(desk: Desk, values: Values, flags: Flags) -> None:
    """`/comings`: show everybody's coming and going in crowded rooms, or only that of who spoke lately."""
    if desk.screen is not None:
        desk.screen.toggle_comings()
    else:
        desk.tell(_("Here it is always said who comes and goes."))

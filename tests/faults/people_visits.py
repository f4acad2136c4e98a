"""A private room with people who come and go: its host invites and expels, guests visit and leave.

Must not know how anything is written down beyond the ends of memberships.
"""

from __future__ import annotations

import asyncio
from typing import Final

from client.link.room import Room
from common import messages as m
from common.errors import ChatError
from tests.faults import history as h
from tests.faults.people_acting import AGAIN_S, Actor

STAY_S: Final = 4.0
"""Seconds that a guest stays, on average, unless expelled before."""


async def host(actor: Actor) -> None:
    """Have the regulars in, then invite and expel guests as it comes."""
    log, person = actor.person.hosts, actor.person
    for login in person.regulars:
        while not await _change(actor, m.Invite(room=log, login=login)):
            await actor.rest(AGAIN_S)
    while not actor.quiet:
        await actor.rest(actor.plan.pause_s / 2)
        guest, asked = actor.random.choice(person.guests), h.now()
        if actor.random.random() < 0.6:
            await _change(actor, m.Invite(room=log, login=guest))
        elif await _change(actor, m.Remove(room=log, login=guest)):
            actor.note(h.Removed, log, guest, asked)


async def _change(actor: Actor, command: m.Invite | m.Remove) -> bool:
    try:
        await actor.chat.request(command)
    except ChatError:
        return False
    return True


async def visit(actor: Actor) -> None:
    """Come if invited, stay a while, go or be expelled; and try to be heard from outside."""
    while not actor.quiet:
        room = await actor.enter(actor.person.visits)
        if room is not None:
            await _stay(actor, room)
            continue
        await actor.rest(2 * AGAIN_S)
        if actor.random.random() < 0.2:
            await actor.say(actor.person.visits, 1)


async def _stay(actor: Actor, room: Room) -> None:
    """Until the end of the membership, or of all talking; then the reading goes on."""
    clock = asyncio.get_running_loop().time
    reading = asyncio.create_task(actor.follow(room))
    ends = clock() + actor.random.expovariate(1 / STAY_S)
    while not actor.quiet:
        await asyncio.wait({reading}, timeout=actor.plan.pause_s)
        if reading.done():
            return await reading
        if clock() > ends:
            await _leave(actor, room, reading)
        elif room.left is None:
            await actor.say(room.name, 1)
    actor.reading = reading
    return None


async def _leave(actor: Actor, room: Room, reading: asyncio.Task[None]) -> None:
    asked = h.now()
    try:
        await actor.chat.leave(room.name)
    except ChatError:
        return
    # What had arrived before is still given out.
    await asyncio.wait({reading})
    actor.note(h.Left, room.name, asked)

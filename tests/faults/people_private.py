"""Somebody's inbox, read always, and what they write to others in private.

Must not know how anything is sent, or what comes of it.
"""

from __future__ import annotations

from client.link.failures import SessionOver
from common import messages as m
from common import topics
from tests.faults import history as h
from tests.faults.people_acting import AGAIN_S, ASKS, Actor


async def attend(actor: Actor) -> None:
    """Read the inbox from where the reading ended last time, or from the login on, until cancelled."""
    log = topics.inbox(actor.person.login)
    while True:
        try:
            inbox = actor.chat.inbox
        except SessionOver:
            await actor.rest(AGAIN_S)
            continue
        actor.positions[log] = after = actor.positions.get(log, inbox.start)
        actor.note(h.Following, log, after, 0, True)
        async for entry in inbox.entries(after):
            if isinstance(entry, m.DirectMessage):
                actor.note(h.Delivered, log, entry.seq, entry.sender, entry.nonce, entry.text)
            actor.given(log, entry.seq)


async def write(actor: Actor) -> None:
    """Write something to one or other of those whom they write to, again and again."""
    own = topics.inbox(actor.person.login)
    while not actor.quiet:
        await actor.rest(2 * actor.plan.pause_s)
        to = actor.random.choice(actor.person.writes)
        await actor.say(topics.inbox(to), actor.random.choice((1, 1, 3)))
        if actor.random.random() < ASKS:
            await actor.ask(own)

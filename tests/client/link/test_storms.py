"""The client's core against a model broker over a network that loses, doubles, delays, cuts and restarts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from client.link.updates import Arrived, LinkState
from common import messages as m
from common import topics
from common.errors import NoSuchMessage
from tests.support.broker_model import Faults, SimulatedClient, World

ROOMS = ("lobby", "dev", "kitchen")
STORM = Faults(
    lost_event=0.1,
    doubled_event=0.1,
    late_event=0.1,
    lost_reply=0.03,
    withheld_grant=0.2,
    busy=0.1,
    cut_every=6.0,
    restart_every=15.0,
)


def check(world: World) -> None:
    """Everything was delivered once, in order, complete; every post that was acknowledged is there once."""
    for client in world.clients:
        assert client.session.link is LinkState.LIVE
        assert client.session.rooms.login == client.login
        members = {name for name, room in world.broker.rooms.items() if client.login in room.members}
        assert set(client.session.rooms.views) == members
        for stay in client.stays():
            if stay.log.startswith(topics.INBOX):
                log: list[m.AnyEntry] = list(world.broker.inboxes[stay.log])
            elif stay.over:
                continue
            else:
                assert stay.id == world.broker.rooms[stay.log].id
                log = list(world.broker.rooms[stay.log].entries)
            assert [entry.seq for entry in stay.entries] == [entry.seq for entry in log if entry.seq > stay.start]
            assert messages_now(stay.entries) == messages_now([entry for entry in log if entry.seq > stay.start])
        outcomes = client.settled()
        for post in client.posts:
            outcome = outcomes[post.nonce]
            if isinstance(outcome, m.Sent):
                assert world.broker.nonces[client.login, post.nonce].seq == outcome.seq
    for name, room in world.broker.rooms.items():
        assert len({entry.nonce for entry in room.entries}) == len(room.entries)
        for client in world.clients:
            meant = [
                post.nonce for post in client.posts if name in (getattr(post, "room", ""), getattr(post, "log", ""))
            ]
            said = [entry.nonce for entry in room.entries if entry.nonce in meant]
            assert said == [nonce for nonce in meant if nonce in said], "a sender's messages keep their order"


def messages_now(entries: list[m.AnyEntry]) -> dict[int, tuple[str, bool, int]]:
    """What each message says in the end, to whoever applies the changes that follow it by the page's rules."""
    found: dict[int, tuple[str, bool, int]] = {}
    for entry in entries:
        if isinstance(entry, m.Message):
            found[entry.seq] = (entry.text, entry.retracted, entry.changed)
        elif isinstance(entry, (m.Edited, m.Retracted, m.Reacted)) and entry.target in found:
            text, retracted, changed = found[entry.target]
            if entry.seq > changed:
                if isinstance(entry, m.Edited) and not retracted:
                    text = entry.text
                retracted = retracted or isinstance(entry, m.Retracted)
                found[entry.target] = ("" if retracted else text, retracted, entry.seq)
    return found


def trouble(seed: int, faults: Faults, *, moves: bool) -> World:
    """Three clients of two accounts, a minute of talk in trouble, and half a minute of calm."""
    world = World(seed)
    for name in ROOMS[1:]:
        world.broker.make(name)
    clients = [world.client("ana"), world.client("ana"), world.client("bob")]
    world.run(10.0)
    world.storm(faults)
    for client in clients:
        for name in ROOMS[1:]:
            client.request(m.Join(room=name))
    for step in range(120):
        world.run(20.0 + step / 2)
        client = world.chance.choice(clients)
        what = world.chance.random()
        if moves and what < 0.1:
            client.request(m.Leave(room=world.chance.choice(ROOMS)))
        elif moves and what < 0.2:
            client.request(world.chance.choice([m.Join, m.Enter])(room=world.chance.choice(ROOMS)))
        elif what < 0.3:
            client.post("@bob", f"psst {step}")
        elif what < 0.5:
            client.revise(world.chance.choice(ROOMS))
        else:
            client.post(world.chance.choice(ROOMS), f"step {step}")
    world.calm()
    world.run(160.0)
    return world


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
@example(1844)  # A beacon's marker crosses its repetition, and the grant is withheld.
def test_every_entry_once_in_order_and_complete_in_a_storm(seed: int) -> None:
    world = trouble(seed, STORM, moves=False)
    check(world)
    assert_settled(world)


def assert_settled(world: World) -> None:
    """Every post was taken but edits of what was taken back meanwhile; and some messages were changed."""
    for client in world.clients:
        for post in client.posts:
            outcome = client.settled()[post.nonce]
            assert isinstance(outcome, m.Sent) or (isinstance(post, m.Edit) and isinstance(outcome, NoSuchMessage))
    changed = [
        entry for room in world.broker.rooms.values() for entry in room.entries if not isinstance(entry, m.Message)
    ]
    assert len(changed) > 5


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_a_broker_that_has_everything_wait_at_random_loses_nothing_and_is_never_asked_too_soon(seed: int) -> None:
    # That each wait is obeyed is held by the clients' `Waits`, at every request.
    world = trouble(seed, replace(STORM, limited=0.3), moves=False)
    check(world)
    assert_settled(world)
    assert all(client.waits.told_to for client in world.clients)


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_comings_and_goings_in_a_storm_end_where_the_broker_says(seed: int) -> None:
    check(trouble(seed, STORM, moves=True))


def doubled(client: SimulatedClient) -> None:
    client.updates.append(next(update for update in client.updates if isinstance(update, Arrived)))


def swapped(client: SimulatedClient) -> None:
    at = [index for index, update in enumerate(client.updates) if isinstance(update, Arrived) and update.log == "dev"]
    one, two = at[:2]
    client.updates[one], client.updates[two] = client.updates[two], client.updates[one]


def without_tail(client: SimulatedClient) -> None:
    client.updates.remove([update for update in client.updates if isinstance(update, Arrived)][-1])


def with_hole(client: SimulatedClient) -> None:
    client.updates.remove(next(update for update in client.updates if isinstance(update, Arrived)))


@pytest.mark.parametrize("fault", [doubled, swapped, without_tail, with_hole])
def test_the_checker_sees_planted_faults(fault: Callable[[SimulatedClient], None]) -> None:
    world = trouble(1, STORM, moves=False)
    check(world)
    fault(world.clients[0])
    with pytest.raises(AssertionError):
        check(world)

"""One fault is planted in any history that keeps every promise: the checker finds it, and found nothing before."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from tests.faults import history as h
from tests.faults.checker import check
from tests.faults.checker_rules import Rule
from tests.faults.checker_scenes import CAVE, ROOM, Scene, replace

WRITERS = ("ana", "bob", "eva")
"""Who write to each other in private."""


@st.composite
def worlds(draw: st.DrawFn) -> Scene:
    """A history that keeps every promise: two rooms, people who come and go, posts in parallel, some never answered."""
    made = Scene()
    people = ["ana", "bob", "eva", "leo"]
    for who in WRITERS:
        made.join(who)
        made.attend(who)
    made.join("ana", CAVE)
    chance = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(8, 40))):
        _happen(made, people, chance)
    made.say("ana")
    made.say("ana", CAVE)
    made.write("ana", "bob")
    made.settle()
    return made


def _happen(made: Scene, people: list[str], chance: random.Random) -> None:
    log, who = chance.choice((ROOM, CAVE)), chance.choice(people)
    if (who, log) not in made.following:
        made.join(who, log)
        return
    what = chance.randrange(8)
    if what == 0 and who != "ana":
        made.leave(who, log) if chance.random() < 0.5 else made.expel(who, "ana", log)
    elif what == 1:
        made.tell(h.Asking, who, log)
        since = next(
            r.since for r in reversed(made.history) if isinstance(r, h.Following) and (r.who, r.log) == (who, log)
        )
        rows = [(row.seq, row.text) for row in made.logs[log] if row.seq > since]
        made.tell(h.Answered, who, log, None, rows[-3:], len(rows) > 3)
    elif what == 2:
        made.deliver(who, log)
    elif what < 5:
        _write(made, chance)
    else:
        _talk(made, [person for person, room in made.following if room == log], log, chance)


def _talk(made: Scene, members: list[str], log: str, chance: random.Random) -> None:
    """Several at once, committed in any order, and answered or not."""
    texts = [made.send(who, log) for who in chance.sample(members, chance.randint(1, len(members)))]
    chance.shuffle(texts)
    for text in texts:
        if chance.random() < 0.1:
            made.tell(h.Failed, text.split()[0], log, text, "no-answer", False)
            continue
        row = made.commit(text, log)
        if chance.random() < 0.8:
            made.ack(row, log)


def _write(made: Scene, chance: random.Random) -> None:
    """Several in private at once, in any order between different people, and answered or not; and an invitation."""
    chosen = [chance.sample(WRITERS, 2) for _ in range(chance.randint(1, 3))]
    texts = {(who, to): made.send(who, "@" + to) for who, to in chosen}
    for (who, to), text in chance.sample([*texts.items()], len(texts)):
        if chance.random() < 0.1:
            made.tell(h.Failed, who, "@" + to, text, "no-answer", False)
            continue
        own, _ = made.deposit(text, to)
        if chance.random() < 0.8:
            made.ack(own, "@" + to)
    if chance.random() < 0.3:
        who = chance.choice(WRITERS)
        made.deliver(who, "@" + who)
        made.invite(who)


def _candidates(made: Scene, kind: type[h.Record]) -> Iterator[int]:
    return (n for n, record in enumerate(made.history) if isinstance(record, kind))


def _plant_lost(made: Scene, chance: random.Random) -> set[Rule]:
    record = made.history[chance.choice(list(_candidates(made, h.Acknowledged)))]
    made.logs[record.log] = [row for row in made.logs[record.log] if row.text != record.text]
    return {Rule.LOST}


def _plant_doubled(made: Scene, chance: random.Random) -> set[Rule]:
    log = made.logs[ROOM]
    log.append(chance.choice(log)._replace(seq=made.seq + 1, prev=log[-1].seq))
    return {Rule.DOUBLED}


def _plant_repeat(made: Scene, chance: random.Random) -> set[Rule]:
    at = chance.choice(list(_candidates(made, h.Delivered)))
    made.history.insert(at, made.history[at])
    return {Rule.DOUBLED}


def _plant_swap(made: Scene, chance: random.Random) -> set[Rule]:
    """Two neighbours change places in one client's view only."""
    mine = [n for n in _candidates(made, h.Delivered) if (made.history[n].who, made.history[n].log) == ("ana", CAVE)]
    rows = made.logs[CAVE]
    if len(mine) < 2:
        return _plant_repeat(made, chance)
    at = chance.randrange(len(mine) - 1)
    for number, row in ((mine[at], rows[at + 1]), (mine[at + 1], rows[at])):
        replace(made, number, seq=row.seq, sender=row.sender, nonce=row.nonce, text=row.text)
    return {Rule.BACKWARDS}


def _plant_stranger(made: Scene, chance: random.Random) -> set[Rule]:
    at = chance.choice(list(_candidates(made, h.Delivered)))
    record = made.history[at]
    fields = {name: getattr(record, name) for name in record.__struct_fields__} | {"who": "zoe"}
    made.history.insert(at + 1, h.Delivered(**fields))
    return {Rule.LEAK}


def _plant_hole(made: Scene, chance: random.Random) -> set[Rule]:
    made.tell(h.Asking, "ana", CAVE)
    rows = [(row.seq, row.text) for row in made.logs[CAVE]]
    del rows[chance.randrange(len(rows))]
    made.tell(h.Answered, "ana", CAVE, None, rows, False)
    return {Rule.HISTORY}


def _plant_phantom(made: Scene, chance: random.Random) -> set[Rule]:
    row = chance.choice(made.logs[ROOM])
    made.logs[ROOM][made.logs[ROOM].index(row)] = row._replace(text="what nobody said")
    return {Rule.PHANTOM}


def _plant_untold(made: Scene, chance: random.Random) -> set[Rule]:
    """One delivery to somebody who stays is missing: a hole, or the tail."""
    mine = [n for n in _candidates(made, h.Delivered) if (made.history[n].who, made.history[n].log) == ("ana", CAVE)]
    at = chance.choice(mine)
    del made.history[at]
    return {Rule.TAIL if at == mine[-1] else Rule.UNDELIVERED}


def _plant_half(made: Scene, chance: random.Random) -> set[Rule]:
    """A private message is in one of its two inboxes only."""
    row = chance.choice([row for row in made.logs["@ana"] if row.text])
    log = chance.choice((f"@{row.sender}", f"@{row.to}"))
    made.logs[log] = [each for each in made.logs[log] if each.text != row.text]
    return {Rule.LOST}


def _plant_third(made: Scene, chance: random.Random) -> set[Rule]:
    """A private message is given to somebody whom it is not for."""
    at = chance.choice([n for n in _candidates(made, h.Delivered) if made.history[n].log in ("@ana", "@bob")])
    record = made.history[at]
    assert isinstance(record, h.Delivered)
    made.history.insert(
        at + 1, h.Delivered(record.at, "eva", record.log, record.seq, record.sender, record.nonce, record.text)
    )
    return {Rule.LEAK}


def _plant_refused(made: Scene, chance: random.Random) -> set[Rule]:
    row = chance.choice(made.logs[ROOM])
    made.tell(h.Failed, row.sender, ROOM, row.text, "not-member", True)
    return {Rule.REFUSED}


PLANTS = (
    _plant_half,
    _plant_third,
    _plant_lost,
    _plant_doubled,
    _plant_repeat,
    _plant_swap,
    _plant_stranger,
    _plant_hole,
    _plant_phantom,
    _plant_untold,
    _plant_refused,
)


@given(made=worlds(), plant=st.sampled_from(PLANTS), seed=st.integers(0, 2**32))
def test_one_planted_fault_in_any_good_history_is_found(
    made: Scene, plant: Callable[[Scene, random.Random], set[Rule]], seed: int
) -> None:
    found = [str(violation) for violation in check(iter(made.history), made.logs)]
    assert found == []
    spoilt = copy.deepcopy(made)
    expected = plant(spoilt, random.Random(seed))
    assert expected <= {violation.rule for violation in check(iter(spoilt.history), spoilt.logs)}

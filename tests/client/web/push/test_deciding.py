"""What is told, as tables."""

from __future__ import annotations

import json
from typing import Any

import pytest

from client.web.push.bounds import BODY_LENGTH, PADDED_BYTES
from client.web.push.deciding import notice, payload, still
from common import messages as m
from tests.client.web.push.switchboard import direct, edited, message, retracted, room, state

LOBBY = "lobby"
REACTED = m.Reacted(seq=9, prev=1, time=1, sender="ben", target=1, emoji="👍", on=True, count=1, nonce=bytes(16))
INVITED = m.Invited(seq=9, prev=1, time=1, sender="ben", room="den")


@pytest.mark.parametrize(
    ("log", "event", "stands", "talk"),
    [
        (LOBBY, message(), {}, LOBBY),
        (LOBBY, message(text="nobody in particular"), {}, None),
        (LOBBY, message(text="anabel and banana"), {}, None),
        (LOBBY, message(text="ANA?"), {}, LOBBY),
        (LOBBY, message(sender="ana"), {}, None),
        (LOBBY, message(sender="ANA"), {}, None),
        (LOBBY, message(hops=1), {}, LOBBY),
        (LOBBY, message(retracted=True), {}, None),
        (LOBBY, message(), {"status": "away"}, LOBBY),
        (LOBBY, message(), {"status": "dnd"}, None),
        (LOBBY, message(text="x"), {"rooms": [room(notify="all")]}, LOBBY),
        (LOBBY, message(text="x", sender="ana"), {"rooms": [room(notify="all")]}, None),
        (LOBBY, message(text="x"), {"rooms": [room(notify="all")], "status": "dnd"}, None),
        (LOBBY, message(text="x"), {"rooms": [room(notify="mentions")]}, None),
        (LOBBY, message(), {"rooms": [room(notify="mentions")]}, LOBBY),
        (LOBBY, message(), {"rooms": [room(notify="off")]}, None),
        (LOBBY, message(seq=5), {"rooms": [room(read=4)]}, LOBBY),
        (LOBBY, message(seq=5), {"rooms": [room(read=5)]}, None),
        (LOBBY, message(seq=5), {"rooms": [room(since=5)]}, None),
        ("den", message(), {}, None),
        ("@ana", direct(), {}, "@ben"),
        ("@ana", direct(text="no name in it"), {"status": "away"}, "@ben"),
        ("@ana", direct(), {"status": "dnd"}, None),
        ("@ana", direct(sender="ana", to="ben"), {}, None),
        ("@ana", direct(sender="ana", to="ana"), {}, None),
        ("@ben", direct(), {}, None),
        ("@ben", direct(sender="cris", to="ben", text="ana"), {}, None),
        ("@ana", direct(), {"talks": [m.TalkView(talk="@ben", read=0, notify="off")]}, None),
        ("@ana", direct(text="ana!"), {"talks": [m.TalkView(talk="@ben", read=0, notify="mentions")]}, "@ben"),
        ("@ana", direct(), {"talks": [m.TalkView(talk="@ben", read=0, notify="mentions")]}, None),
        ("@ana", direct(seq=7), {"talks": [m.TalkView(talk="@Ben", read=7)]}, None),
        ("@ana", direct(seq=7), {"talks": [m.TalkView(talk="@cris", read=9, notify="off")]}, "@ben"),
        (LOBBY, edited(1, "hi ana"), {}, None),
        (LOBBY, retracted(1), {}, None),
        (LOBBY, REACTED, {"rooms": [room(notify="all")]}, None),
        ("@ana", INVITED, {}, None),
    ],
)
def test_what_is_told(log: str, event: m.AnyEvent, stands: dict[str, Any], talk: str | None) -> None:
    now = state(**{key: value for key, value in stands.items() if key != "rooms"})
    now.rooms = stands.get("rooms", now.rooms)
    told = notice(now, log, event)
    assert (told.talk if told else None) == talk


def test_what_was_worth_telling_may_no_longer_be() -> None:
    told = notice(state(), LOBBY, message(seq=5))
    assert told is not None
    assert still(state(), told)
    assert not still(state("ana", room(read=5)), told)
    assert not still(state("ana", room(notify="off")), told)
    assert not still(state(status="dnd"), told)
    assert not still(state("ana", room("den")), told)
    assert not still(state(), told._replace(text="nobody any more"))


def test_what_is_meant_for_somebody_is_urgent() -> None:
    everything = state("ana", room(notify="all"))
    named, room_wide = notice(everything, LOBBY, message()), notice(everything, LOBBY, message(text="hi all"))
    assert (named and named.urgent, room_wide and room_wide.urgent) == (True, False)
    private = notice(state(), "@ana", direct())
    assert private is not None
    assert private.urgent


def said(log: str, event: m.AnyEvent, count: int = 1) -> dict[str, Any]:
    told = notice(state(), log, event)
    assert told is not None
    content = payload(told, count)
    assert len(content) % PADDED_BYTES == 0
    found: dict[str, Any] = json.loads(content)
    return found


def test_a_notice_says_who_and_what_and_where() -> None:
    assert said(LOBBY, message(7)) == {
        "title": "#lobby", "body": "ben: hi @ana", "talk": "lobby", "tag": "lobby", "seq": 7, "count": 1,
    }  # fmt: skip
    assert said("@ana", direct(8), 3) == {
        "title": "ben", "body": "hola", "talk": "@ben", "tag": "@ben", "seq": 8, "count": 3,
    }  # fmt: skip


def test_what_others_wrote_is_made_harmless_and_short() -> None:
    assert said("@ana", direct(text="a\x1b[31m\u202eb\nc"))["body"] == "a␛[31m\ufffdb ⏎ c"
    body = said("@ana", direct(text="x" * 8_000))["body"]
    assert body == "x" * (BODY_LENGTH - 1) + "…"


def test_the_longest_is_less_than_push_services_take() -> None:
    told = notice(state("ana"), "@ana", direct(text="😀" * 4_000, sender="\U00010400" * 32))
    assert told is not None
    assert len(payload(told, 99)) <= 3_072

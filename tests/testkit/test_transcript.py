"""What a failed test shows of what was said."""

from __future__ import annotations

from client.link.updates import Arrived, RosterChanged
from common import messages as m
from testkit.transcript import LINES, Transcript

TIME = 1_704_110_400_000


def said(seq: int, text: str, sender: str = "ana", reply_to: int = 0) -> m.Message:
    nonce = seq.to_bytes(16, "big")
    return m.Message(seq=seq, prev=0, time=TIME, sender=sender, text=text, nonce=nonce, reply_to=reply_to)


def direct(seq: int, nonce: int) -> m.DirectMessage:
    return m.DirectMessage(
        seq=seq, prev=0, time=TIME, sender="ana", to="bob", text="psst", nonce=nonce.to_bytes(16, "big")
    )


def test_nothing() -> None:
    transcript = Transcript()
    transcript.take(RosterChanged("lobby", m.Roster(time=TIME, changes=[], online=1)))
    assert str(transcript) == "Nothing was said so far."


def test_every_entry_once_and_in_order() -> None:
    transcript = Transcript()
    place = {"prev": 0, "time": TIME, "sender": "bob"}
    entries: list[tuple[str, m.AnyEntry]] = [
        ("lobby", said(2, "hola", reply_to=1)),
        ("lobby", said(1, "two\nlines \x1b[31m", "bob")),
        ("lobby", said(2, "hola", reply_to=1)),
        ("lobby", m.Edited(**place, seq=3, target=1, text="one", nonce=b"3")),
        ("lobby", m.Reacted(**place, seq=4, target=2, emoji="👍", on=True, count=1, nonce=b"4")),
        ("lobby", m.Reacted(**place, seq=5, target=2, emoji="👍", on=False, count=0, nonce=b"5")),
        ("lobby", m.Retracted(**place, seq=6, target=1, nonce=b"6")),
        ("@ana", m.Invited(**place, seq=7, room="den")),
        ("@ana", direct(8, 8)),
        ("@bob", direct(9, 8)),
        ("lobby", said(10, "x" * 300)),
    ]
    for log, entry in entries:
        transcript.take(Arrived(log, entry, False))
    lines = str(transcript).splitlines()
    assert lines[1] == r"     1  2024-01-01 12:00:00  lobby         bob           'two\nlines \x1b[31m'"
    assert [line[42:].strip() for line in lines[2:]] == [
        "ana           (to 1) hola",
        "bob           changes 1 to: one",
        "bob           puts 👍 to 2",
        "bob           takes 👍 from 2",
        "bob           takes back 1",
        "bob           invites @ana to den",
        "ana           psst",
        "ana           " + "x" * 200 + "…",
    ]


def test_of_a_long_one_the_end() -> None:
    transcript = Transcript()
    for seq in range(1, LINES + 11):
        transcript.take(Arrived("lobby", said(seq, f"message {seq}"), False))
    lines = str(transcript).splitlines()
    assert lines[1] == "  (10 before)"
    assert len(lines) == LINES + 2
    assert lines[-1].endswith("message 50")

"""The parts that decide without a connection: cursors, nonces, cooldowns, calls, long texts, mentions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.bot import BadHandler, Message, User
from client.bot.calls import Call, parse
from client.bot.cooldowns import Cooldown, Uses, overridden
from client.bot.delivery import Cause, Cursor
from client.bot.pacing import parts
from common.limits import HOPS, NONCE_BYTES, TEXT_BYTES, TEXT_LENGTH
from common.texts import check_text
from tests.client.bot.test_arguments import room


def message(text: str, private: bool = False) -> Message:
    return Message(9, 1_000, text, User("ana"), None if private else room("lobby"), "lobby")


# Cursors.


@given(st.lists(st.integers(1, 5), min_size=1), st.randoms(use_true_random=False))
def test_a_cursor_is_never_beyond_what_is_open_nor_behind_what_is_not(gaps: list[int], chance: object) -> None:
    cursor, seqs, at = Cursor(10), [], 10
    for gap in gaps:
        at += gap
        seqs.append(at)
    unbegun, open_, done = list(seqs), list[int](), set[int]()
    while unbegun or open_:
        if unbegun and (not open_ or chance.random() < 0.5):  # type: ignore[attr-defined]
            cursor.begin(seq := unbegun.pop(0))
            open_.append(seq)
        else:
            seq = chance.choice(open_)  # type: ignore[attr-defined]
            open_.remove(seq)
            done.add(seq)
            before = cursor.handled
            assert cursor.settle(seq) == (cursor.handled != before)
        begun = seqs[: len(seqs) - len(unbegun)]
        prefix = [seq for index, seq in enumerate(begun) if all(each in done for each in begun[: index + 1])]
        assert cursor.handled == (prefix[-1] if prefix else 10)


def test_nonces_are_the_same_each_time_and_no_two_are_alike() -> None:
    def made(handler: str = "Command roll", seq: int = 5, log: int = 1, login: str = "dice") -> list[bytes]:
        cause = Cause(login, log, seq, 1_700_000_000_000, handler)
        return [cause.nonce() for _ in range(3)]

    assert made() == made()
    every = [*made(), *made(handler="Listener roll"), *made(seq=6), *made(log=2), *made(login="dado")]
    assert len(set(every)) == len(every)
    assert {len(nonce) for nonce in every} == {NONCE_BYTES}
    assert {nonce[:6] for nonce in every} == {(1_700_000_000_000).to_bytes(6, "big")}, "beside those of that time"


@pytest.mark.parametrize(("hops", "carried"), [(0, 1), (3, 4), (HOPS, HOPS + 1), (10**6, HOPS + 1)])
def test_what_is_posted_is_one_hop_further(hops: int, carried: int) -> None:
    assert Cause("dice", 1, 5, 0, "x", hops).next_hops == carried


# Cooldowns.


def test_a_use_is_taken_at_once_and_the_wait_is_told_once() -> None:
    cooldown = Cooldown.parse("2/10s per user")
    assert cooldown is not None
    uses = Uses(cooldown)
    assert [uses.take("ana", "lobby", at) for at in (0, 4_000, 5_000, 6_000, 9_999)] == [None, None, 5_000, 0, 0]
    assert uses.take("bob", "lobby", 5_000) is None
    assert [uses.take("ana", "lobby", at) for at in (10_000, 10_001, 14_000)] == [None, 3_999, None]


@pytest.mark.parametrize(
    ("per", "granted"),
    [("user", [True, True, False]), ("room", [True, False, True]), ("bot", [True, False, False])],
)
def test_a_cooldown_is_for_each_person_room_or_all(per: str, granted: list[bool]) -> None:
    cooldown = Cooldown.parse(f"1/1m per {per}")
    assert cooldown is not None
    uses = Uses(cooldown)
    tries = [("ana", "lobby"), ("bob", "lobby"), ("ana", "dev")]
    assert [uses.take(user, where, 0) is None for user, where in tries] == granted


@pytest.mark.parametrize("text", ["3", "0/5s", "3/5s per week", "x/5s", "3/5x", "3 per user"])
def test_what_is_no_cooldown_is_refused(text: str) -> None:
    with pytest.raises(BadHandler):
        Cooldown.parse(text)


def test_the_operator_has_the_last_word() -> None:
    environment = {"TERTULIA_BOT_COOLDOWN_ROLL_IT": "1/5s per user", "TERTULIA_BOT_COOLDOWN_FREE": "none"}
    assert str(overridden("roll-it", "3/10s", environment)) == "1/5s per user"
    assert overridden("free", "3/10s", environment) is None
    assert str(overridden("else", "3/10s", environment)) == "3/10s per user"
    with pytest.raises(BadHandler, match=r"^TERTULIA_BOT_COOLDOWN_ROLL: .*rubbish"):
        overridden("roll", "3/10s", {"TERTULIA_BOT_COOLDOWN_ROLL": "rubbish"})


# Calls.


@pytest.mark.parametrize(
    ("text", "private", "call"),
    [
        ("!roll 2 6", False, Call("roll", "2 6", True, False)),
        ("!roll", False, Call("roll", "", True, False)),
        ("@dice roll 2", False, Call("roll", "2", False, True)),
        ("@DICE, roll 2", False, Call("roll", "2", False, True)),
        ("@dice: !roll 2", False, Call("roll", "2", True, True)),
        ("roll 2", True, Call("roll", "2", False, True)),
        ("!roll 2", True, Call("roll", "2", True, True)),
        ("!say\nline", False, Call("say", "\nline", True, False)),
        ("roll 2", False, None),
        ("@dicey roll 2", False, None),
        ("hello @dice roll", False, None),
        ("! so what", False, None),
        ("!", False, None),
        ("@dice", False, None),
        ("   ", True, None),
    ],
)
def test_what_calls_a_command(text: str, private: bool, call: Call | None) -> None:
    assert parse(message(text, private), "!", "dice") == call


@pytest.mark.parametrize(
    ("text", "named"),
    [("@dice", True), ("ask @Dice.", True), ("(@dice)", True), ("@dice-", True), ("@ｄｉｃｅ", True), ("dice", False),
     ("@dicey", False), ("mail@dice", False), ("@@dice", False), ("@dice.com", False)],
)  # fmt: skip
def test_who_is_mentioned(text: str, named: bool) -> None:
    assert message(text).mentions("dice") is named


# Long texts.


@given(st.integers(0, 3 * TEXT_LENGTH), st.sampled_from("aé€😀"), st.lists(st.integers(0, 3 * TEXT_LENGTH)))
def test_a_long_text_becomes_messages_that_the_broker_takes(length: int, letter: str, breaks: list[int]) -> None:
    letters = [letter] * length
    for at in breaks:
        if at < length:
            letters[at] = "\n" if at % 2 else " "
    text = "".join(letters)
    made = parts(text)
    if text.strip():
        for part in made:
            check_text(part)
    assert "".join("".join(made).split()) == "".join(text.split()), "nothing that shows is lost"
    if len(text) <= TEXT_LENGTH and len(text.encode()) <= TEXT_BYTES:
        assert made == [text]


def test_a_text_is_divided_at_lines_first() -> None:
    lines = [f"{number} " + "x" * 90 for number in range(200)]
    made = parts("\n".join(lines))
    assert len(made) == 3
    assert "\n".join(made) == "\n".join(lines)

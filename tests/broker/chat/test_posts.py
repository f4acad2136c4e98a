"""What is said, and reading it again."""

import pytest

from common import messages
from common.errors import NoSuchLog
from tests.support.circle import Circle


@pytest.fixture
def circle() -> Circle:
    circle = Circle()
    for login in ("ana", "bob", "eva"):
        circle.register(login)
    return circle


def test_a_message_reaches_every_member_with_the_senders_name_and_its_place(circle: Circle) -> None:
    ears = [circle.listen(login, "lobby") for login in ("ana", "bob", "eva")]
    first, second = circle.say("ana", "lobby", "hola"), circle.say("bob", "LOBBY", "¿qué tal?")
    for ear in ears:
        heard = ear.of(messages.Message)
        assert [(message.sender, message.text) for message in heard] == [("ana", "hola"), ("bob", "¿qué tal?")]
        assert [(message.seq, message.prev) for message in heard] == [(first.seq, 0), (second.seq, first.seq)]


@pytest.mark.parametrize("text", ["", "  \n ", "a\x1b[31m", "\x00", "x\x9by"])
def test_a_text_without_sense_or_with_control_characters_is_refused(circle: Circle, text: str) -> None:
    assert circle.say("ana", "lobby", text).code == "bad-text"
    assert circle.direct("ana", "bob", text).code == "bad-text"


def test_only_members_speak(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev"))
    assert circle.say("bob", "dev", "hola").code == "not-member"
    assert circle.say("bob", "nowhere", "hola").code == "no-such-room"


def test_a_resend_is_answered_with_the_old_place_and_heard_once(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby")
    first = circle.say("ana", "lobby", "hola", nonce=7)
    circle.later(1)
    again = circle.say("ana", "lobby", "hola", nonce=7)
    assert (again.seq, again.time) == (first.seq, first.time)
    assert len(ear.of(messages.Message)) == 1
    assert circle.say("bob", "lobby", "hola", nonce=7).seq > first.seq, "a nonce is its sender's"


def test_a_private_message_waits_for_its_reader_and_is_on_every_device(circle: Circle) -> None:
    own = circle.listen("ana", "@ana")
    circle.ask("bob", messages.Bye())
    sent = circle.direct("ana", "BOB", "psst")
    ear = circle.listen("eva", "lobby")
    circle.log_in("bob", "phone")
    (entry,) = circle.ask("phone", messages.History(log="@bob")).entries
    assert (entry.sender, entry.to, entry.text) == ("ana", "bob", "psst")
    (mine,) = own.of(messages.DirectMessage)
    assert (mine.seq, mine.prev) == (sent.seq, 0)
    assert mine.nonce == entry.nonce
    assert ear.of(messages.DirectMessage) == []
    assert circle.direct("ana", "nobody", "x").code == "no-such-user"


def test_a_note_to_oneself_is_one_entry(circle: Circle) -> None:
    own = circle.listen("ana", "@ana")
    circle.direct("ana", "ana", "remember")
    assert len(own.of(messages.DirectMessage)) == 1
    assert len(circle.ask("ana", messages.History(log="@ana")).entries) == 1


def test_nobody_reads_an_inbox_but_its_owner(circle: Circle) -> None:
    circle.direct("ana", "bob", "psst")
    assert circle.ask("eva", messages.History(log="@bob")).code == "no-such-log"
    assert circle.ask("eva", messages.History(log="@nobody")).code == "no-such-log"
    assert circle.ask("eva", messages.History(log="nowhere")).code == "no-such-log"
    assert circle.listen("eva", "@bob").topics == {circle.beacon("eva")}


def test_history_is_read_in_pages_from_either_end(circle: Circle) -> None:
    seqs = [circle.say("ana", "lobby", f"m{number}").seq for number in range(10)]

    def read(**fields: int) -> tuple[list[int], bool]:
        reply = circle.ask("bob", messages.History(log="lobby", **fields))
        return [entry.seq for entry in reply.entries], reply.more

    assert read() == (seqs, False)
    assert read(limit=3) == (seqs[-3:], True)
    assert read(limit=3, before=seqs[7]) == (seqs[4:7], True)
    assert read(limit=3, before=seqs[2]) == (seqs[:2], False)
    assert read(limit=3, after=seqs[1]) == (seqs[2:5], True)
    assert read(after=seqs[7]) == (seqs[8:], False)
    assert read(after=seqs[2], before=seqs[5]) == (seqs[3:5], False)
    circle.ask("ana", messages.Create(room="dev"))
    assert circle.ask("bob", messages.History(log="dev")).code == "not-member"


def test_a_guest_pages_back_no_further_than_to_their_joining(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="secret", private=True))
    for number in range(5):
        circle.say("ana", "secret", f"before {number}")
    circle.ask("ana", messages.Invite(room="secret", login="bob"))
    circle.ask("bob", messages.Join(room="secret"))
    seqs = [circle.say("ana", "secret", f"after {number}").seq for number in range(3)]
    reply = circle.ask("bob", messages.History(log="secret", limit=4))
    assert ([entry.seq for entry in reply.entries], reply.more) == (seqs, False)
    reply = circle.ask("bob", messages.History(log="secret", after=0, limit=2))
    assert ([entry.seq for entry in reply.entries], reply.more) == (seqs[:2], True)


def test_history_of_a_room_that_was_made_anew_meanwhile_is_not_the_old_ones(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="plans", kept=True))
    circle.say("ana", "plans", "of the old room")
    circle.replies.clear()
    with circle.pondering():
        circle.ask("ana", messages.History(log="plans"))
        circle.ask("ana", messages.Delete(room="plans"))
        circle.ask("ana", messages.Create(room="plans"))
    (refused,) = circle.replies.values()
    assert isinstance(refused, NoSuchLog)


def test_who_made_a_private_room_and_left_it_is_told_to_join(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="plans", kept=True, private=True))
    circle.ask("ana", messages.Leave(room="plans"))
    assert circle.say("ana", "plans", "hola").code == "not-member"
    assert circle.say("bob", "plans", "hola").code == "no-such-room"


def test_a_message_in_flight_when_its_room_is_deleted_is_not_lost_silently(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev"))
    with circle.holding():
        circle.ask("ana", messages.Delete(room="dev"))
        assert circle.say("ana", "dev", "late").code == "no-such-room"


def test_a_failing_store_refuses_the_message_and_broadcasts_nothing(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby")
    with circle.holding(fail=True):
        number = next(iter(circle._ids))
        circle.say("ana", "lobby", "lost")
    assert circle.replies.pop(number + 1).code == "storage-failed"
    assert ear.of(messages.Message) == []
    assert circle.say("ana", "lobby", "kept").seq > 0

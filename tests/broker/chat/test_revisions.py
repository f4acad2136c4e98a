"""What is done to a message after it was said: answers, edits, retractions, reactions; and who may do it.

Long because each of the four is tried by everybody in every kind of log, and all races stand together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.chat import ports
from broker.chat.ports import ReadLog
from broker.chat.settings import ChatSettings
from broker.store.sqlite import SqliteStore
from common import messages
from common.errors import ChatError, NoSuchLog, NoSuchMessage, NotMember
from common.limits import POST_CHARACTERS, REACTIONS, Rate
from testkit.memory_store import MemoryStore
from tests.support.circle import Circle

PEOPLE = ("ana", "bob", "eva")


@pytest.fixture(params=["memory", "disk"])
def circle(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Circle]:
    store = SqliteStore(tmp_path / "chat.db") if request.param == "disk" else MemoryStore()
    circle = Circle(store)
    for login in PEOPLE:
        circle.register(login)
    yield circle
    store.close()


numbers = iter(range(1, 1_000_000))


def nonce(number: int | None = None) -> bytes:
    return (next(numbers) if number is None else number + 2**64).to_bytes(16, "big")


def edit(circle: Circle, key: str, log: str, seq: int, text: str = "better", number: int | None = None) -> Any:
    return circle.ask(key, messages.Edit(log=log, seq=seq, text=text, nonce=nonce(number)))


def retract(circle: Circle, key: str, log: str, seq: int, number: int | None = None) -> Any:
    return circle.ask(key, messages.Retract(log=log, seq=seq, nonce=nonce(number)))


def react(
    circle: Circle, key: str, log: str, seq: int, emoji: str = "👍", on: bool = True, number: int | None = None
) -> Any:
    return circle.ask(key, messages.React(log=log, seq=seq, emoji=emoji, on=on, nonce=nonce(number)))


def history(circle: Circle, key: str, log: str) -> list[Any]:
    return list(circle.ask(key, messages.History(log=log)).entries)


def shown(circle: Circle, key: str, log: str, seq: int) -> Any:
    (found,) = [entry for entry in history(circle, key, log) if entry.seq == seq]
    return found


def private(circle: Circle) -> tuple[int, int]:
    """A private message of ana's to bob: its place in her inbox, and in his."""
    sent = circle.direct("ana", "bob", "psst")
    return sent.seq, history(circle, "bob", "@bob")[-1].seq


# Answers


def test_an_answer_names_its_message_live_and_in_history(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby")
    said = circle.say("ana", "lobby", "who comes?")
    answer = circle.ask("bob", messages.Send(room="LOBBY", text="I do", nonce=nonce(), reply_to=said.seq))
    assert [message.reply_to for message in ear.of(messages.Message)] == [0, said.seq]
    assert shown(circle, "eva", "lobby", answer.seq).reply_to == said.seq


def test_an_answer_in_private_names_the_message_as_each_of_the_two_has_it(circle: Circle) -> None:
    mine, theirs = private(circle)
    ears = [circle.listen("ana", "@ana"), circle.listen("bob", "@bob")]
    circle.ask("bob", messages.Direct(to="ana", text="yes?", nonce=nonce(), reply_to=theirs))
    assert [ear.of(messages.DirectMessage)[-1].reply_to for ear in ears] == [mine, theirs]
    assert [history(circle, key, f"@{key}")[-1].reply_to for key in ("ana", "bob")] == [mine, theirs]


def test_an_answer_to_what_the_other_has_never_seen_tells_them_nothing(circle: Circle) -> None:
    mine, _ = private(circle)
    circle.ask("ana", messages.Direct(to="eva", text="look what I wrote him", nonce=nonce(), reply_to=mine))
    assert history(circle, "ana", "@ana")[-1].reply_to == mine
    assert history(circle, "eva", "@eva")[-1].reply_to == 0


def test_only_what_may_be_read_is_answered(circle: Circle) -> None:
    mine, _ = private(circle)
    said = circle.say("ana", "lobby", "hola").seq
    circle.ask("ana", messages.Create(room="den", private=True))
    before = circle.say("ana", "den", "before").seq
    circle.ask("ana", messages.Invite(room="den", login="bob"))
    circle.ask("bob", messages.Join(room="den"))
    for room, seq in (("lobby", mine), ("lobby", 10_000), ("den", before), ("den", said)):
        refused = circle.ask("bob", messages.Send(room=room, text="x", nonce=nonce(), reply_to=seq))
        assert isinstance(refused, NoSuchMessage), (room, seq)
    for seq in (said, mine, 10_000):
        refused = circle.ask("bob", messages.Direct(to="ana", text="x", nonce=nonce(), reply_to=seq))
        assert isinstance(refused, NoSuchMessage), seq
    invitation = history(circle, "bob", "@bob")[-1]
    assert isinstance(invitation, messages.Invited)
    assert isinstance(
        circle.ask("bob", messages.Direct(to="ana", text="x", nonce=nonce(), reply_to=invitation.seq)), NoSuchMessage
    )


# Edits


def test_an_edit_is_an_entry_and_history_shows_what_is_said_now(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby")
    said = circle.say("ana", "lobby", "helo")
    other = circle.say("bob", "lobby", "what?")
    circle.later(5)
    edited = edit(circle, "ana", "lobby", said.seq, "hello")
    (event,) = ear.of(messages.Edited)
    assert (event.seq, event.prev, event.sender, event.target) == (edited.seq, other.seq, "ana", said.seq)
    assert (event.text, event.time) == ("hello", edited.time)
    message = shown(circle, "eva", "lobby", said.seq)
    assert (message.text, message.edited, message.changed) == ("hello", edited.time, edited.seq)
    assert message.time == said.time
    assert shown(circle, "eva", "lobby", edited.seq).text == "hello"
    edit(circle, "ana", "lobby", said.seq, "hello!")
    assert shown(circle, "eva", "lobby", edited.seq).text == "hello!", "the text so far stands nowhere any more"


def test_both_copies_of_a_private_message_are_edited(circle: Circle) -> None:
    mine, theirs = private(circle)
    ears = [circle.listen("ana", "@ana"), circle.listen("bob", "@bob"), circle.listen("eva", "lobby")]
    edited = edit(circle, "ana", "@ana", mine, "psst!")
    assert [event.target for ear in ears for event in ear.of(messages.Edited)] == [mine, theirs]
    assert ears[0].of(messages.Edited)[0].seq == edited.seq
    for key, seq in (("ana", mine), ("bob", theirs)):
        assert shown(circle, key, f"@{key}", seq).text == "psst!"
    entries = history(circle, "bob", "@bob")
    assert [entry.prev for entry in entries[1:]] == [entry.seq for entry in entries[:-1]]


def test_a_note_to_oneself_is_edited_and_taken_back(circle: Circle) -> None:
    note = circle.direct("ana", "ana", "milk")
    edit(circle, "ana", "@ana", note.seq, "oat milk")
    assert shown(circle, "ana", "@ana", note.seq).text == "oat milk"
    retract(circle, "ana", "@ana", note.seq)
    assert [entry.seq for entry in history(circle, "ana", "@ana") if isinstance(entry, messages.DirectMessage)] == [
        note.seq
    ]
    assert shown(circle, "ana", "@ana", note.seq).retracted


@pytest.mark.parametrize("text", ["", "  \n ", "a\x1b[31m", "\x00"])
def test_an_edit_obeys_the_rules_of_texts(circle: Circle, text: str) -> None:
    said = circle.say("ana", "lobby", "hola")
    assert edit(circle, "ana", "lobby", said.seq, text).code == "bad-text"


# Who may do what, and where


def test_nobody_changes_what_is_not_theirs(circle: Circle) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    mine, theirs = private(circle)
    assert edit(circle, "bob", "lobby", said).code == "forbidden"
    assert retract(circle, "bob", "lobby", said).code == "forbidden"
    assert edit(circle, "bob", "@bob", theirs).code == "forbidden"
    assert retract(circle, "bob", "@bob", theirs).code == "forbidden"
    assert edit(circle, "bob", "@ana", mine).code == "no-such-log"
    assert retract(circle, "eva", "@bob", theirs).code == "no-such-log"
    assert react(circle, "eva", "@bob", theirs).code == "no-such-log"
    assert retract(circle, "ana", "@ana", theirs).code == "no-such-message", "it stands in another log"
    assert shown(circle, "bob", "@bob", theirs).text == "psst"


def test_not_even_the_operator_changes_private_messages_or_edits_those_of_others(circle: Circle) -> None:
    ana = circle.chat._state.accounts[1]
    ana.row = ana.row._replace(operator=True)
    sent = circle.direct("bob", "ana", "psst")
    place = history(circle, "ana", "@ana")[-1].seq
    said = circle.say("bob", "lobby", "hola").seq
    assert retract(circle, "ana", "@ana", place).code == "forbidden"
    assert edit(circle, "ana", "lobby", said).code == "forbidden"
    assert isinstance(retract(circle, "ana", "lobby", said), messages.Sent)
    assert not shown(circle, "bob", "@bob", sent.seq).retracted


def test_who_made_the_room_takes_back_what_others_said_there(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="den"))
    circle.ask("bob", messages.Join(room="den"))
    circle.ask("eva", messages.Join(room="den"))
    said = circle.say("bob", "den", "rude words").seq
    assert retract(circle, "eva", "den", said).code == "forbidden"
    ear = circle.listen("bob", "den")
    assert isinstance(retract(circle, "ana", "DEN", said), messages.Sent)
    (event,) = ear.of(messages.Retracted)
    assert (event.sender, event.target) == ("ana", said)
    assert shown(circle, "bob", "den", said).text == ""


@pytest.mark.parametrize("change", [edit, retract, react])
def test_what_may_not_be_read_is_not_changed(circle: Circle, change: Any) -> None:
    circle.ask("ana", messages.Create(room="open"))
    public = circle.say("ana", "open", "hola").seq
    assert change(circle, "bob", "open", public).code == "not-member"
    circle.ask("ana", messages.Create(room="den", private=True, kept=True))
    before = circle.say("ana", "den", "before").seq
    assert change(circle, "bob", "den", before).code == "no-such-log"
    circle.ask("ana", messages.Invite(room="den", login="bob"))
    assert change(circle, "bob", "den", before).code == "no-such-log", "invited is not joined"
    circle.ask("bob", messages.Join(room="den"))
    assert change(circle, "bob", "den", before).code == "no-such-message"
    assert change(circle, "bob", "lobby", before).code == "no-such-message", "it stands in another log"
    assert change(circle, "bob", "lobby", 10_000).code == "no-such-message"
    assert change(circle, "bob", "nowhere", 1).code == "no-such-log"
    own = circle.say("ana", "den", "after").seq
    circle.ask("ana", messages.Leave(room="den"))
    assert change(circle, "ana", "den", own).code == "no-such-log", "not even one's own, after leaving"


def test_a_change_is_no_message_to_be_changed(circle: Circle) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    edited = edit(circle, "ana", "lobby", said).seq
    for change in (edit, retract, react):
        assert change(circle, "ana", "lobby", edited).code == "no-such-message"


# Retractions


def test_a_retraction_erases_text_and_reactions_for_good(circle: Circle) -> None:
    said = circle.say("ana", "lobby", "a secret").seq
    edited = edit(circle, "ana", "lobby", said, "a worse secret").seq
    react(circle, "bob", "lobby", said)
    back = retract(circle, "ana", "lobby", said)
    message = shown(circle, "bob", "lobby", said)
    assert (message.text, message.retracted, message.reactions, message.changed) == ("", True, [], back.seq)
    assert shown(circle, "bob", "lobby", edited).text == ""
    assert edit(circle, "ana", "lobby", said).code == "no-such-message"
    assert react(circle, "bob", "lobby", said).code == "no-such-message"
    assert isinstance(retract(circle, "ana", "lobby", said), messages.Sent), "again does no harm"
    assert shown(circle, "bob", "lobby", said).text == ""


def test_both_copies_of_a_private_message_are_taken_back(circle: Circle) -> None:
    mine, theirs = private(circle)
    react(circle, "bob", "@bob", theirs)
    retract(circle, "ana", "@ana", mine)
    for key, seq in (("ana", mine), ("bob", theirs)):
        message = shown(circle, key, f"@{key}", seq)
        assert (message.text, message.retracted, message.reactions) == ("", True, [])


# Reactions


def views(message: Any) -> list[tuple[str, int, bool]]:
    return [(view.emoji, view.count, view.mine) for view in message.reactions]


def test_reactions_are_counted_in_the_order_of_first_use(circle: Circle) -> None:
    ear = circle.listen("eva", "lobby")
    said = circle.say("ana", "lobby", "hola").seq
    for key, emoji in (("bob", "🎉"), ("ana", "👍"), ("eva", "🎉"), ("bob", "👍"), ("bob", "❤️")):
        react(circle, key, "lobby", said, emoji)
    assert views(shown(circle, "eva", "lobby", said)) == [("🎉", 2, True), ("👍", 2, False), ("❤️", 1, False)]
    assert views(shown(circle, "ana", "lobby", said)) == [("🎉", 2, False), ("👍", 2, True), ("❤️", 1, False)]
    assert [(event.sender, event.emoji, event.on) for event in ear.of(messages.Reacted)][-1] == ("bob", "❤️", True)
    react(circle, "bob", "lobby", said, "🎉", on=False)
    react(circle, "bob", "lobby", said, "🎉", on=False)
    react(circle, "eva", "lobby", said, "🎉")
    assert views(shown(circle, "bob", "lobby", said)) == [("🎉", 1, False), ("👍", 2, True), ("❤️", 1, True)]
    react(circle, "eva", "lobby", said, "🎉", on=False)
    last = react(circle, "eva", "lobby", said, "🎉")
    assert [emoji for emoji, *_ in views(shown(circle, "bob", "lobby", said))] == ["👍", "❤️", "🎉"]
    assert shown(circle, "bob", "lobby", said).changed == last.seq


def test_a_reaction_tells_how_many_there_are_whoever_puts_one_twice(circle: Circle) -> None:
    ear = circle.listen("eva", "lobby")
    said = circle.say("ana", "lobby", "hola").seq
    for key, on in (("bob", True), ("bob", True), ("ana", True), ("bob", False), ("bob", False), ("ana", False)):
        react(circle, key, "lobby", said, "👍", on=on)
    assert [event.count for event in ear.of(messages.Reacted)] == [1, 1, 2, 1, 1, 0]
    react(circle, "eva", "lobby", said, "👍")
    told = [entry.count for entry in history(circle, "bob", "lobby") if isinstance(entry, messages.Reacted)]
    assert told == [1] * 7


def test_both_copies_of_a_private_message_show_the_same_reactions(circle: Circle) -> None:
    mine, theirs = private(circle)
    react(circle, "bob", "@bob", theirs, "👍")
    react(circle, "ana", "@ana", mine, "🎉")
    assert views(shown(circle, "ana", "@ana", mine)) == [("👍", 1, False), ("🎉", 1, True)]
    assert views(shown(circle, "bob", "@bob", theirs)) == [("👍", 1, True), ("🎉", 1, False)]


def emoji(number: int) -> str:
    return chr(0x1F600 + number)


def test_a_message_takes_so_many_different_emoji(circle: Circle) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    for number in range(REACTIONS):
        assert isinstance(react(circle, "ana", "lobby", said, emoji(number)), messages.Sent)
    assert react(circle, "bob", "lobby", said, emoji(REACTIONS)).code == "too-many"
    assert isinstance(react(circle, "bob", "lobby", said, emoji(3)), messages.Sent), "one that is there"
    assert isinstance(react(circle, "bob", "lobby", said, emoji(REACTIONS), on=False), messages.Sent)
    react(circle, "ana", "lobby", said, emoji(0), on=False)
    assert isinstance(react(circle, "bob", "lobby", said, emoji(REACTIONS)), messages.Sent)


@pytest.mark.parametrize("text", ["ok", "+1", "👍👍", "👍 ", "\u200d", "👍\u202e"])
def test_a_reaction_is_one_emoji(circle: Circle, text: str) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    assert react(circle, "ana", "lobby", said, text).code == "bad-text"


# Once


def again(circle: Circle, key: str, command: messages.Command) -> Any:
    """Ask for the same once more, by a broker that has been started anew."""
    circle.start()
    return circle.ask(key, command)


@pytest.mark.parametrize("kind", ["edit", "retract", "react", "answer"])
def test_a_resend_is_answered_with_the_old_place_after_a_restart_too(circle: Circle, kind: str) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    command: messages.Command = {
        "edit": messages.Edit(log="lobby", seq=said, text="hello", nonce=nonce()),
        "retract": messages.Retract(log="lobby", seq=said, nonce=nonce()),
        "react": messages.React(log="lobby", seq=said, emoji="👍", nonce=nonce()),
        "answer": messages.Send(room="lobby", text="yes", nonce=nonce(), reply_to=said),
    }[kind]
    first = circle.ask("ana", command)
    circle.later(1)
    # What it did is undone meanwhile, and must not be done once more.
    if kind == "edit":
        edit(circle, "ana", "lobby", said, "hello again")
    elif kind == "react":
        react(circle, "ana", "lobby", said, "👍", on=False)
    before = history(circle, "bob", "lobby")
    ear = circle.listen("bob", "lobby")
    for second in (circle.ask("ana", command), again(circle, "ana", command)):
        assert (second.seq, second.time) == (first.seq, first.time)
    assert history(circle, "bob", "lobby") == before
    assert [event for _, event in ear.heard if isinstance(event, messages.Entry)] == []


@pytest.mark.parametrize("kind", ["edit", "react"])
def test_a_resend_is_known_though_the_message_was_taken_back_meanwhile(circle: Circle, kind: str) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    change = {"edit": edit, "react": react}[kind]
    first = change(circle, "ana", "lobby", said, number=7)
    retract(circle, "ana", "lobby", said)
    assert change(circle, "ana", "lobby", said, number=7).seq == first.seq
    assert shown(circle, "bob", "lobby", said).text == ""
    assert shown(circle, "bob", "lobby", said).reactions == []


# Races: what was looked at is another by the time that something is done to it.


def test_an_edit_that_comes_after_a_retraction_brings_nothing_back(circle: Circle) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    with circle.pondering():
        edit(circle, "ana", "lobby", said, "still here")
        react(circle, "bob", "lobby", said)
        circle.store.commit([ports.NewEntries("retract", (1,), 1, 0, "", nonce(), 5, (said,))])
    message = shown(circle, "bob", "lobby", said)
    assert (message.text, message.retracted, message.reactions) == ("", True, [])
    (late,) = [entry for entry in history(circle, "bob", "lobby") if isinstance(entry, messages.Edited)]
    assert late.text == ""


def test_reactions_that_come_together_stay_within_the_bound(circle: Circle) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    with circle.pondering():
        for number in range(REACTIONS + 5):
            react(circle, "ana", "lobby", said, emoji(number))
    assert len(shown(circle, "ana", "lobby", said).reactions) == REACTIONS


@pytest.mark.parametrize("change", [edit, retract, react])
def test_whoever_leaves_meanwhile_changes_nothing(circle: Circle, change: Any) -> None:
    circle.ask("bob", messages.Create(room="den", kept=True))
    circle.ask("ana", messages.Join(room="den"))
    said = circle.say("ana", "den", "hola").seq
    circle.replies.clear()
    with circle.pondering():
        change(circle, "ana", "den", said)
        circle.ask("ana", messages.Leave(room="den"))
    assert [type(reply) for reply in circle.replies.values() if isinstance(reply, ChatError)] == [NotMember]
    assert not shown(circle, "bob", "den", said).changed


@pytest.mark.parametrize("change", [edit, retract, react])
def test_a_room_that_was_made_anew_meanwhile_is_another(circle: Circle, change: Any) -> None:
    circle.ask("ana", messages.Create(room="den", kept=True))
    said = circle.say("ana", "den", "hola").seq
    circle.replies.clear()
    with circle.pondering():
        change(circle, "ana", "den", said)
        circle.ask("ana", messages.Delete(room="den"))
        circle.ask("ana", messages.Create(room="den"))
    assert [type(reply) for reply in circle.replies.values() if isinstance(reply, ChatError)] == [NoSuchLog]


@pytest.mark.parametrize("change", [edit, retract])
def test_a_nonce_that_is_forgotten_meanwhile_lets_nobody_change_what_is_not_theirs(circle: Circle, change: Any) -> None:
    said = circle.say("bob", "lobby", "hola").seq
    circle.ask("ana", messages.Create(room="attic"))
    circle.ask("ana", messages.Send(room="attic", text="mine", nonce=nonce(9)))
    circle.ask("ana", messages.Delete(room="attic"))
    with circle.pondering():
        change(circle, "ana", "lobby", said, number=9)
        while isinstance(circle.store, SqliteStore) and circle.store.purge():
            pass
    (entry,) = history(circle, "eva", "lobby")
    assert (entry.seq, entry.text) == (said, "hola")


def test_whoever_logs_out_meanwhile_changes_nothing(circle: Circle) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    circle.replies.clear()
    with circle.pondering():
        edit(circle, "ana", "lobby", said)
        circle.ask("ana", messages.Logout())
    assert [reply.code for reply in circle.replies.values() if isinstance(reply, ChatError)] == ["not-logged-in"]
    assert shown(circle, "bob", "lobby", said).text == "hola"


def test_a_change_in_flight_when_its_room_is_deleted_is_refused(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="den"))
    said = circle.say("ana", "den", "hola").seq
    circle.replies.clear()
    with circle.holding():
        circle.ask("ana", messages.Delete(room="den"))
        assert edit(circle, "ana", "den", said).code == "no-such-log"
    circle.ask("ana", messages.Create(room="den"))
    said = circle.say("ana", "den", "hola").seq
    with circle.holding():
        number = next(iter(circle._ids))
        edit(circle, "ana", "den", said)
        circle.ask("ana", messages.Delete(room="den"))
    assert circle.replies[number + 1].code == "no-such-room"


def test_a_failing_store_refuses_the_change_and_broadcasts_nothing(circle: Circle) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    ear = circle.listen("bob", "lobby")
    with circle.holding(fail=True):
        number = next(iter(circle._ids))
        edit(circle, "ana", "lobby", said)
    assert circle.replies.pop(number + 1).code == "storage-failed"
    assert ear.of(messages.Edited) == []
    assert shown(circle, "bob", "lobby", said).text == "hola"


def test_changes_are_counted_as_messages_are(circle: Circle) -> None:
    slow = Circle(settings=ChatSettings(posts=Rate(1.0, 4)))
    slow.register("ana")
    said = slow.say("ana", "lobby", "hola").seq
    for change in (edit, react, retract):
        assert isinstance(change(slow, "ana", "lobby", said), messages.Sent)
    refused = retract(slow, "ana", "lobby", said)
    assert (refused.code, refused.retry_after > 0) == ("rate-limited", True)


def test_what_erases_long_texts_counts_for_more() -> None:
    circle = Circle(settings=ChatSettings(posts=Rate(1.0, 10)))
    circle.register("ana")
    long = circle.say("ana", "lobby", "hola " * (POST_CHARACTERS // 5 * 4)).seq
    assert isinstance(edit(circle, "ana", "lobby", long), messages.Sent)
    circle.later(10)
    longest = circle.say("ana", "lobby", "hola " * 1_600).seq
    for change in (edit, retract):
        refused = change(circle, "ana", "lobby", longest)
        assert (refused.code, refused.retry_after > 0) == ("rate-limited", True)
        # It counts for more than there may ever be at once, and is done all the same once there is so much.
        circle.later(refused.retry_after)
        assert isinstance(change(circle, "ana", "lobby", longest), messages.Sent)
        assert circle.say("ana", "lobby", "hola").code == "rate-limited"
        circle.later(10)
        longest = circle.say("ana", "lobby", "hola " * 1_600).seq
    assert isinstance(react(circle, "ana", "lobby", longest), messages.Sent)


def test_a_busy_broker_says_so(circle: Circle) -> None:
    said = circle.say("ana", "lobby", "hola").seq
    circle.busy = True
    assert edit(circle, "ana", "lobby", said).code == "busy"


def test_a_plain_message_asks_no_worker(circle: Circle) -> None:
    circle.busy = True
    assert isinstance(circle.say("ana", "lobby", "hola"), messages.Sent)
    assert isinstance(circle.direct("ana", "bob", "hola"), messages.Sent)
    assert circle.store.read_log(ReadLog(1, None, None, 9, 999)).entries

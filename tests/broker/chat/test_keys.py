"""Keys that log in by themselves, and what their scopes let a session do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from broker.chat import rights
from broker.chat.bots import AddBot, ListBots, RevokeBot
from broker.chat.operators import DisableUser, SetUserPassword
from broker.chat.settings import ChatSettings
from common import keys, messages, names
from common.limits import GRACE_S, KEYS_PER_ACCOUNT, SESSION_DAYS, SESSIONS_PER_ACCOUNT
from common.messages import OPS
from common.scopes import ALL
from tests.support.bad_input import VALID
from tests.support.circle import Circle

HELLO = messages.Hello(versions=[1], client="a script")


@pytest.fixture
def circle() -> Circle:
    """Ana, who made the rooms dev and den, and is in both; Bob, who is in the lobby."""
    circle = Circle()
    for login in ("ana", "bob"):
        circle.register(login)
        circle.listen(login, f"@{login}", "lobby")
    for room in ("dev", "den"):
        circle.ask("ana", messages.Create(room=room, kept=True))
    return circle


def public(number: int) -> bytes:
    return bytes([number]) * 32


def named(number: int) -> str:
    """What the connections of that key are called."""
    return keys.user_id(public(number))


def add(circle: Circle, number: int, *scopes: str, by: str = "ana") -> Any:
    """Register a key for whoever asks."""
    return circle.ask(by, messages.KeyAdd(key=public(number), name=f"key {number}", scopes=list(scopes)))


def enter(circle: Circle, number: int, *scopes: str, by: str = "ana") -> str:
    """Register a key and log in with it; its connections' name."""
    assert add(circle, number, *scopes, by=by).ok
    assert circle.ask(named(number), HELLO).session is not None
    return named(number)


def bot(circle: Circle, number: int, *scopes: str, login: str = "dice") -> str:
    added = circle.operate(AddBot(login=login, key=public(number), key_name="a file", scopes=list(scopes)))
    assert added.ok, added
    return named(number)


# Logging in.


def test_a_key_that_nobody_can_hold_is_refused(circle: Circle) -> None:
    refused = add(circle, 0, "read:dev")
    assert (refused.code, refused.message) == (
        "bad-request",
        "Nobody can hold the other half of that key; make a key pair.",
    )
    assert circle.ask(named(0), HELLO).session is None


def test_whoever_holds_a_key_is_in_with_hello_alone(circle: Circle) -> None:
    added = add(circle, 1, "write:lobby", "read:lobby")
    assert added.key.scopes == ["read:lobby", "write:lobby"]
    assert (added.key.seen, added.key.online) == (None, False)
    state = circle.ask(named(1), HELLO).session
    assert (state.login, state.scopes, state.bot) == ("ana", ["read:lobby", "write:lobby"], False)
    (shown,) = circle.ask("ana", messages.Keys()).keys
    assert (shown.key, shown.name, shown.online, shown.seen) == (public(1), "key 1", True, circle.now.time)


def test_a_password_leaves_the_session_all_that_its_account_may(circle: Circle) -> None:
    assert circle.ask("ana", HELLO).session.scopes is None


def test_hello_twice_is_one_session(circle: Circle) -> None:
    add(circle, 1, *ALL)
    with circle.holding():
        assert circle.ask(named(1), HELLO) is None
        assert circle.ask(named(1), HELLO) is None
    assert len(circle.ask("ana", messages.Sessions()).sessions) == 2


def test_a_login_that_cannot_be_kept_is_taken_back(circle: Circle) -> None:
    add(circle, 1, *ALL)
    with circle.holding(fail=True):
        circle.ask(named(1), HELLO)
    assert len(circle.ask("ana", messages.Sessions()).sessions) == 1
    assert circle.ask(named(1), HELLO).session.login == "ana"


@pytest.mark.parametrize("what", ["login", "register"])
def test_a_registered_key_logs_in_to_its_account_alone(circle: Circle, what: str) -> None:
    add(circle, 1, "direct")
    refused = circle.log_in("bob", named(1)) if what == "login" else circle.register("eva", named(1))
    assert refused.code == "already-logged-in"
    assert circle.ask(named(1), HELLO).session.login == "ana"


def test_a_login_under_way_while_its_key_is_registered_is_refused(circle: Circle) -> None:
    with circle.pondering():
        circle.log_in("bob", named(1))
        add(circle, 1, "direct")
    assert circle.ask(named(1), HELLO).session.login == "ana"


def test_logged_out_the_key_is_still_good_and_was_seen(circle: Circle) -> None:
    key = enter(circle, 1, *ALL)
    seen = circle.now.time
    circle.ask(key, messages.Logout())
    circle.later(GRACE_S)
    circle.start()
    circle.listen("ana")
    (shown,) = circle.ask("ana", messages.Keys()).keys
    assert (shown.seen, shown.online) == (seen, False)
    assert circle.ask(key, HELLO).session.login == "ana"


def test_a_session_by_key_outlives_the_days_of_others(circle: Circle) -> None:
    key = enter(circle, 1, "read:lobby")
    circle.log_in("ana", "laptop")
    circle.later(GRACE_S)
    circle.now = circle.now._replace(time=circle.now.time + (SESSION_DAYS + 1) * 86_400_000, mono=circle.now.mono + 9e6)
    circle.later(0.2)
    held = circle.chat.has_session
    assert (held(key), held("laptop")) == (True, False)
    circle.start()
    assert circle.chat.has_session(key)
    assert circle.ask(key, messages.Ping()).heads.keys() == {"lobby"}


def test_sessions_by_key_are_not_counted_with_the_others(circle: Circle) -> None:
    key = enter(circle, 1, "read:lobby")
    circle.later(GRACE_S)
    for number in range(SESSIONS_PER_ACCOUNT):
        circle.log_in("ana", f"device {number}")
    assert circle.chat.has_session(key)
    assert len(circle.ask("device 99", messages.Sessions()).sessions) == SESSIONS_PER_ACCOUNT + 1


def test_scopes_are_there_again_after_a_start(circle: Circle) -> None:
    key = enter(circle, 1, "read:dev")
    circle.start()
    assert circle.ask(key, HELLO).session.scopes == ["read:dev"]
    assert circle.say(key, "dev", "hi").code == "forbidden"


def test_a_session_that_was_forgotten_does_not_come_back_by_anothers_key(circle: Circle) -> None:
    circle.log_in("ana", named(1))
    circle.now = circle.now._replace(time=circle.now.time + (SESSION_DAYS + 1) * 86_400_000)
    for device in ("ana", named(1)):
        circle.ask(device, messages.Bye())
    circle.start()
    circle.now = circle.now._replace(time=circle.now.time + (SESSION_DAYS + 1) * 86_400_000)
    circle.start()
    assert not circle.chat.has_session(named(1))
    circle.log_in("bob", "bob")
    key = enter(circle, 1, *ALL, by="bob")
    circle.ask(key, messages.Logout())
    circle.start()
    assert not circle.chat.has_session(key)
    assert circle.ask(key, HELLO).session.login == "bob"
    circle.log_in("ana", "ana")
    (shown,) = circle.ask("ana", messages.Sessions()).sessions
    assert shown.current


# Adding and revoking.


@pytest.mark.parametrize("scopes", [["read"], [""], ["read:"], ["all"], ["write:a b"], ["direct:x"]])
def test_what_is_no_scope_is_refused(circle: Circle, scopes: list[str]) -> None:
    assert add(circle, 1, *scopes).code in ("bad-request", "bad-name")
    assert circle.ask("ana", messages.Keys()).keys == []


def test_a_key_that_somebody_uses_is_refused(circle: Circle) -> None:
    enter(circle, 1, "direct")
    circle.log_in("bob", named(2))
    for number in (1, 2):
        assert add(circle, number, *ALL, by="bob").code == "forbidden"
    assert circle.operate(AddBot(login="dice", key=public(1), key_name="f", scopes=["direct"])).code == "forbidden"
    assert circle.ask("ana", messages.Profile(login="dice")).code == "no-such-user"


def test_there_are_only_so_many(circle: Circle) -> None:
    for number in range(1, KEYS_PER_ACCOUNT + 1):
        assert add(circle, number, "direct").ok
    assert add(circle, 99, "direct").code == "too-many"


def test_a_key_hands_out_no_more_than_it_has(circle: Circle) -> None:
    enter(circle, 1, "account", "read:*", "write:dev")
    by = named(1)
    assert add(circle, 2, "read:dev", "write:dev", by=by).ok
    for asked in ("write:den", "write:*", "direct", "admin"):
        assert add(circle, 3, asked, by=by).code == "forbidden"


def test_another_account_knows_nothing_of_ones_keys(circle: Circle) -> None:
    number = add(circle, 1, "direct").key.id
    assert circle.ask("bob", messages.Keys()).keys == []
    assert circle.ask("bob", messages.KeyRevoke(key=number)).code == "no-such-key"


def test_a_revoked_key_is_cut_off_and_nobody_any_more(circle: Circle) -> None:
    added = add(circle, 1, "read:lobby", "write:lobby")
    circle.ask(named(1), HELLO)
    ear = circle.listen(named(1), "lobby")
    ear.take()
    assert circle.ask("ana", messages.KeyRevoke(key=added.key.id)).ok
    assert [event.reason for event in ear.of(messages.Ended)] == ["revoked"]
    assert not ear.open
    circle.say("ana", "lobby", "among us")
    assert ear.of(messages.Message) == []
    assert circle.say(named(1), "lobby", "hi").code == "not-logged-in"
    assert circle.ask(named(1), HELLO).session is None
    assert not circle.subscribe(circle.listen(named(1)), "lobby")
    circle.start()
    assert circle.ask(named(1), HELLO).session is None


def test_a_revocation_that_cannot_be_kept_is_taken_back(circle: Circle) -> None:
    added = add(circle, 1, "read:lobby")
    circle.ask(named(1), HELLO)
    with circle.holding(fail=True):
        circle.ask("ana", messages.KeyRevoke(key=added.key.id))
    assert circle.ask(named(1), HELLO).session.login == "ana"
    assert len(circle.ask("ana", messages.Keys()).keys) == 1


def test_the_session_of_a_key_ends_with_the_key_alone(circle: Circle) -> None:
    key = enter(circle, 1, *ALL)
    (mine,) = [view for view in circle.ask("ana", messages.Sessions()).sessions if not view.current]
    assert circle.ask("ana", messages.Revoke(session=mine.id)).code == "forbidden"
    assert circle.ask("ana", messages.Password(old="password of ana", new="another one")).ok
    assert circle.operate(SetUserPassword(login="ana", password="yet another")).ok
    assert circle.ask(key, messages.Ping()).ok


def test_a_disabled_account_s_key_is_cut_off_until_it_is_enabled(circle: Circle) -> None:
    key = enter(circle, 1, "read:lobby")
    ear = circle.listen(key, "lobby")
    circle.operate(DisableUser(login="ana"))
    assert [event.reason for event in ear.of(messages.Ended)] == ["disabled"]
    assert not ear.open
    assert circle.ask(key, HELLO).code == "account-disabled"
    circle.operate(DisableUser(login="ana", disabled=False))
    assert circle.ask(key, HELLO).session.login == "ana"


# Bots.


def test_a_bot_is_made_with_its_key_and_has_no_password(circle: Circle) -> None:
    key = bot(circle, 1, "read:lobby", "write:lobby")
    state = circle.ask(key, HELLO).session
    assert (state.login, state.bot, [room.name for room in state.rooms]) == ("dice", True, ["lobby"])
    for password in ("", " ", "password of dice"):
        assert circle.ask("k", messages.Login(login="dice", password=password)).code == "wrong-password"
    assert circle.operate(SetUserPassword(login="dice", password="long enough")).code == "forbidden"
    assert circle.ask("ana", messages.Profile(login="dice")).bot
    assert [view.bot for view in circle.ask("ana", messages.Users()).users] == [False, False, True]
    assert [view.bot for view in circle.ask("ana", messages.Members(room="lobby")).members] == [False, False, True]


def test_a_second_key_for_a_bot_and_another_name(circle: Circle) -> None:
    first = circle.operate(AddBot(login="dice", key=public(1), key_name="a", scopes=["read:*"], name="Dice"))
    second = circle.operate(AddBot(login="DICE", key=public(2), key_name="b", scopes=["direct"]))
    assert (first.made, second.made, second.login) == (True, False, "dice")
    (listed,) = circle.operate(ListBots()).bots
    assert (listed.name, [key.name for key in listed.keys]) == ("Dice", ["a", "b"])
    assert circle.operate(RevokeBot(login="dice", key=second.key.id)).keys == 1
    assert circle.operate(RevokeBot(login="dice")).keys == 1
    assert circle.operate(RevokeBot(login="dice", key=first.key.id)).code == "no-such-key"


def test_a_persons_account_is_no_bots(circle: Circle) -> None:
    assert circle.operate(AddBot(login="ana", key=public(1), key_name="a", scopes=["direct"])).code == "forbidden"
    assert circle.operate(RevokeBot(login="ana")).code == "forbidden"


def test_a_bot_has_no_say_over_its_keys(circle: Circle) -> None:
    asked = AddBot(login="dice", key=public(1), key_name="a", scopes=["read:*", "account"])
    assert circle.operate(asked).code == "forbidden"
    assert circle.operate(ListBots()).bots == []


def test_a_bot_that_may_not_be_in_the_default_room_is_not(circle: Circle) -> None:
    key = bot(circle, 1, "read:dev", "write:dev")
    ear = circle.listen(key)
    assert circle.ask(key, HELLO).session.rooms == []
    assert circle.ask(key, messages.Join(room="lobby")).code == "forbidden"
    assert circle.ask(key, messages.Join(room="dev")).room.joined
    assert circle.ask(key, messages.Leave(room="dev")).ok
    assert circle.ask(key, messages.Ping()).heads == {}
    members = circle.ask("ana", messages.Members(room="lobby")).members
    assert "dice" not in [member.login for member in members]
    assert [type(event).__name__ for _, event in ear.heard][-2:] == ["JoinedRoom", "LeftRoom"]


# What scopes let a session do.

PRECISE = {
    "read": "read:dev",
    "write": "write:dev",
    "direct": "direct",
    "create": "create",
    "admin": "admin",
    "account": "account",
}


def prepared(circle: Circle, *scopes: str) -> str:
    """A session by a key of those scopes, of Ana, who is in dev and den."""
    circle.say("ana", "dev", "the first", nonce=7)
    return enter(circle, 1, *scopes)


def body(op: str) -> messages.Command:
    """A request of Ana's about the room dev."""
    fields = dict(VALID[op])
    for name in ("room", "log", "talk"):
        if name in fields:
            fields[name] = "dev"
    if op == "create":
        fields["room"] = "attic"
    return msgspec.convert(fields, OPS[op][0])


def test_every_operation_says_what_it_needs() -> None:
    assert set(rights.NEEDS) == {command for command, _ in OPS.values()}


@pytest.mark.parametrize("op", [op for op, (command, _) in OPS.items() if rights.NEEDS[command]])
def test_without_its_scope_an_operation_is_refused_and_the_scope_named(circle: Circle, op: str) -> None:
    needed = rights.NEEDS[OPS[op][0]]
    lacking = [scope for verb, scope in PRECISE.items() if verb not in needed]
    key = prepared(circle, *lacking, "read:den", "write:den")
    refused = circle.ask(key, body(op))
    assert refused.code == "forbidden"
    assert all(PRECISE[verb] in refused.message for verb in needed)


@pytest.mark.parametrize(
    ("op", "verb"), [(op, verb) for op, (command, _) in OPS.items() for verb in rights.NEEDS[command]]
)
def test_one_scope_of_those_it_needs_is_enough(circle: Circle, op: str, verb: str) -> None:
    key = prepared(circle, PRECISE[verb])
    answer = circle.ask(key, body(op))
    assert answer.ok if isinstance(answer, messages.Reply) else "lacks the scope" not in answer.message


@pytest.mark.parametrize("op", [op for op, (command, _) in OPS.items() if not rights.NEEDS[command]])
def test_what_needs_no_scope_is_granted_to_any_key(circle: Circle, op: str) -> None:
    key = prepared(circle, "read:den")
    answer = circle.ask(key, body(op))
    assert isinstance(answer, messages.Reply) or answer.code != "forbidden"


@pytest.mark.parametrize(
    "command",
    [
        messages.History(log="@ana"),
        messages.Search(query="x", log="@ana"),
        messages.Typing(talk="@bob"),
        messages.Mark(talk="@bob", read=1),
        messages.React(log="@ana", seq=1, emoji="\U0001f44d", nonce=b"r" * 16),
        messages.Direct(to="bob", text="x", nonce=b"d" * 16),
    ],
    ids=lambda command: command.op,
)
def test_the_inbox_needs_direct(circle: Circle, command: messages.Command) -> None:
    key = prepared(circle, "read:*", "write:*", "create", "admin", "account")
    assert "direct" in circle.ask(key, command).message


def test_without_admin_a_key_takes_back_only_its_own(circle: Circle) -> None:
    circle.ask("bob", messages.Join(room="dev"))
    said = circle.say("bob", "dev", "hm")
    key = prepared(circle, "write:dev")
    mine = circle.say(key, "dev", "mine")
    assert circle.ask(key, messages.Retract(log="dev", seq=mine.seq, nonce=b"1" * 16)).ok
    assert "admin" in circle.ask(key, messages.Retract(log="dev", seq=said.seq, nonce=b"2" * 16)).message
    assert circle.ask("ana", messages.Retract(log="dev", seq=said.seq, nonce=b"3" * 16)).ok


def test_with_create_a_key_deletes_what_its_account_made_and_no_more(circle: Circle) -> None:
    circle.operate(DisableUser(login="bob", disabled=False))
    circle.ask("bob", messages.Create(room="bobs", kept=True))
    circle.chat._state.account("ana").row = circle.chat._state.account("ana").row._replace(operator=True)  # type: ignore[union-attr]
    key = enter(circle, 1, "create")
    assert "admin" in circle.ask(key, messages.Delete(room="bobs")).message
    assert circle.ask(key, messages.Delete(room="den")).ok


def test_a_scope_is_of_the_room_however_its_name_is_written(circle: Circle) -> None:
    key = enter(circle, 1, "read:DEV", "write:Ｄｅｖ")
    assert circle.ask(key, HELLO).session.scopes == ["read:DEV", "write:Ｄｅｖ"]
    assert circle.say(key, "Dev", "hi").ok
    assert circle.ask(key, messages.History(log="DEV")).ok


def test_a_name_that_is_compared_as_several_words_opens_no_room_called_like_one_of_them(circle: Circle) -> None:
    whole = "\ufdfa"
    word = names.key(whole).split()[0]
    for room in (whole, word):
        assert circle.ask("ana", messages.Create(room=room, kept=True)).ok
    key = enter(circle, 1, f"read:{whole}")
    assert circle.ask(key, messages.History(log=whole)).ok
    assert circle.ask(key, messages.History(log=word)).code == "forbidden"


def test_to_enter_a_room_takes_the_account_out_of_none_that_is_out_of_the_keys_reach(circle: Circle) -> None:
    circle.ask("ana", messages.Enter(room="dev"))
    circle.ask("ana", messages.Join(room="lobby"))
    key = enter(circle, 1, "read:dev", "read:den")
    assert circle.ask(key, messages.Enter(room="dev")).current == "dev"
    assert {"ana", "bob"} == {member.login for member in circle.ask("bob", messages.Members(room="lobby")).members}
    circle.ask("ana", messages.Enter(room="lobby"))
    circle.ask(key, messages.Enter(room="den"))
    assert "dev" not in circle.ask("ana", messages.Ping()).heads, "where it may be it moves as anybody does"


def test_a_key_that_is_in_the_default_room_by_name_alone_keeps_nobody_there(circle: Circle) -> None:
    enter(circle, 1, "read:dev")
    circle.ask("ana", messages.Enter(room="dev"))
    assert "lobby" not in circle.ask("ana", messages.Ping()).heads


# What is told.


def test_of_a_room_that_it_may_not_read_a_session_is_told_nothing(circle: Circle) -> None:
    for room in ("dev", "den"):
        circle.say("ana", room, "a secret word")
    key = enter(circle, 1, "read:dev", "write:den", "direct")
    dev, den = circle.chat._state.room("dev"), circle.chat._state.room("den")
    assert dev is not None
    assert den is not None
    assert circle.ask(key, messages.Ping()).heads == {"dev": dev.head, "@ana": 0}
    state = circle.ask(key, HELLO).session
    assert {room.name: room.head for room in state.rooms} == {"dev": dev.head, "den": 0}
    listed = {room.name: room.head for room in circle.ask(key, messages.Rooms()).rooms}
    assert listed == {"dev": dev.head, "den": 0, "lobby": 0}
    hits = circle.ask(key, messages.Search(query="secret")).hits
    assert [hit.log for hit in hits] == ["dev"]
    assert circle.ask(key, messages.Join(room="den")).room.head == 0


def test_a_profile_is_told_to_a_key_without_account_as_to_anybody(circle: Circle) -> None:
    circle.ask("ana", messages.UpdateProfile(show_seen=False))
    account = circle.chat._state.account("ana")
    assert account is not None
    account.row = account.row._replace(operator=True)
    narrow, whole = enter(circle, 1, "read:dev"), enter(circle, 2, "account")
    for login in ("ana", "bob"):
        told = circle.ask(narrow, messages.Profile(login=login))
        assert (told.age, told.gender, told.show_seen) == (None, None, None)
        assert (told.seen is None) == (login == "ana")
        assert circle.ask(whole, messages.Profile(login=login)).age == 30


def test_where_one_came_in_is_not_told_either(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="attic", kept=True, private=True))
    circle.say("ana", "attic", "before Bob")
    circle.ask("ana", messages.Invite(room="attic", login="bob"))
    assert circle.ask("bob", messages.Join(room="attic")).room.since
    key = enter(circle, 1, "write:attic", by="bob")
    (attic,) = circle.ask(key, HELLO).session.rooms
    assert (attic.joined, attic.since) == (True, 0)


@pytest.mark.parametrize("scope", ["direct", "read:dev", "write:dev"])
def test_a_topic_is_granted_by_scope(circle: Circle, scope: str) -> None:
    key = enter(circle, 1, scope)
    ear = circle.listen(key)
    granted = {log for log in ("dev", "den", "lobby", "@ana", "@bob") if circle.subscribe(ear, log)}
    assert granted == {"direct": {"@ana"}, "read:dev": {"dev"}, "write:dev": set()}[scope]


def test_two_keys_of_an_account_do_not_widen_each_other(circle: Circle) -> None:
    first, second = enter(circle, 1, "read:dev"), enter(circle, 2, "write:den", "direct")
    assert circle.ask(second, messages.History(log="dev")).code == "forbidden"
    assert circle.say(first, "den", "x").code == "forbidden"
    ears = {key: circle.listen(key) for key in (first, second)}
    granted = {key: {log for log in ("dev", "den", "@ana") if circle.subscribe(ear, log)} for key, ear in ears.items()}
    assert granted == {first: {"dev"}, second: {"@ana"}}


def test_a_key_and_a_login_on_one_connection_do_not_widen_each_other(circle: Circle) -> None:
    key = enter(circle, 1, "read:dev")
    circle.settings = ChatSettings(gateways=frozenset({key}))
    circle.start()
    circle.ask(key, messages.Login(login="bob", password="password of bob"), session="tab")
    ear = circle.listen(key)
    granted = {log for log in ("dev", "den", "lobby", "@ana", "@bob") if circle.subscribe(ear, log)}
    assert granted == {"dev", "lobby", "@bob"}
    assert circle.ask(key, messages.History(log="lobby")).code == "forbidden"
    assert circle.ask(key, messages.History(log="lobby"), session="tab").ok
    number = circle.ask("ana", messages.Keys()).keys[0].id
    circle.ask("ana", messages.KeyRevoke(key=number))
    assert not ear.open
    assert circle.ask(key, messages.Ping(), session="tab").ok


def test_what_is_told_on_the_inbox_reaches_the_beacon_of_who_may_not_hear_it(circle: Circle) -> None:
    key = enter(circle, 1, "read:dev", "read:attic")
    ear = circle.listen(key, "dev")
    ana = circle.listen("ana", "@ana")
    circle.ask("ana", messages.Create(room="attic"))
    circle.ask("ana", messages.Create(room="cellar"))
    circle.ask("ana", messages.Leave(room="attic"))
    circle.ask("ana", messages.Mark(talk="dev", notify="off"))
    beacon = circle.beacon(key)
    assert [(log, event.room.name) for log, event in ear.heard if isinstance(event, messages.JoinedRoom)] == [
        (beacon, "attic")
    ]
    assert [(log, event.name) for log, event in ear.heard if isinstance(event, messages.LeftRoom)] == [
        (beacon, "attic")
    ]
    assert [(log, event.talk) for log, event in ear.heard if isinstance(event, messages.Marked)] == [(beacon, "dev")]
    assert len(ana.of(messages.JoinedRoom)) == 2
    assert {log for log, _ in ana.heard} == {"@ana", circle.beacon("ana")}


def test_an_inbox_that_a_key_hears_says_nothing_of_a_room_that_it_may_not_read(circle: Circle) -> None:
    key = enter(circle, 1, "direct", "write:attic")
    ear, ana = circle.listen(key, "@ana"), circle.listen("ana", "@ana")
    circle.ask("ana", messages.Create(room="attic"))
    circle.say("ana", "attic", "x")
    circle.ask("ana", messages.Mark(talk="attic", read=99))
    circle.ask("ana", messages.Mark(talk="@bob", notify="off"))
    circle.ask("ana", messages.Create(room="cellar"))
    (joined,) = ear.of(messages.JoinedRoom)
    assert (joined.room.name, joined.room.head) == ("attic", 0)
    assert [event.talk for event in ear.of(messages.Marked)] == ["@bob"]
    assert [event.room.name for event in ana.of(messages.JoinedRoom)] == ["attic", "cellar"]
    assert [event.talk for event in ana.of(messages.Marked)] == ["attic", "@bob"]


def test_without_direct_the_session_knows_nothing_of_private_conversations(circle: Circle) -> None:
    circle.direct("bob", "ana", "psst")
    circle.ask("ana", messages.Mark(talk="@bob", read=1))
    key = enter(circle, 1, "read:*")
    state = circle.ask(key, HELLO).session
    assert (state.inbox, state.talks) == (0, [])
    assert "@ana" not in circle.ask(key, messages.Ping()).heads
    assert circle.ask(key, messages.Search(query="psst")).hits == []


def test_the_page_says_of_each_operation_what_it_needs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "PROTOCOL.md").read_text("utf-8")
    rows = page.partition("| op | needs one of |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    said = {}
    for row in rows:
        ops, scopes = (re.findall(r"`([a-z-]+)`", cell) for cell in row.strip("|").split("|"))
        said.update(dict.fromkeys(ops, tuple(scopes)))
    assert said == {op: rights.NEEDS[command] for op, (command, _) in OPS.items() if rights.NEEDS[command]}

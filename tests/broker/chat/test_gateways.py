"""Gateways: who is one, what their people may do and no more, and whose addresses count."""

from __future__ import annotations

from typing import Any

import pytest

from broker.chat.bots import AddBot, ListBots, RevokeBot
from broker.chat.operators import DisableUser, ListUsers
from broker.chat.settings import ChatSettings
from common import keys, messages
from common.errors import RateLimited
from common.limits import GATEWAY_SESSION_LENGTH, GRACE_S, LOGIN_FAILURES_PER_ADDRESS, PRESENCE_SETTLE_S, Rate
from tests.support.circle import Circle

HELLO = messages.Hello(versions=[1], client="phone")
QUIET = messages.Hello(versions=[1], client="phone", quiet=True)
PUBLIC = bytes([7]) * 32
GATE = keys.user_id(PUBLIC)


@pytest.fixture
def circle() -> Circle:
    """Ana, who said something in her private room den and in the lobby; Bob; and a gateway, which is nobody."""
    circle = Circle()
    for login in ("ana", "bob"):
        circle.register(login)
        circle.listen(login, f"@{login}", "lobby")
    circle.ask("ana", messages.Create(room="den", private=True, kept=True))
    for room in ("lobby", "den"):
        circle.say("ana", room, f"a secret of the {room}")
    register(circle, "gateway")
    return circle


def register(circle: Circle, *scopes: str, public: bytes = PUBLIC, login: str = "web") -> Any:
    added = circle.operate(AddBot(login=login, key=public, key_name="web.key", scopes=list(scopes)))
    assert added.ok
    return added.key


def let_in(circle: Circle, login: str, label: str, key: str = GATE) -> messages.SessionState:
    reply = circle.ask(key, messages.Login(login=login, password=f"password of {login}"), session=label)
    assert isinstance(reply, messages.LoggedIn), reply
    return reply.session


def present(circle: Circle, login: str) -> bool:
    return {user.login: user.online for user in circle.ask("ana", messages.Users()).users}[login]


# Who is a gateway


def test_a_registered_gateway_carries_many(circle: Circle) -> None:
    assert let_in(circle, "ana", "s1").login == "ana"
    assert let_in(circle, "bob", "s2").login == "bob"
    assert circle.ask(GATE, HELLO, session="s1").session.login == "ana"
    assert circle.ask(GATE, HELLO, session="s3").session is None


def test_it_is_nobody_itself_and_appears_nowhere(circle: Circle) -> None:
    assert circle.ask(GATE, HELLO).session is None
    assert circle.ask(GATE, messages.Rooms()).code == "not-logged-in"
    assert "web" not in [member.login for member in circle.ask("ana", messages.Members(room="lobby")).members]


def test_it_is_in_no_list_of_users_unless_it_may_do_more(circle: Circle) -> None:
    def listed() -> list[str]:
        pages = [circle.ask("ana", messages.Users(limit=1, after=after)) for after in ("", "ana", "bob")]
        assert [page.more for page in pages] == [True, len(pages[2].users) == 1, False]
        return [user.login for page in pages for user in page.users]

    assert listed() == ["ana", "bob"]
    register(circle, "gateway", "read:lobby", public=bytes([8]) * 32)
    assert listed() == ["ana", "bob", "web"]


def test_with_other_scopes_it_is_somebody_too_and_its_people_are_not_narrowed_by_them(circle: Circle) -> None:
    both = keys.user_id(bytes([8]) * 32)
    register(circle, "gateway", "write:lobby", public=bytes([8]) * 32, login="bridge")
    assert circle.ask(both, HELLO).session.login == "bridge"
    let_in(circle, "ana", "s1", both)
    assert circle.ask(both, messages.History(log="den"), session="s1").ok
    assert circle.ask(both, messages.History(log="lobby")).code == "forbidden"


def test_only_the_operator_makes_one(circle: Circle) -> None:
    for scopes in (["gateway"], ["read:*", "gateway"], ["gateway", "account"]):
        refused = circle.ask("ana", messages.KeyAdd(key=bytes([9]) * 32, name="mine", scopes=scopes))
        assert refused.code == "forbidden"
    let_in(circle, "ana", "s1")
    refused = circle.ask(GATE, messages.KeyAdd(key=bytes([9]) * 32, name="x", scopes=["gateway"]), session="s1")
    assert refused.code == "forbidden"


def test_nobody_else_names_sessions_or_addresses(circle: Circle) -> None:
    assert circle.ask("ana", messages.Ping(), session="s1").code == "forbidden"
    assert circle.ask("ana", messages.Ping(), person="192.0.2.1").code == "forbidden"
    assert circle.ask("eve", messages.Login(login="ana", password="x"), person="192.0.2.1").code == "forbidden"
    assert circle.ask("ana", messages.Ping()).ok


def test_the_operator_sees_whether_it_is_there(circle: Circle) -> None:
    ear = circle.listen(GATE)
    (web,) = circle.operate(ListBots()).bots
    assert [key.online for key in web.keys] == [True]
    circle.hang_up(ear)
    assert [key.online for key in circle.operate(ListBots()).bots[0].keys] == [False]


def test_a_revoked_one_carries_nobody_any_more(circle: Circle) -> None:
    let_in(circle, "ana", "s1")
    let_in(circle, "bob", "s2")
    ear = circle.listen(GATE, "@ana", "@bob", "lobby", "den")
    assert circle.operate(RevokeBot(login="web")).keys == 1
    assert {(ended.session, ended.reason) for ended in ear.of(messages.Ended)} == {("s1", "revoked"), ("s2", "revoked")}
    assert not ear.open
    for label in ("s1", "s2"):
        assert circle.ask(GATE, messages.Ping(), session=label).code == "forbidden"
    again = circle.listen(GATE, "@ana", "@bob", "lobby", "den")
    assert again.topics & {"@ana", "@bob", "lobby", "den"} == set()
    assert len(circle.ask("ana", messages.Sessions()).sessions) == 1
    assert not circle.chat.has_session(GATE)


def test_what_was_revoked_while_no_broker_ran_is_so_when_it_starts(circle: Circle) -> None:
    let_in(circle, "ana", "s1")
    circle.start()
    assert circle.ask(GATE, HELLO, session="s1").session.login == "ana", "the binding is on disk"
    number = circle.operate(ListBots()).bots[0].keys[0].id
    circle.operate(RevokeBot(login="web", key=number))
    circle.start()
    register(circle, "gateway", login="web")
    assert circle.ask(GATE, HELLO, session="s1").session is None, "what ended does not come back with the key"


def test_a_disabled_account_is_no_gateway(circle: Circle) -> None:
    let_in(circle, "bob", "s2")
    ear = circle.listen(GATE, "@bob", "lobby")
    circle.operate(DisableUser(login="web"))
    assert [(ended.session, ended.reason) for ended in ear.of(messages.Ended)] == [("s2", "revoked")]
    assert not ear.open
    assert circle.ask(GATE, HELLO, session="s2").code == "forbidden"
    circle.start()
    assert circle.ask(GATE, HELLO, session="s2").code == "forbidden"
    circle.operate(DisableUser(login="web", disabled=False))
    assert circle.ask(GATE, HELLO, session="s2").session is None
    assert let_in(circle, "bob", "s2").login == "bob"
    assert {user.login: user.disabled for user in circle.operate(ListUsers()).accounts}["bob"] is False


def test_the_key_of_a_gateway_is_nobodys_else(circle: Circle) -> None:
    refused = circle.ask("ana", messages.KeyAdd(key=PUBLIC, name="mine", scopes=["read:*"]))
    assert refused.code == "forbidden"


# What its people may do


@pytest.mark.parametrize(
    "command",
    [
        messages.History(log="den"),
        messages.Members(room="den"),
        messages.Send(room="den", text="let me in", nonce=b"n" * 16),
        messages.Join(room="den"),
        messages.Enter(room="den"),
        messages.Edit(log="den", seq=1, text="x", nonce=b"n" * 16),
        messages.Retract(log="den", seq=1, nonce=b"n" * 16),
        messages.React(log="den", seq=1, emoji="👍", nonce=b"n" * 16),
        messages.Mark(talk="den", read=1),
        messages.Typing(talk="den"),
        messages.Subject(room="den", subject="mine now"),
        messages.Delete(room="den"),
        messages.History(log="@ana"),
        messages.Search(query="secret", log="den"),
        messages.Search(query="secret", log="@ana"),
    ],
    ids=lambda command: f"{command.op} {getattr(command, 'log', '')}".strip(),
)
def test_one_of_them_may_not_what_another_may(circle: Circle, command: messages.Command) -> None:
    let_in(circle, "ana", "s1")
    let_in(circle, "bob", "s2")
    before = circle.ask("bob", command)
    refused = circle.ask(GATE, command, session="s2")
    assert refused.code == before.code, "the same as on a connection of his own"
    assert refused.code in {"no-such-room", "no-such-log"}
    for label in ("", "s3", "S1", "s1 ", "s\N{FULLWIDTH DIGIT ONE}"):
        assert circle.ask(GATE, command, session=label).code == "not-logged-in"


def test_a_search_finds_only_what_its_account_may_read(circle: Circle) -> None:
    let_in(circle, "ana", "s1")
    let_in(circle, "bob", "s2")
    found = {label: circle.ask(GATE, messages.Search(query="secret"), session=label).hits for label in ("s1", "s2")}
    assert {hit.log for hit in found["s1"]} == {"lobby", "den"}
    assert "den" not in {hit.log for hit in found["s2"]}
    assert "den" not in {room.name for room in circle.ask(GATE, messages.Rooms(), session="s2").rooms}
    assert "den" not in circle.ask(GATE, messages.Ping(), session="s2").heads


def test_a_topic_is_heard_while_one_of_them_may_and_no_longer(circle: Circle) -> None:
    let_in(circle, "bob", "s2")
    ear = circle.listen(GATE)
    assert not circle.subscribe(ear, "den")
    let_in(circle, "ana", "s1")
    assert circle.subscribe(ear, "den")
    circle.ask(GATE, messages.Logout(), session="s1")
    assert not ear.open
    assert not circle.subscribe(circle.listen(GATE), "den")


def test_a_name_used_again_by_somebody_else_has_nothing_of_who_had_it(circle: Circle) -> None:
    let_in(circle, "ana", "s1")
    circle.ask(GATE, messages.Enter(room="den"), session="s1")
    assert circle.ask(GATE, messages.Logout(), session="s1").ok
    assert circle.ask(GATE, messages.History(log="den"), session="s1").code == "not-logged-in"
    state = let_in(circle, "bob", "s1")
    assert (state.login, state.current, [room.name for room in state.rooms]) == ("bob", "lobby", ["lobby"])
    assert circle.ask(GATE, messages.History(log="den"), session="s1").code == "no-such-log"
    assert circle.ask(GATE, messages.History(log="@ana"), session="s1").code == "no-such-log"
    assert not circle.subscribe(circle.listen(GATE), "den")


def test_a_name_in_use_is_not_taken_over_by_a_login(circle: Circle) -> None:
    let_in(circle, "ana", "s1")
    refused = circle.ask(GATE, messages.Login(login="bob", password="password of bob"), session="s1")
    assert refused.code == "already-logged-in"
    assert circle.ask(GATE, HELLO, session="s1").session.login == "ana"


def test_ending_ones_others_ends_those_behind_a_gateway_and_no_strangers(circle: Circle) -> None:
    for label in ("s1", "s3"):
        let_in(circle, "ana", label)
    let_in(circle, "bob", "s2")
    ear = circle.listen(GATE)
    circle.ask(GATE, messages.Password(old="password of ana", new="another password"), session="s1")
    assert [(ended.session, ended.reason) for ended in ear.of(messages.Ended)] == [("s3", "password")]
    assert circle.ask(GATE, messages.Ping(), session="s1").ok
    assert circle.ask(GATE, messages.Ping(), session="s2").ok
    assert circle.ask(GATE, messages.Ping(), session="s3").code == "not-logged-in"


@pytest.mark.parametrize(
    "label",
    [
        "x" * GATEWAY_SESSION_LENGTH,
        "\N{OLD PERSIAN SIGN A}" * GATEWAY_SESSION_LENGTH,
        "\0" * GATEWAY_SESSION_LENGTH,
        "'; DROP TABLE session; --",
        "\u202e\n\t\x1b[2J",
        " ",
        "é",
    ],
    ids=ascii,
)
def test_a_sessions_name_is_any_text(circle: Circle, label: str) -> None:
    let_in(circle, "ana", label)
    assert circle.ask(GATE, HELLO, session=label).session.login == "ana"
    assert circle.ask(GATE, HELLO, session=label[:-1] + "!").session is None
    circle.start()
    assert circle.ask(GATE, HELLO, session=label).session.login == "ana"
    assert circle.ask(GATE, messages.Logout(), session=label).ok
    assert circle.ask(GATE, HELLO, session=label).session is None


def test_names_that_only_look_the_same_are_two(circle: Circle) -> None:
    let_in(circle, "ana", "e\N{COMBINING ACUTE ACCENT}")
    assert circle.ask(GATE, HELLO, session="\N{LATIN SMALL LETTER E WITH ACUTE}").session is None


# Whose address counts


def test_tries_to_log_in_are_counted_by_the_persons_address(circle: Circle) -> None:
    def tries(person: str, count: int = LOGIN_FAILURES_PER_ADDRESS + 1) -> list[Any]:
        asked = (messages.Login(login=f"nobody{n}", password="wrong password") for n in range(count))
        return [circle.ask(GATE, each, session="s1", person=person).code for each in asked]

    assert tries("192.0.2.66")[-1] == "rate-limited"
    assert tries("192.0.2.67", 1) == ["wrong-password"]
    assert isinstance(let_in_from(circle, "192.0.2.67"), messages.LoggedIn)
    refused = [stamp.fields["address"] for stamp in circle.stamps if stamp.event == "refused"]
    assert set(refused) == {"192.0.2.66", "192.0.2.67"}
    assert [stamp.fields["address"] for stamp in circle.stamps if stamp.event == "logged-in"] == ["192.0.2.67"]


def let_in_from(circle: Circle, person: str) -> Any:
    return circle.ask(GATE, messages.Login(login="ana", password="password of ana"), session="s9", person=person)


def test_new_accounts_and_strangers_requests_are_counted_by_the_persons_address() -> None:
    circle = Circle(settings=ChatSettings(registrations=Rate(0.1, 2), stranger_requests=Rate(1, 4)))
    register(circle, "gateway")

    def account(number: int, person: str) -> Any:
        command = messages.Register(
            login=f"p{number}", password="a good password", first_names="P", surnames="Q", age=30, gender="other"
        )
        return circle.ask(GATE, command, session=f"s{number}", person=person)

    assert [type(account(n, "192.0.2.1")) for n in range(3)] == [messages.LoggedIn, messages.LoggedIn, RateLimited]
    assert isinstance(account(3, "192.0.2.2"), messages.LoggedIn)
    greeted = [circle.ask(GATE, HELLO, session=f"t{n}", person="192.0.2.3") for n in range(5)]
    assert [type(each) for each in greeted] == [messages.Welcome] * 4 + [RateLimited]
    assert isinstance(circle.ask(GATE, HELLO, session="t9", person="192.0.2.4"), messages.Welcome)
    assert all(isinstance(circle.ask(GATE, HELLO, session=f"u{n}"), messages.Welcome) for n in range(9)), "its own"


# Asking without being counted as present


def test_a_quiet_hello_counts_nobody_as_present(circle: Circle) -> None:
    assert let_in(circle, "bob", "s2").online
    circle.ask("bob", messages.Bye())
    circle.ask(GATE, messages.Bye(), session="s2")
    assert not present(circle, "bob")
    state = circle.ask(GATE, QUIET, session="s2").session
    assert (state.login, state.online) == ("bob", False)
    assert not present(circle, "bob")
    state = circle.ask(GATE, HELLO, session="s2").session
    assert state.online
    assert present(circle, "bob")


def test_a_quiet_hello_of_who_is_present_changes_nothing(circle: Circle) -> None:
    let_in(circle, "bob", "s2")
    ear = circle.listen(GATE, "lobby")
    ear.take()
    assert circle.ask(GATE, QUIET, session="s2").session.online
    assert ear.take() == []
    assert present(circle, "bob")


def test_a_quiet_hello_tells_of_an_account_present_elsewhere(circle: Circle) -> None:
    let_in(circle, "bob", "s2")
    circle.ask(GATE, messages.Bye(), session="s2")
    assert circle.ask(GATE, QUIET, session="s2").session.online, "bob has a connection of his own"


def test_a_quiet_hello_keeps_nobody_from_being_gone(circle: Circle) -> None:
    let_in(circle, "bob", "s2")
    circle.ask(GATE, messages.Enter(room="lobby"), session="s2")
    circle.ask("bob", messages.Bye())
    circle.ask(GATE, messages.Bye(), session="s2")
    for _ in range(10):
        circle.ask(GATE, QUIET, session="s2")
        circle.later(GRACE_S / 5)
    assert not present(circle, "bob")


def test_a_key_that_says_hello_quietly_is_bound_and_not_there(circle: Circle) -> None:
    assert circle.ask("ana", messages.KeyAdd(key=bytes([9]) * 32, name="tail", scopes=["read:*"])).ok
    circle.ask("ana", messages.Bye())
    circle.later(PRESENCE_SETTLE_S)
    state = circle.ask(keys.user_id(bytes([9]) * 32), QUIET).session
    assert (state.login, state.online) == ("ana", False)
    assert circle.ask(keys.user_id(bytes([9]) * 32), HELLO).session.online

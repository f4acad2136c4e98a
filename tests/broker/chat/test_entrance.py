"""Coming in and going out."""

import hashlib

import pytest

from broker.chat import operators, ports
from broker.chat.settings import ChatSettings
from common import messages
from common.limits import LOGIN_FAILURES, LOGIN_FAILURES_PER_ADDRESS, SESSION_DAYS, SESSIONS_PER_ACCOUNT
from tests.support.circle import Circle


def test_hello_tells_a_stranger_the_version_the_time_and_no_session() -> None:
    circle = Circle(settings=ChatSettings(server_name="Casa"))
    welcome = circle.ask("k", messages.Hello(versions=[1, 9]))
    assert (welcome.server, welcome.version, welcome.time) == ("Casa", 1, circle.now.time)
    assert welcome.session is None
    assert welcome.default_room == "lobby"


def test_hello_without_a_common_version_is_refused() -> None:
    assert Circle().ask("k", messages.Hello(versions=[2])).code == "unsupported-version"


def test_hello_with_a_line_break_in_the_client_is_refused() -> None:
    assert Circle().ask("k", messages.Hello(versions=[1], client="a\nb")).code == "bad-text"


def test_a_beacon_is_its_keys_own_and_survives_a_restart() -> None:
    circle = Circle()
    ana, bob = circle.beacon("ana"), circle.beacon("bob")
    assert ana != bob
    circle.start()
    assert circle.beacon("ana") == ana


def test_registering_logs_in_and_leads_to_the_default_room() -> None:
    circle = Circle()
    reply = circle.register("ana")
    assert reply.session.login == "ana"
    assert reply.session.current == "lobby"
    assert [room.name for room in reply.session.rooms] == ["lobby"]
    assert reply.session.rooms[0].online == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"login": "a b"}, "bad-name"),
        ({"login": "-a"}, "bad-name"),
        ({"login": "\x1b[31m"}, "bad-name"),
        ({"password": "short"}, "bad-password"),
        ({"first_names": "  "}, "bad-profile"),
        ({"surnames": "a\nb"}, "bad-profile"),
        ({"login": "ANA"}, "name-taken"),
        ({"login": "аna"}, "name-taken"),
    ],
)
def test_a_bad_registration_makes_no_account(fields: dict[str, str], code: str) -> None:
    circle = Circle()
    circle.register("ana")
    login = fields.pop("login", "bob")
    assert circle.register(login, "k2", **fields).code == code
    assert len(circle.store.load().accounts) == 1


def test_registration_may_be_closed() -> None:
    assert Circle(settings=ChatSettings(registration="closed")).register("ana").code == "registration-closed"


def test_one_session_has_one_account() -> None:
    circle = Circle()
    circle.register("ana")
    assert circle.register("bob", "ana").code == "already-logged-in"
    assert circle.log_in("ana", "ana").code == "already-logged-in"


def test_a_login_by_password_from_a_second_device() -> None:
    circle = Circle()
    circle.register("ana")
    reply = circle.log_in("ANA", "phone", password="password of ana")
    assert reply.session.login == "ana"
    assert reply.token is None


@pytest.mark.parametrize(("login", "password"), [("ana", "wrong password"), ("nobody", "password of ana")])
def test_a_wrong_password_and_an_unknown_login_are_answered_alike(login: str, password: str) -> None:
    circle = Circle()
    circle.register("ana")
    error = circle.log_in(login, "k2", password=password)
    assert (error.code, error.message) == ("wrong-password", type(error).sentence)


def test_a_password_that_was_hashed_in_an_older_way_is_hashed_anew_at_the_next_login() -> None:
    circle = Circle()
    circle.register("ana")
    new = circle.store.password(1)
    circle.store.commit([ports.SetPassword(1, "old password of ana")])
    assert circle.log_in("ana", "k").session.login == "ana"
    assert circle.store.password(1) == new
    assert circle.log_in("ana", "k2").session.login == "ana"


def test_neither_or_both_of_password_and_token_is_a_bad_request() -> None:
    circle = Circle()
    assert circle.ask("k", messages.Login(login="ana")).code == "bad-request"
    assert circle.ask("k", messages.Login(login="ana", password="x", token=b"y")).code == "bad-request"


def test_a_token_logs_in_once_and_is_replaced() -> None:
    circle = Circle()
    circle.register("ana")
    first = circle.log_in("ana", "a", remember=True).token
    assert len(first) == 32
    second = circle.log_in("ana", "b", token=first).token
    assert second not in (None, first)
    assert circle.log_in("ana", "c", token=first).code == "wrong-password"
    assert circle.log_in("ana", "d", token=second).session.login == "ana"


def test_a_token_serves_one_of_two_logins_at_once() -> None:
    circle = Circle()
    circle.register("ana")
    token = circle.log_in("ana", "a", remember=True).token
    with circle.pondering():
        circle.log_in("ana", "b", token=token)
        circle.log_in("ana", "c", token=token)
    assert circle.ask("b", messages.Ping()).ok
    assert circle.ask("c", messages.Ping()).code == "not-logged-in"


def test_a_token_whose_use_could_not_be_kept_serves_again() -> None:
    circle = Circle()
    circle.register("ana")
    token = circle.log_in("ana", "a", remember=True).token
    with circle.holding(fail=True):
        circle.log_in("ana", "b", token=token)
    assert circle.log_in("ana", "b", token=token).session.login == "ana"


@pytest.mark.parametrize("by", ["owner", "operator"])
def test_a_login_checked_before_the_password_changed_is_refused(by: str) -> None:
    circle = Circle()
    circle.register("ana")
    with circle.pondering():
        circle.log_in("ana", "thief")
        answers, circle.answers = circle.answers, None
        if by == "owner":
            assert circle.ask("ana", messages.Password(old="password of ana", new="another one")).ok
        else:
            assert circle.operate(operators.SetUserPassword(login="ana", password="another one")).ok
        circle.answers = answers
    assert circle.ask("thief", messages.Ping()).code == "not-logged-in"
    assert circle.log_in("ana", "phone", password="another one").session.login == "ana"


def test_a_token_is_kept_only_as_a_digest_and_ends_with_logout() -> None:
    circle = Circle()
    circle.register("ana")
    token = circle.log_in("ana", "a", remember=True).token
    assert circle.store.has_token(1, hashlib.sha256(token).digest(), 0)
    assert circle.ask("a", messages.Logout(token=token)).ok
    assert circle.log_in("ana", "b", token=token).code == "wrong-password"


def test_a_token_unused_for_long_is_void() -> None:
    circle = Circle()
    circle.register("ana")
    token = circle.log_in("ana", "a", remember=True).token
    circle.now = circle.now._replace(time=circle.now.time + (SESSION_DAYS + 1) * 86_400_000)
    assert circle.log_in("ana", "b", token=token).code == "wrong-password"


def test_wrong_passwords_are_slowed_down_and_never_lock_out() -> None:
    circle = Circle()
    circle.register("ana")
    for _ in range(LOGIN_FAILURES):
        assert circle.log_in("ana", "k", password="wrong wrong").code == "wrong-password"
    refused = circle.log_in("ana", "k")
    assert refused.code == "rate-limited"
    assert refused.retry_after > 0
    circle.later(refused.retry_after)
    assert circle.log_in("ana", "k").session.login == "ana"


@pytest.mark.parametrize("login", ["ana", "nobody"])
def test_however_a_login_is_spelled_its_tries_are_counted_together(login: str) -> None:
    circle = Circle()
    circle.register("ana")
    for number in range(LOGIN_FAILURES):
        spelled = login.upper() if number % 2 else login
        assert circle.log_in(spelled, "k", password="wrong wrong").code == "wrong-password"
    assert circle.log_in(login, "k").code == "rate-limited"


def test_a_password_that_nobody_had_time_to_check_was_no_try() -> None:
    circle = Circle()
    circle.register("ana")
    circle.busy = True
    for _ in range(LOGIN_FAILURES_PER_ADDRESS + 1):
        assert circle.log_in("ana", "k").code == "busy"
        assert circle.ask("ana", messages.Password(old="x", new="another one")).code == "busy"
    circle.busy = False
    assert circle.log_in("ana", "k").session.login == "ana"


def test_a_disabled_account_is_told_only_to_whoever_has_its_password() -> None:
    circle = Circle()
    circle.register("ana")
    circle.operate(operators.DisableUser(login="ana"))
    assert circle.log_in("ana", "k").code == "account-disabled"
    assert circle.log_in("ana", "k", password="something else").code == "wrong-password"


@pytest.mark.parametrize("command", [messages.Ping(), messages.Users(), messages.Join(room="lobby"), messages.Bye()])
def test_before_login_nothing_but_the_entrance_is_open(command: messages.Command) -> None:
    assert Circle().ask("k", command).code == "not-logged-in"


def test_after_logout_the_session_is_nobodys() -> None:
    circle = Circle()
    circle.register("ana")
    ear = circle.listen("ana", "@ana", "lobby")
    assert circle.ask("ana", messages.Logout()).ok
    assert not ear.open
    assert circle.ask("ana", messages.Ping()).code == "not-logged-in"
    assert not circle.store.load().sessions


def test_only_so_many_sessions_are_kept_and_the_longest_unseen_goes() -> None:
    circle = Circle()
    circle.register("ana")
    circle.later(1)
    for number in range(SESSIONS_PER_ACCOUNT):
        circle.log_in("ana", f"k{number}")
        circle.ask(f"k{number}", messages.Bye())
        circle.later(0.1)
    assert circle.ask("ana", messages.Ping()).ok
    assert circle.ask("k0", messages.Ping()).code == "not-logged-in"
    assert len(circle.store.load().sessions) == SESSIONS_PER_ACCOUNT


def test_a_ping_tells_where_ones_logs_end() -> None:
    circle = Circle()
    circle.register("ana")
    circle.register("bob")
    sent = circle.say("ana", "lobby", "hola")
    direct = circle.direct("ana", "bob", "psst")
    pong = circle.ask("bob", messages.Ping())
    assert pong.heads["lobby"] == sent.seq
    assert pong.heads["@bob"] > direct.seq
    assert pong.time == circle.now.time


def test_a_session_named_by_no_gateway_is_refused_and_a_gateway_has_many() -> None:
    circle = Circle(settings=ChatSettings(gateways=frozenset({"gate"})))
    circle.register("ana")
    circle.register("bob")
    assert circle.ask("ana", messages.Ping(), session="s1").code == "forbidden"
    for login, label in (("ana", "s1"), ("bob", "s2")):
        reply = circle.ask("gate", messages.Login(login=login, password=f"password of {login}"), session=label)
        assert reply.session.login == login
    ear = circle.listen("gate", "@ana", "@bob", "lobby")
    assert {"@ana", "@bob", "lobby"} < ear.topics
    assert circle.ask("gate", messages.Logout(), session="s1").ok
    assert not ear.open, "the gateway heard ana's inbox and may not any more"
    again = circle.listen("gate", "@ana", "@bob", "lobby")
    assert again.topics & {"@ana", "@bob", "lobby"} == {"@bob", "lobby"}


def test_a_gateways_revoked_session_is_named_when_its_end_is_told() -> None:
    circle = Circle(settings=ChatSettings(gateways=frozenset({"gate"})))
    circle.register("ana")
    circle.ask("gate", messages.Login(login="ana", password="password of ana"), session="s1")
    ear = circle.listen("gate")
    sessions = circle.ask("ana", messages.Sessions()).sessions
    (other,) = [view.id for view in sessions if not view.current]
    circle.ask("ana", messages.Revoke(session=other))
    (ended,) = ear.of(messages.Ended)
    assert (ended.session, ended.reason) == ("s1", "revoked")

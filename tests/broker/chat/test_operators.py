"""What the operator may do."""

from broker.chat.operators import AddUser, DisableUser, ListUsers, SetUserPassword
from broker.chat.settings import ChatSettings
from common import messages
from tests.support.circle import Circle

ANA = AddUser(login="ana", password="password of ana", first_names="A", surnames="B", age=1, gender="other")


def test_the_operator_makes_accounts_even_where_registration_is_closed() -> None:
    circle = Circle(settings=ChatSettings(registration="closed"))
    assert circle.operate(ANA).ok
    assert circle.operate(ANA).code == "name-taken"
    assert circle.log_in("ana", "k").session.login == "ana"


def test_the_operator_lists_accounts_with_what_is_private() -> None:
    circle = Circle()
    circle.operate(ANA)
    circle.register("bob")
    page = circle.operate(ListUsers(limit=1))
    assert ([account.login for account in page.accounts], page.more) == (["ana"], True)
    (bob,) = circle.operate(ListUsers(after="ana")).accounts
    assert (bob.login, bob.age, bob.online, bob.sessions) == ("bob", 30, True, 1)


def test_a_password_set_by_the_operator_ends_every_session() -> None:
    circle = Circle()
    circle.register("ana")
    ear = circle.listen("ana", "lobby")
    assert circle.operate(SetUserPassword(login="ana", password="short")).code == "bad-password"
    assert circle.operate(SetUserPassword(login="nobody", password="long enough")).code == "no-such-user"
    assert circle.operate(SetUserPassword(login="ana", password="long enough")).ok
    assert not ear.open
    assert circle.log_in("ana", "k").code == "wrong-password"
    assert circle.log_in("ana", "k", password="long enough").ok


def test_a_disabled_account_is_out_until_it_is_enabled() -> None:
    circle = Circle()
    circle.register("ana")
    circle.register("bob")
    ear, bob = circle.listen("ana", "lobby"), circle.listen("bob", "lobby")
    assert circle.operate(DisableUser(login="ana")).ok
    assert circle.operate(DisableUser(login="ana")).ok
    assert [event.reason for event in ear.of(messages.Ended)] == ["disabled"]
    changes = [(change.login, change.reason) for change in bob.of(messages.Roster)[-1].changes]
    assert changes == [("ana", "disabled")]
    assert not ear.open
    assert circle.ask("ana", messages.Ping()).code == "not-logged-in"
    assert not any(user.online for user in circle.ask("bob", messages.Users()).users if user.login == "ana")
    circle.operate(DisableUser(login="ana", disabled=False))
    assert circle.log_in("ana", "k").ok


def test_an_operators_account_may_manage_rooms() -> None:
    circle = Circle()
    circle.register("ana")
    circle.operate(
        AddUser(login="op", password="long enough", first_names="O", surnames="P", age=1, gender="other", operator=True)
    )
    circle.log_in("op", "op", password="long enough")
    circle.ask("ana", messages.Create(room="dev"))
    assert circle.ask("op", messages.Subject(room="lobby", subject="Welcome")).ok
    assert circle.ask("op", messages.Delete(room="dev")).ok
    assert circle.ask("op", messages.Profile(login="ana")).age == 30

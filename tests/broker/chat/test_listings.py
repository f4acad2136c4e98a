"""Lists, a page at a time."""

from common import messages
from tests.support.circle import Circle


def test_users_of_the_whole_system_are_listed_by_login_in_pages() -> None:
    circle = Circle()
    logins = ["ana", "Bob", "carla", "Dan"]
    for login in reversed(logins):
        circle.register(login)
    circle.ask("Dan", messages.Bye())
    first = circle.ask("ana", messages.Users(limit=3))
    assert ([user.login for user in first.users], first.more) == (logins[:3], True)
    rest = circle.ask("ana", messages.Users(after="carla", limit=3))
    assert ([(user.login, user.online) for user in rest.users], rest.more) == ([("Dan", False)], False)


def test_rooms_and_members_come_in_pages_too() -> None:
    circle = Circle()
    for login in ("ana", "bob"):
        circle.register(login)
    for room in ("delta", "alpha"):
        circle.ask("ana", messages.Create(room=room, kept=True))
    circle.ask("bob", messages.Join(room="alpha"))
    circle.ask("bob", messages.Bye())
    page = circle.ask("ana", messages.Rooms(limit=2))
    assert ([room.name for room in page.rooms], page.more) == (["alpha", "delta"], True)
    assert [room.name for room in circle.ask("ana", messages.Rooms(after="delta")).rooms] == ["lobby"]
    members = circle.ask("ana", messages.Members(room="alpha"))
    assert [(member.login, member.online) for member in members.members] == [("ana", True), ("bob", False)]
    assert [member.login for member in circle.ask("ana", messages.Members(room="alpha", after="ana")).members] == [
        "bob"
    ]

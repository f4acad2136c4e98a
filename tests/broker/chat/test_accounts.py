"""One's own account."""

from common import messages
from tests.support.circle import Circle


def two_devices() -> Circle:
    circle = Circle()
    circle.register("ana")
    circle.log_in("ana", "phone")
    return circle


def test_sessions_are_listed_and_revoked_and_the_revoked_is_cut_off() -> None:
    circle = two_devices()
    ear = circle.listen("phone", "@ana", "lobby")
    circle.later(3)
    views = circle.ask("ana", messages.Sessions()).sessions
    assert [view.current for view in views] == [True, False]
    assert [view.seen for view in views] == [circle.now.time] * 2, "whoever is here is seen now"
    assert circle.ask("ana", messages.Revoke(session=views[1].id)).ok
    assert ear.of(messages.Ended)
    assert not ear.open
    assert circle.ask("phone", messages.Ping()).code == "not-logged-in"
    assert circle.listen("phone", "lobby", "@ana").topics == {circle.beacon("phone")}


def test_nobody_revokes_the_session_of_somebody_else() -> None:
    circle = two_devices()
    circle.register("bob")
    (view,) = circle.ask("bob", messages.Sessions()).sessions
    assert circle.ask("ana", messages.Revoke(session=view.id)).code == "no-such-session"
    assert circle.ask("bob", messages.Ping()).ok


def test_a_changed_password_ends_every_other_session_and_token() -> None:
    circle = two_devices()
    token = circle.log_in("ana", "third", remember=True).token
    assert circle.ask("ana", messages.Password(old="password of ana", new="a better one")).ok
    assert circle.ask("ana", messages.Ping()).ok
    assert circle.ask("phone", messages.Ping()).code == "not-logged-in"
    assert circle.log_in("ana", "k", token=token).code == "wrong-password"
    assert circle.log_in("ana", "k").code == "wrong-password"
    assert circle.log_in("ana", "k", password="a better one").session.login == "ana"


def test_a_password_is_not_changed_without_the_old_one_or_to_a_bad_one() -> None:
    circle = two_devices()
    assert circle.ask("ana", messages.Password(old="wrong wrong", new="a better one")).code == "wrong-password"
    assert circle.ask("ana", messages.Password(old="password of ana", new="short")).code == "bad-password"
    assert circle.log_in("ana", "k").session.login == "ana"


def test_a_profile_shows_age_and_gender_to_its_owner_alone() -> None:
    circle = two_devices()
    circle.register("bob")
    own = circle.ask("ana", messages.Profile())
    seen = circle.ask("bob", messages.Profile(login="ANA"))
    assert (own.age, own.gender) == (30, "other")
    assert (seen.age, seen.gender) == (None, None)
    assert (seen.login, seen.first_names) == ("ana", "First")
    assert circle.ask("bob", messages.Profile(login="nobody")).code == "no-such-user"


def test_a_profile_is_updated_by_field() -> None:
    circle = two_devices()
    reply = circle.ask("ana", messages.UpdateProfile(first_names="Ana María", age=31))
    assert (reply.first_names, reply.surnames, reply.age, reply.gender) == ("Ana María", "Last", 31, "other")
    assert circle.ask("ana", messages.UpdateProfile(surnames=" ")).code == "bad-profile"
    circle.start()
    assert circle.ask("ana", messages.Profile()).first_names == "Ana María"


def test_a_ping_of_nobody_is_refused_without_a_line_in_the_log() -> None:
    circle = Circle()
    circle.ask("stranger", messages.Hello(versions=[1], client="test"))
    circle.stamps.clear()
    assert circle.ask("stranger", messages.Ping()).code == "not-logged-in"
    assert not circle.stamps
    assert circle.ask("stranger", messages.Rooms()).code == "not-logged-in"
    assert [stamp.event for stamp in circle.stamps] == ["refused"]

"""What both surfaces share, without a surface: lines in their order, wishes granted, refusals said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from client.link.failures import NoAnswer
from client.link.updates import LinkChanged, LinkState, Overrun, RoomJoined
from client.tui.model.records import Record
from client.tui.model.state import Model
from client.tui.sitting import Sitting
from common import messages as m
from common.errors import BadPassword, Forbidden, NameTaken, NoSuchUser, RateLimited
from tests.client.tui.fake_chat import NOW, FakeChat, direct, said, view
from tests.support.patience import PATIENCE_S


class Desk(Sitting):
    """A surface that shows nothing and gives the secrets it was given."""

    def __init__(self, chat: FakeChat) -> None:
        super().__init__(chat, Model("ana"))
        self.fake = chat
        self.secrets: list[str | None] = []
        self.rung: list[str] = []

    def ring(self, log: str, record: Record | None) -> None:
        self.rung.append(log)

    async def secret(self, prompt: str) -> str | None:
        return self.secrets.pop(0)

    def quit(self) -> None:
        self.fake.hang_up()

    async def done(self, line: str) -> str:
        """Carry out a line; returns the last thing shown."""
        self.enter(line)
        await self.fake.told()
        return self.last()

    def texts(self, log: str = "") -> list[str]:
        records = self.model.open(log or self.model.current).records
        return [records[index].text for index in range(len(records))]

    def last(self) -> str:
        return self.texts()[-1] if self.texts() else ""


def sit(act: Callable[[Desk], Awaitable[None]], chat: FakeChat | None = None) -> Desk:
    async def run() -> Desk:
        desk = Desk(chat or FakeChat(rooms={"lobby": view("lobby"), "chess": view("chess", 2, joined=False)}))
        following = asyncio.ensure_future(desk.follow(desk.arrive()))
        await desk.fake.told()
        try:
            await act(desk)
        finally:
            await desk.stop()
            following.cancel()
        return desk

    return asyncio.run(run())


def test_a_room_is_read_when_it_is_joined() -> None:
    chat = FakeChat(logs={"lobby": [said("bob", "before", 1)], "@ana": [direct("bob", "ana", "psst", 1)]})

    async def act(desk: Desk) -> None:
        assert desk.texts("lobby") == ["before"]
        assert desk.texts("@bob") == ["psst"]
        assert desk.model.here.members == {"ana": True, "bob": True}

    sit(act, chat)


def test_what_could_not_be_read_is_read_when_the_link_is_back() -> None:
    chat = FakeChat(logs={"lobby": [said("bob", "before", 1)]}, refusals={m.History: NoAnswer(), m.Members: NoAnswer()})

    async def act(desk: Desk) -> None:
        assert desk.texts("lobby") == []
        chat.refusals.clear()
        chat.tell(LinkChanged(LinkState.LIVE))
        await chat.told()
        assert desk.texts("lobby") == ["before"]

    sit(act, chat)


def test_what_was_dropped_is_read_again() -> None:
    chat = FakeChat()
    missed = [said("bob", f"m{seq}", seq) for seq in (4, 5, 6)]
    pages = [m.Entries(entries=[*missed[:2]], more=True), m.Entries(entries=[*missed[2:]], more=False)]

    async def act(desk: Desk) -> None:
        chat.answers[m.History] = lambda command: pages.pop(0)
        chat.tell(Overrun({"lobby": 3}))
        await chat.told()
        assert desk.texts() == ["m4", "m5", "m6"]
        assert [command.after for command in chat.asked if isinstance(command, m.History)][-2:] == [3, 5]

    sit(act, chat)


def test_older_messages_of_one_person_are_looked_for_in_the_whole_inbox() -> None:
    inbox = [direct("bob", "ana", "first", 1), *(direct("eva", "ana", "x", seq) for seq in range(2, 460))]
    chat = FakeChat(logs={"@ana": inbox})

    async def act(desk: Desk) -> None:
        desk.model.open("@bob")
        desk.show("@bob")
        await chat.told()
        assert desk.texts() == []
        await desk.older(1)
        assert desk.texts() == ["first"]
        assert not desk.model.here.more
        chat.asked.clear()
        await desk.older()
        assert chat.asked == []

    sit(act, chat)


def test_older_messages_may_be_out_of_reach() -> None:
    chat = FakeChat(logs={"lobby": [said("bob", "x", seq) for seq in range(1, 200)]})

    async def act(desk: Desk) -> None:
        chat.refusals[m.History] = NoAnswer()
        await desk.older()
        assert desk.last() == "What was said before cannot be read now: The broker did not answer in time."
        assert not desk.model.here.loading

    sit(act, chat)


def test_lines_wait_for_a_command_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("client.tui.sitting.PATIENCE_S", 0.01)

    async def act(desk: Desk) -> None:
        never = asyncio.Event()
        original = desk.fake.request

        async def slow(command: Any, **_: Any) -> Any:
            if isinstance(command, m.Enter):
                await never.wait()
            return await original(command)

        desk.fake._request = slow  # type: ignore[method-assign]
        desk.enter("#gR chess")
        desk.enter("hello")
        assert desk.fake.sent == []
        async with asyncio.timeout(PATIENCE_S):
            while not desk.fake.sent:
                await desk.fake.told()
                await asyncio.sleep(0.002)
        assert desk.fake.sent[0].log == "lobby"

    sit(act)


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("#cR go", m.Create(room="go")),
        ("#gR chess", m.Enter(room="chess")),
        ("#lR", m.Rooms()),
        ("#dR chess", m.Delete(room="chess")),
        ("#show users", m.Users()),
        ("/join chess", m.Join(room="chess")),
        ("/leave chess", m.Leave(room="chess")),
        ("/create --keep --private go", m.Create(room="go", kept=True, private=True)),
        ("/delete lobby", m.Delete(room="lobby")),
        ("/hide chess", m.Hide(room="chess")),
        ("/unhide chess", m.Hide(room="chess", hidden=False)),
        ("/rooms --hidden", m.Rooms(hidden=True)),
        ("/members", m.Members(room="lobby")),
        ("/topic Openings", m.Subject(room="lobby", subject="Openings")),
        ("/topic --clear", m.Subject(room="lobby", subject="")),
        ("/invite bob", m.Invite(room="lobby", login="bob")),
        ("/invite bob chess", m.Invite(room="chess", login="bob")),
        ("/kick bob", m.Remove(room="lobby", login="bob")),
        ("/whois bob", m.Profile(login="bob")),
        ("/profile age 30", m.UpdateProfile(age=30)),
        ("/profile names Ana María", m.UpdateProfile(first_names="Ana María")),
        ("/profile surnames Gómez", m.UpdateProfile(surnames="Gómez")),
        ("/profile gender Other", m.UpdateProfile(gender="other")),
        ("/revoke 12", m.Revoke(session=12)),
    ],
)
def test_commands_ask_the_broker(line: str, asked: m.Command) -> None:
    async def act(desk: Desk) -> None:
        desk.fake.asked.clear()
        await desk.done(line)
        assert asked in desk.fake.asked

    sit(act)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/help", "#cR <room>"),
        ("/help join", "for example: /join chess"),
        ("/help show users", "List all users"),
        ("/help jion", "Did you mean /join?"),
        ("/help zzzzzz", "There is no command zzzzzz."),
        ("/whois bob", "bob is A B\nhere now, available"),
        ("/profile", "Change it with"),
        ("/profile age 1e1", "from 0 to 150"),
        ("/profile gender x", "A gender is one of"),
        ("/profile shoes 42", "A field is first-names"),
        ("/topic", "#lobby has no topic"),
        ("/members", "here now: ana, bob"),
        ("#lR", "#chess"),
        ("#eR", ""),
        ("/history 10", ""),
    ],
)
def test_answers(line: str, shown: str) -> None:
    async def act(desk: Desk) -> None:
        assert shown in await desk.done(line)

    sit(act)


def test_the_default_room_is_left_for_nothing() -> None:
    async def act(desk: Desk) -> None:
        desk.fake.asked.clear()
        await desk.done("#eR")
        assert desk.fake.asked == []
        await desk.done("#gR chess")
        await desk.done("#eR")
        assert m.Enter(room="lobby") in desk.fake.asked

    sit(act)


def test_refusals_are_said_with_what_to_do() -> None:
    async def act(desk: Desk) -> None:
        desk.fake.refusals = {
            m.Create: NameTaken(),
            m.Delete: Forbidden(),
            m.Users: RateLimited(retry_after=7.2),
            m.Profile: NoSuchUser(),
        }
        assert "#gR go" in await desk.done("#cR go")
        assert "only went off your own list" in await desk.done("#dR chess")
        assert m.Hide(room="chess") in desk.fake.asked
        assert "Try again in 7 s." in await desk.done("/users")
        assert "There is no user" in await desk.done("/msg nobody hi")
        assert "@nobody" not in desk.model.conversations
        assert not desk.enter("x\x00y")
        assert "no control characters" in desk.last()

    sit(act)


def test_private_conversations() -> None:
    async def act(desk: Desk) -> None:
        assert await desk.done("/msg BOB hi") == "to bob in private: hi"
        assert desk.model.current == "lobby"
        desk.fake.refuse(desk.fake.sent[0], NoSuchUser())
        await desk.fake.told()
        assert desk.last() == "Not sent to bob: There is no user of that login."
        await desk.done("/msg bob")
        assert desk.model.current == "@bob"
        for line in ("/members", "/topic", "/invite eva", "/remove eva"):
            assert "name the room" in await desk.done(line)
        await desk.done("/leave")
        assert desk.model.current == "lobby"
        desk.fake.arrive("@ana", direct("bob", "ana", "psst", 9))
        await desk.fake.told()
        assert desk.rung == ["@bob"]

    sit(act)


def test_changing_the_password() -> None:
    async def act(desk: Desk) -> None:
        desk.secrets = ["old", "new password", "new password"]
        assert "is changed" in await desk.done("/password")
        assert desk.fake.asked[-1] == m.Password(old="old", new="new password")
        desk.secrets = ["old", "new password", "other"]
        assert "differ" in await desk.done("/password")
        desk.secrets = [None]
        assert "stays as it was" in await desk.done("/password")
        desk.secrets = ["old", "short", "short"]
        desk.fake.refusals = {m.Password: BadPassword()}
        assert "8 to 256" in await desk.done("/password")

    sit(act)


def test_long_lists_are_counted_and_sessions_listed() -> None:
    chat = FakeChat(users=[f"user{number:03}" for number in range(450)])
    here = m.SessionView(id=3, client="tertulia", created=NOW, seen=NOW, online=True, current=True)
    away = m.SessionView(id=4, client="", created=NOW, seen=NOW, online=False, current=False)
    chat.answers[m.Sessions] = lambda command: m.SessionList(sessions=[here, away])

    async def act(desk: Desk) -> None:
        shown = await desk.done("/users")
        assert shown.startswith("450 users")
        assert shown.endswith("… and 250 more")
        shown = await desk.done("/sessions")
        assert "this one" in shown
        assert "unnamed" in shown

    sit(act, chat)


def test_lists_are_read_page_by_page() -> None:
    def users(command: m.Users) -> m.UserList:
        every = [f"u{number}" for number in range(5)]
        left = [user for user in every if user > command.after]
        page = [m.UserView(login=user, first_names="", surnames="", online=True) for user in left[:2]]
        return m.UserList(users=page, more=len(left) > 2)

    chat = FakeChat()
    chat.answers[m.Users] = users

    async def act(desk: Desk) -> None:
        assert (await desk.done("/users")).startswith("5 users")

    sit(act, chat)


def test_a_room_left_at_once_is_not_read() -> None:
    async def act(desk: Desk) -> None:
        desk.fake.asked.clear()
        desk.take(RoomJoined(view("go", 9)))
        desk.model.close("go")
        await desk.fake.told()
        assert desk.fake.asked == []

    sit(act)

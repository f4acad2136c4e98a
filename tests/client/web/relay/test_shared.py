"""The gateway's own session beside those of its people, over one pair of sockets."""

from __future__ import annotations

from client.link.actions import Action, Subscribe, Unsubscribe
from client.web.relay.shared import Both
from common import credentials
from tests.support.gateway import Broker
from tests.support.relays import relayed


class Half:
    """One of the two, whose wishes are the test's."""

    def __init__(self) -> None:
        self.wishes: list[Action] = []
        self.heard: list[bytes] = []

    def take(self) -> list[Action]:
        taken, self.wishes = self.wishes, []
        return taken

    def event_received(self, frame: bytes, now: float) -> None:
        self.heard.append(frame)


def test_a_topic_is_held_once_and_given_back_by_the_last_one() -> None:
    own, people = Half(), Half()
    both = Both(own, people)  # type: ignore[arg-type]
    on, off = Subscribe(b"lobby\0"), Unsubscribe(b"lobby\0")
    for who, wish, done in (
        (people, on, [on]),
        (own, on, [off, on]),  # so that a marker comes for it as well
        (own, off, []),
        (own, on, [off, on]),
        (people, off, []),
        (own, off, [off]),
        (own, off, [off]),
    ):
        who.wishes.append(wish)
        assert both.take() == done


def test_each_hears_only_what_it_asked_for() -> None:
    own, people = Half(), Half()
    both = Both(own, people)  # type: ignore[arg-type]
    own.wishes.append(Subscribe(b"dev\0"))
    both.take()
    for frame in (b"dev\0x", b"devops\0x", b"lobby\0x", b"broken"):
        both.event_received(frame, 0.0)
    assert own.heard == [b"dev\0x"]
    assert len(people.heard) == 4  # which looks itself


async def test_its_own_session_speaks_and_hears_beside_the_browsers(running: Broker) -> None:
    credential = credentials.read(running.key("gatebot", "gateway", "read:*", "write:*"))
    async with relayed(running.address, credential.keys) as served:
        chat, ana = served.relay.chat, await served.person("ana")
        assert chat.login == "gatebot"
        assert (await ana.ask("create", room="shared", kept=True))["ok"]
        room = await chat.join("shared")
        stream = room.messages()
        await ana.say("shared", "from the page")
        assert (await anext(stream)).text == "from the page"
        await room.send("from the program")
        assert (await ana.hears("shared", "from the program"))["sender"] == "gatebot"
        await room.leave()
        await ana.say("shared", "to nobody")
        await ana.hears("shared", "to nobody")
        await chat.join("shared")
        assert (await ana.ask("leave", room="shared"))["ok"]
        again = chat.room("shared")
        assert again is not None
        await again.send("still here")

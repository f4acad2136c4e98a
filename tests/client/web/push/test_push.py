"""Push as a whole: browsers that subscribe, what happens, and what arrives at the push service and in the browser.

Over a double of the relay; the service speaks real TLS. Pauses are passed in, so that none is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from client.web.push import vapid
from client.web.push.bounds import COLLAPSE_S, FAILURES, PAUSE_S, TRIES
from client.web.push.push import Push
from client.web.push.subscriptions import BadSubscription, Subscriptions
from common import messages as m
from tests.client.web.push.service import Browser, Service
from tests.client.web.push.switchboard import Switchboard, direct, edited, message, retracted, room, state
from tests.support.patience import PATIENCE_S


class Pauses:
    """Pauses that end when the test says so, or at once; each is written down."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.hold: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.begun.set()
        if self.hold is not None:
            await self.hold.wait()
        await asyncio.sleep(0)


class Desk:
    """The parts of one test."""

    def __init__(self, relay: Switchboard, directory: Path, service: Service) -> None:
        self.relay = relay
        self.service = service
        self.pauses = Pauses()
        self.directory = directory
        self.push = Push(relay, directory, connector=service.connector, pause=self.pauses)

    async def add(self, label: str, browser: Browser) -> None:
        assert await self.relay.ask(label, "push-add", subscription=browser.subscription) == {}
        await self.until(lambda: label in self.relay.adopted)

    async def arrives(self, browser: Browser) -> dict[str, Any]:
        arrived = await asyncio.wait_for(self.service.arrived.get(), 20)
        assert arrived.path == f"/{browser.name}"
        return browser.read(arrived.body)

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until the tasks of the gateway have made it so."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0)

    def kept(self) -> list[str]:
        return [each.login for each in Subscriptions(self.directory / "push.json")]


@asynccontextmanager
async def opened(relay: Switchboard, directory: Path, service: Service) -> AsyncIterator[Desk]:
    desk = Desk(relay, directory, service)
    desk.push.start()
    try:
        yield desk
    finally:
        await desk.push.close()


@pytest.fixture
async def desk(tmp_path: Path, service: Service) -> AsyncIterator[Desk]:
    relay = Switchboard(phone=state("ana", room(), room("den", id=2, notify="all")), other=state("cris"))
    async with opened(relay, tmp_path / "web", service) as started:
        yield started


async def test_what_is_meant_for_somebody_arrives_on_their_phone(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    desk.relay.happens("lobby", message(3))
    assert await desk.arrives(phone) == {
        "title": "#lobby", "body": "ben: hi @ana", "talk": "lobby", "tag": "lobby", "seq": 3, "count": 1,
    }  # fmt: skip
    desk.relay.happens("@ana", direct(4))
    assert (await desk.arrives(phone))["talk"] == "@ben"


async def test_a_browser_subscribes_with_the_key_that_signs(desk: Desk) -> None:
    key = (await desk.relay.ask("phone", "push-key"))["key"]
    phone = Browser("phone")
    await desk.add("phone", phone)
    desk.relay.happens("@ana", direct())
    arrived = await desk.service.arrived.get()
    assert arrived.headers["Authorization"].endswith(f"k={key}")


async def test_who_is_there_is_not_told(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    desk.relay.visible.add("ana")
    desk.relay.happens("@ana", direct(1, "while the page is looked at"))
    desk.relay.visible.clear()
    desk.relay.present.add("ana")
    desk.relay.happens("@ana", direct(2, "while the terminal is open"))
    await desk.until(lambda: desk.pauses.taken == [0.0, COLLAPSE_S, 0.0])
    desk.relay.present.clear()
    desk.relay.happens("@ana", direct(3, "now"))
    assert (await desk.arrives(phone))["body"] == "now"


async def test_a_burst_is_one_notice_for_each_conversation(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    for seq in range(1, 6):
        desk.relay.happens("den", message(seq, f"number {seq}"))
    desk.relay.happens("@ana", direct(6))
    first, second = await desk.arrives(phone), await desk.arrives(phone)
    assert (first["body"], first["count"]) == ("ben: number 5", 5)
    assert (second["talk"], second["count"]) == ("@ben", 1)
    await desk.until(lambda: PAUSE_S in desk.pauses.taken)


async def test_what_is_read_taken_back_or_changed_meanwhile_is_told_as_it_is(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    desk.pauses.hold = asyncio.Event()
    desk.pauses.begun.clear()
    desk.relay.happens("den", message(1, "read elsewhere"))
    desk.relay.happens("lobby", message(2, "ana, taken back"))
    desk.relay.happens("@ana", direct(3, "a tyop"))
    desk.relay.happens("@ana", direct(4, "taken back, too"))
    await desk.pauses.begun.wait()
    desk.relay.known["phone"].state.rooms[1].read = 1
    desk.relay.happens("lobby", retracted(2))
    desk.relay.happens("@ana", edited(3, "a typo"))
    desk.relay.happens("@ana", retracted(4))
    desk.relay.happens("elsewhere", retracted(3))
    desk.pauses.hold.set()
    told = await desk.arrives(phone)
    assert (told["talk"], told["body"], told["count"], told["seq"]) == ("@ben", "a typo", 1, 3)
    await desk.until(lambda: PAUSE_S in desk.pauses.taken)
    assert desk.service.nothing_came()


async def test_everybody_is_told_of_their_own_and_nothing_else(desk: Desk) -> None:
    phone, other = Browser("phone"), Browser("other")
    await desk.add("phone", phone)
    await desk.add("other", other)
    desk.relay.happens("den", message(1, "where Cris is not: @cris"))
    assert (await desk.arrives(phone))["talk"] == "den"
    desk.relay.happens("@ben", direct(2, "cris and ana", sender="ana", to="ben"))
    desk.relay.happens("@cris", direct(3, sender="ana", to="cris"))
    assert (await desk.arrives(other))["talk"] == "@ana"
    assert desk.service.nothing_came()


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(desk: Desk, status: int) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    desk.service.answers.append(web.Response(status=status))
    desk.relay.happens("@ana", direct())
    await desk.arrives(phone)
    await desk.until(lambda: desk.kept() == [])
    assert desk.relay.adopted == set(), "and no longer heard for"


async def test_what_failed_is_tried_again_after_as_long_as_was_asked(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    desk.service.answers.append(web.Response(status=503, headers={"Retry-After": "120"}))
    desk.relay.happens("@ana", direct(1, "the first"))
    assert (await desk.arrives(phone))["count"] == 1
    await desk.until(lambda: 120.0 in desk.pauses.taken)
    again = await desk.arrives(phone)
    assert (again["body"], again["count"]) == ("the first", 1)
    assert desk.kept() == ["ana"]


async def test_what_waits_for_another_try_is_told_with_what_came_since(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    desk.service.answers.append(web.Response(status=500))
    desk.relay.happens("@ana", direct(1, "the first"))
    await desk.arrives(phone)
    desk.relay.happens("@ana", direct(2, "the second"))
    again = await desk.arrives(phone)
    assert (again["body"], again["count"]) == ("the second", 2)


async def test_who_fails_again_and_again_is_forgotten(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    desk.service.answers.extend(web.Response(status=500) for _ in range(TRIES * 2))
    desk.service.answers.extend(web.Response(status=403) for _ in range(FAILURES - 2))
    for seq in range(1, FAILURES + 1):
        assert desk.kept() == ["ana"]
        desk.relay.happens("@ana", direct(seq))
        for _ in range(TRIES if seq <= 2 else 1):
            await desk.arrives(phone)
        await desk.until(lambda seq=seq: failures(desk) == (seq if seq < FAILURES else None))
    assert desk.kept() == []


def failures(desk: Desk) -> int | None:
    found = list(Subscriptions(desk.directory / "push.json"))
    return found[0].failures if found else None


async def test_one_that_works_again_is_forgiven(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    desk.service.answers.append(web.Response(status=403))
    desk.relay.happens("@ana", direct(1))
    await desk.until(lambda: failures(desk) == 1)
    desk.relay.happens("@ana", direct(2))
    await desk.until(lambda: failures(desk) == 0)


async def test_subscriptions_outlive_the_gateway(tmp_path: Path, service: Service) -> None:
    phone = Browser("phone")
    key = []
    for number in (1, 2):
        relay = Switchboard(phone=state())
        async with opened(relay, tmp_path, service) as desk:
            key.append((await relay.ask("phone", "push-key"))["key"])
            if number == 1:
                await desk.add("phone", phone)
            await desk.until(lambda relay=relay: relay.adopted == {"phone"})
            relay.happens("@ana", direct(number, f"in life {number}"))
            assert (await desk.arrives(phone))["body"] == f"in life {number}"
    assert key[0] == key[1]


async def test_who_was_logged_out_while_the_gateway_was_away_is_forgotten(tmp_path: Path, service: Service) -> None:
    async with opened(Switchboard(phone=state()), tmp_path, service) as desk:
        await desk.add("phone", Browser("phone"))
    relay = Switchboard()
    relay.away = True
    async with opened(relay, tmp_path, service) as desk:
        await desk.until(lambda: len(desk.pauses.taken) > 2)
        assert desk.kept() == ["ana"], "a broker that is away has logged nobody out"
        relay.away = False
        await desk.until(lambda: desk.kept() == [])


async def test_a_label_that_is_somebody_else_now_is_not_told_what_was_meant_for_another(
    tmp_path: Path, service: Service
) -> None:
    async with opened(Switchboard(phone=state()), tmp_path, service) as desk:
        await desk.add("phone", Browser("phone"))
    async with opened(Switchboard(phone=state("cris")), tmp_path, service) as desk:
        await desk.until(lambda: desk.kept() == [])


@pytest.mark.parametrize("way", ["told", "noticed"])
async def test_a_logout_ends_it(desk: Desk, way: str) -> None:
    await desk.add("phone", Browser("phone"))
    del desk.relay.known["phone"]
    if way == "told":
        await desk.push.forget("phone")
    else:
        desk.relay.happens("@ana", direct())
    await desk.until(lambda: desk.kept() == [])
    assert desk.service.nothing_came()


async def test_a_browser_takes_itself_off(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    assert await desk.relay.ask("other", "push-remove", endpoint=phone.endpoint) == {}
    assert desk.kept() == ["ana"], "somebody else's is not theirs to remove"
    assert await desk.relay.ask("phone", "push-remove", endpoint="https://push.example.net/unknown") == {}
    assert await desk.relay.ask("phone", "push-remove", endpoint=phone.endpoint) == {}
    assert desk.kept() == []
    assert desk.relay.adopted == set()


async def test_to_know_an_endpoint_is_not_to_have_it(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    with pytest.raises(BadSubscription):
        await desk.relay.ask("other", "push-add", subscription=Browser("phone").subscription)
    assert desk.kept() == ["ana"]
    # The same browser, in which somebody else has logged in since, proves itself by its keys.
    await desk.add("other", phone)
    assert desk.kept() == ["cris"]


async def test_what_is_no_subscription_is_refused_and_changes_nothing(desk: Desk) -> None:
    for given in (None, {}, {**Browser("x").subscription, "endpoint": "https://127.0.0.1/x"}):
        with pytest.raises(BadSubscription):
            await desk.relay.ask("phone", "push-add", subscription=given)
    assert not (desk.directory / "push.json").exists()


async def test_to_subscribe_twice_is_to_subscribe_once(desk: Desk) -> None:
    phone = Browser("phone")
    await desk.add("phone", phone)
    await desk.add("phone", phone)
    desk.relay.happens("@ana", direct())
    await desk.arrives(phone)
    await desk.until(lambda: PAUSE_S in desk.pauses.taken)
    assert desk.service.nothing_came()
    assert desk.kept() == ["ana"]


async def test_a_new_subscription_of_a_browser_takes_the_place_of_the_old(desk: Desk) -> None:
    await desk.add("phone", Browser("old"))
    new = Browser("new")
    await desk.add("phone", new)
    assert desk.relay.adopted == {"phone"}
    desk.relay.happens("@ana", direct())
    await desk.arrives(new)


async def test_without_the_libraries_there_is_no_push_and_it_says_why(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vapid, "NEEDED", ("pywebpush_is_not_here",))
    relay = Switchboard(phone=state())
    async with opened(relay, tmp_path, service) as desk:
        assert desk.push.lacks == "pywebpush_is_not_here"
        assert relay.own_ops == {}
        assert relay.overheard == []


async def test_what_is_no_message_rings_nobody(desk: Desk) -> None:
    await desk.add("phone", Browser("phone"))
    before = list(desk.pauses.taken)
    desk.relay.happens("den", m.WritesNow(login="ben", on=True))
    desk.relay.happens("@ana", m.Invited(seq=1, prev=0, time=1, sender="ben", room="x"))
    desk.relay.happens("den", edited(1, "hi ana"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert desk.pauses.taken == before
    assert desk.service.nothing_came()

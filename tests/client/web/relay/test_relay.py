"""The relay end to end: a broker, a gateway, browsers on real sockets."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from client.link.failures import NoAnswer
from client.web.relay import bounds
from client.web.relay.bounds import EARLY, EARLY_BYTES
from client.web.relay.browsers import AGAIN, LOGGED_OUT, TOO_MANY
from common import messages as m
from common.errors import WrongPassword
from common.keys import KeyPair
from tests.support.gateway import PASSWORD, Broker
from tests.support.relays import Page, Served, broker_of, nonce, relayed


def cursors(page: Page) -> dict[str, tuple[int, int]]:
    """Where a page stands that has everything up to the last entry that it was told."""
    state = page.hello["session"]
    found = {room["name"]: (room["id"], room["head"]) for room in state["rooms"]}
    found["@" + state["login"]] = (0, state["inbox"])
    for event in page.told:
        if "seq" in event and event["log"] in found:
            found[event["log"]] = (found[event["log"]][0], event["seq"])
    return found


async def private(owner: Page, name: str, *guests: Page) -> None:
    """A private room, and who is in it."""
    assert (await owner.ask("create", room=name, private=True, kept=True))["ok"]
    for guest in guests:
        login = guest.hello["session"]["login"]
        assert (await owner.ask("invite", room=name, login=login))["ok"]
        assert (await guest.ask("join", room=name))["ok"]


async def test_two_browsers_talk(served: Served) -> None:
    ana, bob = await served.person("ana"), await served.person("bob")
    assert ana.hello["resume"] == "reset"
    assert ana.hello["session"]["login"] == "ana"
    seq = await ana.say("lobby", "hola")
    heard = await bob.hears("lobby", "hola")
    assert (heard["kind"], heard["sender"], heard["seq"]) == ("message", "ana", seq)
    assert await ana.hears("lobby", "hola") == heard


async def test_a_wrong_password_is_refused(served: Served) -> None:
    with pytest.raises(WrongPassword):
        await served.relay.enter("x" * 43, m.Login(login="ana", password="wrong guess"), "192.0.2.7")


async def test_private_messages_reach_every_page_of_both_and_nobody_else(served: Served) -> None:
    ana, bob, eva = [await served.person(login) for login in ("ana", "bob", "eva")]
    other = await served.person("bob")
    assert (await ana.ask("direct", to="bob", text="psst", nonce=nonce()))["ok"]
    for page in (bob, other):
        await page.hears("@bob", "psst")
    await ana.hears("@ana", "psst")
    await ana.say("lobby", "after psst")
    await eva.hears("lobby", "after psst")
    assert "psst" not in [text for log in ("@bob", "@ana", "@eva") for text in eva.texts(log)]


async def test_nobody_gets_a_byte_of_a_private_room_by_whatever_they_send(served: Served) -> None:
    ana, bob, eva = [await served.person(login) for login in ("ana", "bob", "eva")]
    await private(ana, "den", bob)
    den = (await ana.greet())["session"]
    id = next(room["id"] for room in den["rooms"] if room["name"] == "den")
    secret = "the secret is 4711"
    seq = await ana.say("den", secret)
    await bob.hears("den", secret)
    assert (await ana.ask("react", log="den", seq=seq, emoji="👍", on=True, nonce=nonce()))["ok"]
    attacks: list[dict[str, object]] = [
        {"op": "hello", "run": eva.hello["run"], "cursors": {"den": [id, 0]}},
        {"op": "hello", "run": eva.hello["run"], "cursors": {"den": [id, seq - 1], "@ana": [0, 0], "@bob": [0, 0]}},
        {"op": "hello", "as": ana.hello["session"]["login"], "label": "", "login": "ana"},
        {"op": "history", "log": "den"},
        {"op": "history", "log": "den", "as": "", "from": "127.0.0.1"},
        {"op": "history", "log": "@ana"},
        {"op": "history", "log": "DEN"},
        {"op": "search", "query": "secret"},
        {"op": "search", "query": "4711", "log": "den"},
        {"op": "members", "room": "den"},
        {"op": "join", "room": "den"},
        {"op": "enter", "room": "den"},
        {"op": "invite", "room": "den", "login": "eva"},
        {"op": "react", "log": "den", "seq": seq, "emoji": "👍", "nonce": nonce()},
        {"op": "edit", "log": "den", "seq": seq, "text": "x", "nonce": nonce()},
        {"op": "send", "room": "den", "text": "x", "nonce": nonce(), "reply_to": seq},
        {"op": "send", "room": "lobby", "text": "quoting", "nonce": nonce(), "reply_to": seq},
        {"op": "typing", "talk": "den"},
        {"op": "mark", "talk": "den", "read": seq},
        {"op": "rooms", "hidden": True},
        {"op": "subject", "room": "den", "subject": "x"},
        {"op": "subscribe", "log": "den"},
        {"op": "login", "login": "ana", "password": PASSWORD},
        {"op": "logout"},
        {"op": "keys"},
        {"op": "store-get", "key": "x"},
        {"op": "push-add", "subscription": {}},
        {"op": "ping"},
    ]
    for attack in attacks:
        fields = {name: value for name, value in attack.items() if name != "op"}
        await eva.ask(str(attack["op"]), **fields)
        await ana.say("den", f"again {secret}")
    await bob.until(lambda: bob.texts("den").count(f"again {secret}") == len(attacks))
    await ana.say("lobby", "that is all")
    await eva.hears("lobby", "that is all")
    seen = "\n".join(eva.raw)
    assert "4711" not in seen
    assert not [event for event in eva.told if event.get("log") == "den"]
    assert '"den"' not in "\n".join(line for line in eva.raw if "message" not in line or '"ok":false' not in line)


async def test_who_comes_later_hears_only_what_is_said_from_then_on(served: Served) -> None:
    ana, bob = await served.person("ana"), await served.person("bob")
    await private(ana, "cellar")
    early = await ana.say("cellar", "before bob")
    assert (await ana.ask("invite", room="cellar", login="bob"))["ok"]
    joined = await bob.ask("join", room="cellar")
    await bob.told_of("live", log="cellar")
    await ana.say("cellar", "with bob")
    await bob.hears("cellar", "with bob")
    again = await bob.greet(bob.hello["run"], {"cellar": (joined["room"]["id"], 0)})
    await ana.say("cellar", "and more")
    await bob.hears("cellar", "and more")
    assert joined["room"]["since"] >= early
    assert "before bob" not in "\n".join(bob.raw)
    assert again["resume"] == "resumed"


async def test_who_is_expelled_hears_nothing_more_and_the_others_go_on(served: Served) -> None:
    ana, bob, eva = [await served.person(login) for login in ("ana", "bob", "eva")]
    await private(ana, "loft", bob, eva)
    await ana.say("loft", "all here")
    for page in (bob, eva):
        await page.hears("loft", "all here")
    assert (await ana.ask("remove", room="loft", login="eva"))["ok"]
    await ana.say("loft", "without eva")
    await bob.hears("loft", "without eva")
    await eva.told_of("left-room", name="loft", reason="removed")
    await ana.say("lobby", "still here")
    await eva.hears("lobby", "still here")
    assert "without eva" not in "\n".join(eva.raw)


async def test_a_room_of_the_same_name_is_another_room(served: Served) -> None:
    ana, bob = await served.person("ana"), await served.person("bob")
    await private(ana, "attic", bob)
    first = next(room for room in (await bob.greet())["session"]["rooms"] if room["name"] == "attic")
    await ana.say("attic", "old words")
    await bob.hears("attic", "old words")
    assert (await ana.ask("delete", room="attic"))["ok"]
    await bob.told_of("left-room", name="attic")
    await private(ana, "attic")
    await ana.say("attic", "new words")
    await ana.hears("attic", "new words")
    resumed = await bob.greet(bob.hello["run"], {"attic": (first["id"], first["head"])})
    assert "attic" not in [room["name"] for room in resumed["session"]["rooms"]]
    assert "new words" not in "\n".join(bob.raw)


async def test_a_page_that_comes_back_gets_what_it_missed_and_nothing_twice(served: Served) -> None:
    ana, label = await served.person("ana"), await served.login("bob")
    bob = await served.page(label)
    await bob.greet()
    await ana.say("lobby", "one")
    await bob.hears("lobby", "one")
    where, run = cursors(bob), bob.hello["run"]
    await bob.close()
    for text in ("two", "three"):
        await ana.say("lobby", text)
    back = await served.page(label)
    assert (await back.greet(run, where))["resume"] == "resumed"
    await back.hears("lobby", "three")
    await ana.say("lobby", "four")
    await back.hears("lobby", "four")
    assert back.texts("lobby") == ["two", "three", "four"]
    other = await served.page(label)
    assert (await other.greet("another run", where))["resume"] == "reset"


async def test_what_is_beyond_the_ring_is_called_a_gap(served: Served) -> None:
    ana, label = await served.person("ana"), await served.login("bob")
    bob = await served.page(label)
    await bob.greet()
    await ana.say("lobby", "before")
    await bob.hears("lobby", "before")
    where, run = cursors(bob), bob.hello["run"]
    await bob.close()
    for number in range(bounds.REPLAY_FRAMES + 1):
        await ana.say("lobby", f"missed {number}")
    await ana.hears("lobby", f"missed {bounds.REPLAY_FRAMES}")
    back = await served.page(label)
    assert (await back.greet(run, where))["resume"] == "gap"
    assert back.hello["gaps"] == ["lobby"]
    missed = await back.ask("history", log="lobby", after=where["lobby"][1])
    assert [entry["text"] for entry in missed["entries"]] == [
        f"missed {number}" for number in range(bounds.REPLAY_FRAMES + 1)
    ]


async def test_logging_out_ends_every_page_of_the_session_and_no_other(served: Served) -> None:
    label = await served.login("ana")
    pages = [await served.page(label) for _ in range(2)]
    for page in pages:
        await page.greet()
    other = await served.person("ana")
    await served.relay.leave(label)
    for page in pages:
        assert await page.ended() == LOGGED_OUT
        assert page.told[-1] == {"kind": "ended", "reason": "logout"}
    again = await served.page(label)
    await again.send('{"op":"hello","id":1}')
    assert await again.ended() == LOGGED_OUT
    await other.say("lobby", "still in")
    await other.hears("lobby", "still in")


async def test_what_ends_a_session_says_so_to_its_pages(served: Served) -> None:
    label = await served.login("ana")
    page = await served.page(label)
    await page.greet()
    await served.relay.leave(label, reason="replaced")
    assert await page.ended() == LOGGED_OUT
    assert page.told[-1] == {"kind": "ended", "reason": "replaced"}


async def test_a_logout_that_is_lost_with_the_broker_ends_nothing_and_nothing_is_missed(
    gate: KeyPair, tmp_path: Path
) -> None:
    with broker_of(gate, tmp_path / "data", "ana", "bob") as running:
        async with relayed(running.address, gate) as served:
            label = await served.login("ana")
            ana, bob = await served.page(label), await served.person("bob")
            await ana.greet()
            await private(bob, "vault", ana)
            running.process.send_signal(signal.SIGSTOP)
            leaving = asyncio.create_task(served.relay.leave(label))
            await asyncio.sleep(0)  # it has been asked
            running.end(signal.SIGKILL)
            with pytest.raises(NoAnswer):
                await leaving
            again = running.again()
            try:
                await ana.told_of("gap")
                await bob.told_of("link", state="live")
                for page in (ana, bob):
                    assert (await page.greet(page.hello["run"], cursors(page)))["ok"]
                for room in ("lobby", "vault"):
                    seq = await bob.say(room, f"one in {room}")
                    await ana.until(lambda: any(reaches(event, room, seq) for event in ana.told))  # noqa: B023
                    await bob.say(room, f"two in {room}")
                    await ana.hears(room, f"two in {room}")
                assert "ended" not in [event["kind"] for event in ana.told]
                await served.relay.leave(label)
                assert await ana.ended() == LOGGED_OUT
            finally:
                again.end()


def reaches(event: dict[str, Any], log: str, seq: int) -> bool:
    """Whether an event tells of that place of a log."""
    return event.get("log") == log and seq in (event.get("seq"), event.get("head"))


async def test_a_change_of_password_ends_the_other_sessions(served: Served) -> None:
    eva, other = await served.person("eva"), await served.person("eva")
    assert (await eva.ask("password", old=PASSWORD, new="another long password"))["ok"]
    assert await other.ended() == LOGGED_OUT
    assert other.told[-1] == {"kind": "ended", "reason": "password"}
    assert (await eva.ask("password", old="another long password", new=PASSWORD))["ok"]


async def test_a_label_that_becomes_another_accounts_shows_nothing_of_the_first(served: Served) -> None:
    label = await served.login("ana")
    ana = await served.page(label)
    await ana.greet()
    # Not as the gateway does it, which never uses a label twice.
    relay = served.relay
    await relay._ask(label, m.Logout(), "", 10.0)
    await relay.enter(label, m.Login(login="bob", password=PASSWORD), "192.0.2.7")
    assert await ana.ended() == LOGGED_OUT
    bob = await served.page(label)
    assert (await bob.greet())["session"]["login"] == "bob"


@pytest.mark.parametrize(
    "frame",
    [
        "", "null", "[]", "1", "{}", '{"op":"ping"}', '{"id":1}', '{"op":1,"id":1}', '{"op":"ping","id":0}',
        '{"op":"ping","id":1.5}', '{"op":"ping","id":99999999999999999999}', '{"op":"ping","id":"1"}',
        '{"op":"ping","id":true}', '{"op":"nope","id":1}', '{"op":"send","id":1,"room":"lobby"}',
        '{"op":"send","id":1,"room":"lobby","text":"x","nonce":"short"}',
        '{"op":"send","id":1,"room":"lobby","text":"\\ud800","nonce":"AAAAAAAAAAAAAAAAAAAAAA=="}',
        '{"op":"history","id":1,"log":"lobby","limit":1e3}', '{"op":"history","id":1,"log":"lobby","limit":100000}',
        '{"op":"history","id":1,"log":"lobby","after":-1}',
        '{"op":"ping","id":1,"x":' + "[" * 40_000 + "]" * 40_000 + "}",
        '{"op":"hello","id":1,"cursors":{"a":[1]}}', '{"op":"hello","id":1,"cursors":[]}', '{"op":"active","id":1}',
        '{"op":"ping","id":1}{"op":"ping","id":2}', "\u0000", '{"op":"__class__","id":1}',
        '{"op":"ping","id":1,"id":NaN}',
    ],
)  # fmt: skip
async def test_whatever_is_no_request_gets_one_clear_error(served: Served, frame: str) -> None:
    page = await served.person("ana")
    await page.send(frame)
    await page.until(lambda: any('"ok":false' in each for each in page.raw))
    answer = json.loads(next(each for each in page.raw if '"ok":false' in each))
    assert answer["id"] in (0, 1)
    assert answer["error"]["code"] in ("bad-request", "unknown-op")
    assert (await page.ask("ping"))["ok"]


async def test_refusals_are_told_in_the_persons_language(served: Served) -> None:
    page = await served.person("ana", lang="es")
    refusal = await page.ask("join", room="nowhere")
    assert refusal["error"]["code"] == "no-such-room"
    english = await (await served.person("ana")).ask("join", room="nowhere")
    assert refusal["error"]["message"] != english["error"]["message"]


async def test_frames_that_are_too_long_or_binary_close_the_socket(served: Served) -> None:
    for send, code in (
        (lambda page: page.socket.send_str("x" * (bounds.FRAME_BYTES + 1)), 1009),
        (lambda page: page.socket.send_bytes(b"x"), 1003),
    ):
        page = await served.person("ana")
        await send(page)
        assert await page.ended() == code


async def test_a_socket_needs_the_subprotocol_a_login_and_a_hello(served: Served) -> None:
    label = await served.login("ana")
    assert await (await served.page(label, protocols=())).ended() == 1002
    stranger = await served.page("")
    assert await stranger.ended() == LOGGED_OUT
    assert stranger.told == [{"kind": "ended", "reason": "logged-out"}]
    mute = await served.page(label)
    assert (await mute.ask("history", log="lobby"))["error"]["code"] == "bad-request"


async def test_what_is_asked_behind_the_first_hello_is_answered_after_it(running: Broker, served: Served) -> None:
    ana = await served.person("ana")
    await ana.say("lobby", "before")
    page, wordy = await served.page(await served.login("ana")), await served.page(await served.login("ana"))
    running.process.send_signal(signal.SIGSTOP)
    try:
        await wordy.send('{"op":"hello","id":1}')
        await wordy.send(
            json.dumps({"op": "send", "id": 2, "room": "lobby", "text": "é" * (EARLY_BYTES // 2)}, ensure_ascii=False)
        )
        assert (await wordy.answer(2))["error"]["code"] == "busy"
        await page.send('{"op":"hello","id":1}')
        for number in range(2, EARLY + 3):
            await page.send(f'{{"op":"history","id":{number},"log":"lobby","limit":1}}')
        assert (await page.answer(EARLY + 2))["error"]["code"] == "busy"
    finally:
        running.process.send_signal(signal.SIGCONT)
    assert (await page.answer(1))["session"]["login"] == "ana"
    for number in range(2, EARLY + 2):
        assert [entry["text"] for entry in (await page.answer(number))["entries"]] == ["before"]
    answers = [frame["id"] for frame in map(json.loads, page.raw) if "id" in frame]
    assert answers.index(1) == 1, answers


async def test_what_is_asked_behind_a_hello_of_nobody_is_not_answered(served: Served) -> None:
    page = await served.page("ab" * 16)
    await page.send('{"op":"hello","id":1}')
    await page.send('{"op":"history","id":2,"log":"lobby","limit":1}')
    assert await page.ended() == LOGGED_OUT
    assert "entries" not in "".join(page.raw)


async def test_one_tab_too_many_is_closed(served: Served) -> None:
    label = await served.login("ana")
    for _ in range(bounds.SOCKETS_PER_SESSION):
        assert (await (await served.page(label)).greet())["ok"]
    page = await served.page(label)
    await page.send('{"op":"hello","id":1}')
    assert await page.ended() == TOO_MANY


async def test_a_silent_socket_is_closed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    page, talker = await served.person("ana"), await served.person("bob")
    monkeypatch.setattr("client.web.relay.relay.SILENCE_S", 1.5)
    ending = asyncio.create_task(page.ended())
    while not ending.done():
        assert (await talker.ask("ping"))["ok"]
        await asyncio.sleep(0.1)
    assert ending.result() == 1001


async def test_a_page_that_does_not_read_delays_nobody_and_is_told_of_the_gap(served: Served) -> None:
    ana, bob = await served.person("ana"), await served.person("bob")
    transport = bob.socket._response.connection.transport  # type: ignore[union-attr]
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    text, last = "é" * 8_000, 0
    for _ in range(3 * bounds.QUEUE_FRAMES):
        last = await ana.say("lobby", text)
        if served.relay._overflowed:
            break
    outlet = next(iter(served.relay._overflowed))
    held = outlet.waiting
    assert held <= bounds.QUEUE_BYTES
    for number in range(20):
        await ana.say("lobby", f"late {number}")
    await ana.hears("lobby", "late 19")
    assert outlet.waiting == held
    transport.resume_reading()
    await bob.told_of("gap")
    assert (await bob.greet(bob.hello["run"], cursors(bob)))["resume"] in ("resumed", "gap")
    missed = await bob.ask("history", log="lobby", after=cursors(bob)["lobby"][1])
    heard = [event["seq"] for event in bob.told if event.get("log") == "lobby" and "seq" in event]
    whole = heard + [entry["seq"] for entry in missed["entries"] if entry["seq"] not in heard]
    assert len(set(heard)) == len(heard)
    assert last in whole
    assert "late 19" in bob.texts("lobby") + [entry["text"] for entry in missed["entries"]]


async def test_a_broker_that_dies_leaves_the_pages_and_finds_them_again(running: Broker, gate: KeyPair) -> None:
    async with relayed(running.address, gate) as served:
        ana, bob = await served.person("ana"), await served.person("bob")
        await private(ana, "vault", bob)
        await ana.say("vault", "before")
        await bob.hears("vault", "before")
        running.end(signal.SIGKILL)
        await bob.told_of("link", state="offline")
        refusal = await bob.ask("history", log="vault")
        assert refusal["error"]["code"] == "no-answer"
        assert (await bob.greet())["error"]["code"] == "no-answer"
        again = running.again()
        running.process, running.address = again.process, again.address
        await bob.told_of("link", state="live")
        await ana.told_of("link", state="live")
        for page in (ana, bob):
            assert (await page.greet())["ok"]
        await ana.say("vault", "after")
        await bob.hears("vault", "after")
        assert {
            member["login"]: member["online"] for member in (await ana.ask("members", room="vault"))["members"]
        } == {
            "ana": True,
            "bob": True,
        }


async def test_a_drained_relay_sends_everybody_away_to_come_back(running: Broker, gate: KeyPair) -> None:
    async with relayed(running.address, gate) as served:
        page = await served.person("ana")
        await served.relay.drain()
        assert await page.ended() == AGAIN
        assert page.told[-1] == {"kind": "closing"}
        late = await served.page(await served.login("ana"))
        assert await late.ended() == AGAIN

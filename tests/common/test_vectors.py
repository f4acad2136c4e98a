"""The test vectors hold for this implementation: each case of tests/vectors is one test."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from client.link.logs import Hole, Log
from common import addresses, codec, errors, lookalikes, messages, names, texts, topics

FOLDER: Final = Path(__file__).parents[1] / "vectors"


def vectors(file: str, part: str) -> pytest.MarkDecorator:
    """One test for each case."""
    cases = json.loads((FOLDER / f"{file}.json").read_text("utf-8"))[part]
    return pytest.mark.parametrize("case", cases, ids=[name_of(case, number) for number, case in enumerate(cases)])


def name_of(case: Any, number: int) -> str:
    found = case.get("name") or case.get("why") or case.get("code") or "" if isinstance(case, dict) else ""
    return ascii(f"{number} {found}".strip())[1:-1]


def plain(value: Any) -> Any:
    """What MessagePack says, with binary as the vectors write it."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def said(frame: bytes) -> Any:
    return plain(msgspec.msgpack.decode(frame))


def text_of(value: str | dict[str, Any]) -> str:
    return value if isinstance(value, str) else value["repeat"] * value["times"]


# Frames


@vectors("requests", "valid")
def test_a_request(case: dict[str, Any]) -> None:
    frame = bytes.fromhex(case["hex"])
    request = codec.decode_request(frame)
    again = codec.encode_request(request.id, request.command, request.session, request.address)
    assert said(again) == case["map"]
    assert (again == frame) or not case["written"]


@vectors("requests", "malformed")
def test_a_malformed_request(case: dict[str, Any]) -> None:
    with pytest.raises(codec.RequestError) as refused:
        codec.decode_request(bytes.fromhex(case["hex"]))
    assert (refused.value.cause.code, refused.value.id) == (case["code"], case["id"])


@vectors("replies", "valid")
def test_a_reply(case: dict[str, Any]) -> None:
    frame = bytes.fromhex(case["hex"])
    number = case["map"]["id"]
    found, reply = codec.decode_reply(frame, {number: messages.OPS[case["op"]][1]})
    assert found == number
    assert isinstance(reply, messages.Reply)
    again = codec.encode_reply(reply)
    assert said(again) == case["map"]
    assert (again == frame) or not case["written"]


@vectors("replies", "errors")
def test_a_refusal(case: dict[str, Any]) -> None:
    number, error = codec.decode_reply(bytes.fromhex(case["hex"]), {case["id"]: messages.Sent})
    assert isinstance(error, errors.ChatError)
    assert (number, error.message, error.retry_after) == (case["id"], case["message"], case["retry_after"])
    known = errors.BY_CODE.get(case["code"])
    assert type(error) is (known or errors.ChatError)


@vectors("replies", "malformed")
def test_a_malformed_reply(case: dict[str, Any]) -> None:
    with pytest.raises(errors.BadRequest):
        codec.decode_reply(bytes.fromhex(case["hex"]), {1: messages.Sent})


@vectors("events", "valid")
def test_an_event(case: dict[str, Any]) -> None:
    frame = bytes.fromhex(case["hex"])
    log, event = codec.decode_event(frame)
    again = codec.encode_event(log, event)
    assert log == case["log"]
    assert said(again.split(b"\0", 1)[1]) == case["map"]
    assert (again == frame) or not case["written"]


@vectors("events", "malformed")
def test_a_malformed_event(case: dict[str, Any]) -> None:
    with pytest.raises(errors.BadRequest):
        codec.decode_event(bytes.fromhex(case["hex"]))


# Names and texts


@vectors("names", "valid")
def test_a_name(case: dict[str, str]) -> None:
    assert names.parse(case["name"]) == case["normal"]
    assert names.key(case["name"]) == names.key(case["normal"]) == case["key"]


@vectors("names", "invalid")
def test_no_name(case: dict[str, str]) -> None:
    with pytest.raises(errors.BadName):
        names.parse(case["name"])


@vectors("names", "same")
def test_one_name(case: list[str]) -> None:
    assert len({names.key(name) for name in case}) == 1


@vectors("names", "alike")
def test_names_that_look_alike(case: list[str]) -> None:
    first, second = (names.parse(name) for name in case)
    assert names.key(first) != names.key(second)
    assert lookalikes.skeleton(first) == lookalikes.skeleton(second)


@vectors("names", "distinct")
def test_names_that_do_not(case: list[str]) -> None:
    first, second = (names.parse(name) for name in case)
    assert names.key(first) != names.key(second)
    assert lookalikes.skeleton(first) != lookalikes.skeleton(second)


@vectors("texts", "messages")
def test_a_text(case: dict[str, Any]) -> None:
    text = text_of(case["text"])
    assert texts.check_text(text) == text


@vectors("texts", "no_messages")
def test_no_text(case: dict[str, Any]) -> None:
    with pytest.raises(errors.BadText):
        texts.check_text(text_of(case["text"]))


@vectors("texts", "lines")
def test_a_line(case: dict[str, str]) -> None:
    assert texts.check_line(case["text"], "It") == case["text"]


@vectors("texts", "no_lines")
def test_no_line(case: dict[str, str]) -> None:
    with pytest.raises(errors.BadText):
        texts.check_line(case["text"], "It")


@vectors("texts", "emoji")
def test_an_emoji(case: dict[str, str]) -> None:
    assert texts.check_emoji(case["text"]) == case["text"]


@vectors("texts", "no_emoji")
def test_no_emoji(case: dict[str, str]) -> None:
    with pytest.raises(errors.BadText):
        texts.check_emoji(case["text"])


@vectors("texts", "shown")
def test_how_a_text_is_shown(case: dict[str, str]) -> None:
    assert texts.visible(case["text"]) == case["shown"]


# Topics and addresses


@vectors("topics", "valid")
def test_a_topic(case: dict[str, str]) -> None:
    topic = bytes.fromhex(case["hex"])
    assert topics.topic(case["log"]) == topic
    assert topics.split(topic + b"body\0") == (case["log"], b"body\0")
    assert topics.is_beacon(topic) == (case["of"] == "beacon")
    if case["of"] == "inbox":
        assert topics.inbox(case["log"][1:]) == case["log"]
    if case["of"] == "beacon":
        assert topics.beacon(urlsafe_b64decode(case["log"][1:] + "=")) == case["log"]


@vectors("topics", "no_beacons")
def test_no_beacon(case: dict[str, str]) -> None:
    assert not topics.is_beacon(bytes.fromhex(case["hex"]))


@vectors("addresses", "valid")
def test_an_address(case: dict[str, Any]) -> None:
    address = addresses.parse(case["text"])
    assert (address.host, address.port) == (case["host"], case["port"])
    assert (address.key.hex() if address.key else None) == case["key"]
    assert str(address) == case["full"]
    assert [address.commands, address.broadcast, address.greeting] == case["endpoints"]
    assert addresses.parse(str(address)) == address


@vectors("addresses", "invalid")
def test_no_address(case: dict[str, str]) -> None:
    with pytest.raises(addresses.BadAddress):
        addresses.parse(case["text"])


@vectors("addresses", "keys")
def test_a_key(case: dict[str, str]) -> None:
    key = bytes.fromhex(case["hex"])
    assert addresses.encode_key(key) == case["text"]
    assert addresses.decode_key(case["text"]) == key
    assert addresses.fingerprint(key) == case["fingerprint"]


# Gaps


def entry(seq: int, prev: int) -> messages.Message:
    return messages.Message(seq=seq, prev=prev, time=0, sender="ana", text="hola", nonce=bytes(16))


def answer(log: list[dict[str, int]], hole: Hole, limit: int, newest: int) -> tuple[list[messages.Message], bool]:
    """What a broker answers to a request for the entries in a hole."""
    found = [each for each in log if hole.after < each["seq"] < hole.before and each["seq"] <= newest]
    return [entry(**each) for each in found[:limit]], len(found) > limit


@vectors("gaps", "scenarios")
def test_a_gap(case: dict[str, Any]) -> None:
    log = Log("lobby", 1, case["seen"])
    now, still = 0.0, 1.0
    hole: Hole | None = None
    for number, step in enumerate(case["steps"]):
        delivered: list[messages.AnyEntry] = []
        if "entry" in step:
            delivered = log.heard(entry(**step["entry"]))
        elif "live" in step:
            log.ends_at(step["live"])
        elif "pong" in step:
            log.rumoured(step["pong"], now, still)
            now += still
        else:
            assert hole is not None, "an answer to a request"
            log.fetching = False
            delivered = log.page(hole, *answer(case["log"], hole, **step["answer"]))
        assert [each.seq for each in delivered] == step["delivers"], (number, step)
        found = log.hole(now)
        asks = step["asks"]
        assert (found is None) == (asks is None), (number, step, found)
        if found is not None:
            assert found.after == asks["after"], (number, step, found)
            assert found.before > asks["to"], (number, step, found)
            hole, log.fetching = found, True

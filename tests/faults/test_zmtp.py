"""The driver is a client that libzmq takes for one; and what is no such client is hung up on, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from broker.app import EmbeddedBroker
from common import codec, messages, topics
from common.keys import generate
from tests.faults import zmtp
from tests.faults.zmtp import Violation
from tests.faults.zmtp_peer import BROADCAST, GREETING, Peer
from tests.support.loopback import RawClient

HELLO = messages.Hello(versions=[1], client="by hand")


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


def hello(peer: Peer, number: int = 1) -> messages.Welcome:
    peer.message(codec.encode_request(number, HELLO))
    got, reply = codec.decode_reply(peer.answer(), {number: messages.Welcome})
    assert got == number
    assert isinstance(reply, messages.Welcome)
    return reply


def test_a_whole_conversation_by_hand(broker: EmbeddedBroker) -> None:
    keys = generate()
    with Peer(broker.address, keys=keys) as commands, Peer(broker.address, BROADCAST, keys=keys) as broadcast:
        commands.handshake()
        beacon = hello(commands).beacon
        broadcast.handshake(b"SUB")
        broadcast.message(zmtp.subscription(topics.topic(beacon)))
        event = codec.decode_event(broadcast.answer()).event
        assert isinstance(event, messages.Live)
        assert event.log == beacon
        with RawClient(broker.address, keys) as libzmq:
            assert libzmq.ask(HELLO).beacon == beacon, "the key is the session, whoever drives it"


def test_frames_split_anywhere_and_long_ones_arrive(broker: EmbeddedBroker) -> None:
    with Peer(broker.address).handshake() as peer:
        for byte in zmtp.frame(peer.curve.message(codec.encode_request(1, HELLO))):
            peer.send(bytes([byte]))
        assert codec.decode_reply(peer.answer(), {1: messages.Welcome})[0] == 1
        whole = codec.encode_request(2, HELLO)
        peer.message(b"\xde\0\x05" + whole[1:] + b"\xa1x\xc5\xff\0" + bytes(0xFF00))
        assert codec.decode_reply(peer.answer(), {2: messages.Welcome})[0] == 2


def test_a_mechanism_other_than_the_sockets_own_is_hung_up_on(broker: EmbeddedBroker) -> None:
    for above, mechanism in ((0, b"NULL"), (BROADCAST, b"PLAIN"), (0, b"curve"), (GREETING, b"CURVE")):
        with Peer(broker.address, above) as peer:
            peer.send(zmtp.greeting(mechanism))
            assert peer.hung_up(), mechanism


def test_the_greeting_socket_answers_in_the_clear(broker: EmbeddedBroker) -> None:
    with Peer(broker.address, GREETING) as peer:
        peer.send(zmtp.greeting(b"NULL"))
        peer.greeted()
        peer.command(zmtp.READY + zmtp.property_of(b"Socket-Type", b"DEALER") + zmtp.property_of(b"Identity", b""))
        assert peer.frame().body.startswith(zmtp.READY)
        peer.send(zmtp.frame(b"\x83\xa2op\xa5greet\xa2id\x01\xa8versions\x91\x01"))
        assert broker.address.key is not None
        assert broker.address.key in peer.frame().body


def test_the_handshake_may_stop_anywhere_and_others_are_served(broker: EmbeddedBroker) -> None:
    peers = [Peer(broker.address) for _ in range(4)]
    peers[1].send(zmtp.greeting()[:30])
    for peer in peers[2:]:
        peer.send(zmtp.greeting())
        peer.greeted()
        peer.command(peer.curve.hello())
    peers[3].curve.welcomed(peers[3].frame().body)
    peers[3].send(zmtp.frame(peers[3].curve.initiate(b""), zmtp.COMMAND)[:100])
    with Peer(broker.address) as honest:
        hello(honest.handshake())
    for peer in peers:
        peer.reset()


def test_what_is_forged_repeated_or_too_long_ends_the_connection(broker: EmbeddedBroker) -> None:
    def forged(peer: Peer) -> bytes:
        whole = bytearray(peer.curve.message(codec.encode_request(1, HELLO)))
        whole[-1] ^= 1
        return zmtp.frame(bytes(whole))

    def repeated(peer: Peer) -> bytes:
        return 2 * zmtp.frame(peer.curve.message(codec.encode_request(1, HELLO)))

    def too_long(peer: Peer) -> bytes:
        return zmtp.frame(peer.curve.message(bytes(70_000)))

    def claimed(peer: Peer) -> bytes:
        return zmtp.frame(b"", zmtp.LONG, size=2**62)

    def in_the_clear(peer: Peer) -> bytes:
        return zmtp.frame(codec.encode_request(1, HELLO))

    for make in (forged, repeated, too_long, claimed, in_the_clear):
        with Peer(broker.address).handshake() as peer:
            peer.send(make(peer))
            assert peer.hung_up(), make.__name__


def test_a_handshake_with_another_key_than_the_brokers_ends(broker: EmbeddedBroker) -> None:
    with Peer(replace(broker.address, key=generate().public)) as peer, pytest.raises(Violation):
        peer.handshake()


def test_who_chose_a_routing_id_is_answered_nothing(broker: EmbeddedBroker) -> None:
    with Peer(broker.address) as chosen, Peer(broker.address) as honest:
        chosen.handshake(identity=b"somebody")
        chosen.message(codec.encode_request(1, HELLO))
        hello(honest.handshake())
        chosen.socket.settimeout(0.1)
        assert not chosen.hung_up()

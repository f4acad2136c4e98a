"""Some joins under attack, and proof that the ears would notice: a member's connection does hear the secret."""

from __future__ import annotations

from broker.app import EmbeddedBroker
from common import codec, messages, topics
from common.keys import generate
from tests.faults import joins, zmtp
from tests.faults.broker_process import BrokerProcess
from tests.faults.joins_attack import Eavesdropper
from tests.faults.joins_pair import MARK, Pair
from tests.faults.zmtp_peer import BROADCAST, Peer


def test_nobody_overhears_and_everybody_gets_in() -> None:
    with BrokerProcess(joins.CONFIG) as broker:
        report, attack = joins.attacked(broker, 24, pairs=2, attackers=1)
        assert broker.alive
    assert report.overheard == []
    assert report.rounds == len(report.waits) == report.heard_rightly == 24
    assert report.cuts >= 10, "whoever was expelled was cut off"
    assert attack["frames"] > 100


def test_a_guest_who_hears_what_was_not_meant_is_noticed() -> None:
    with EmbeddedBroker() as broker, Pair(broker.address, "cellar") as pair:
        pair.round(expelled=True)
        assert pair.overheard == []
        # Planted: what is said to the guest counts as if it had not been meant for them.
        pair.only_meant_for_others = True
        pair.round(expelled=True)
        assert len(pair.overheard) == 1


def test_an_eavesdropper_who_hears_something_reports_it() -> None:
    with EmbeddedBroker() as broker:
        eavesdropper = Eavesdropper(str(broker.address), 0, ["cellar"])
        with Peer(broker.address, keys=eavesdropper.member).handshake() as commands:
            peer = Peer(broker.address, BROADCAST, keys=eavesdropper.member).handshake(b"SUB")
            peer.message(zmtp.subscription(topics.topic("lobby")))
            eavesdropper.peers.append(peer)
            # Planted: the secret is said where this one is a member.
            speak(commands, f"{MARK} 1")
            peer.wait()
            eavesdropper.finish()
        assert len(eavesdropper.heard) == 1


def speak(peer: Peer, text: str) -> None:
    peer.message(codec.encode_request(1, messages.Send(room="lobby", text=text, nonce=generate().public[:16])))
    assert codec.decode_reply(peer.answer(), {1: messages.Sent})[0] == 1

"""The operator's socket: private to the directory's owner, and typed as the network is."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from broker.app import EmbeddedBroker
from broker.chat.operators import AccountList, ListUsers
from broker.wire.operator import Operator, endpoint
from broker.wire.operator_client import OperatorClient, listens
from broker.wire.sockets import CannotListen
from common import messages
from common.errors import NoSuchUser
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_MS


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


def test_the_socket_is_its_owners_alone(broker: EmbeddedBroker) -> None:
    assert stat.S_IMODE((broker.data_dir / "operator.sock").stat().st_mode) == 0o600


def test_operations_are_answered_or_refused(broker: EmbeddedBroker) -> None:
    from broker.chat.operators import DisableUser

    with OperatorClient(broker.data_dir / "operator.sock") as client:
        reply = client.ask(ListUsers())
        assert isinstance(reply, AccountList)
        with pytest.raises(NoSuchUser):
            client.ask(DisableUser(login="nobody"))
        assert client.ask(ListUsers()).ok


def test_the_networks_operations_are_none_of_the_operators_and_the_other_way_round(broker: EmbeddedBroker) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.connect(endpoint(broker.data_dir / "operator.sock"))
        dealer.send_multipart([b"two", b"frames"])
        dealer.send(msgspec.msgpack.encode({"op": "hello", "id": 1, "versions": [1]}))
        assert dealer.poll(PATIENCE_MS)
        assert msgspec.msgpack.decode(dealer.recv())["error"]["code"] == "unknown-op"
    with RawClient(broker.address) as client:
        client.hello()
        client.dealer.send(msgspec.msgpack.encode({"op": "user-list", "id": 2}))
        _, error = client.receive((2, messages.Reply))
        assert error.code == "unknown-op"


def test_a_file_left_behind_is_nobody_listening(tmp_path: Path) -> None:
    path = tmp_path / "operator.sock"
    assert not listens(path)
    import socket

    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert not listens(path)
    with zmq.Context() as context:
        operator = Operator(context, path)
        assert listens(path)
        operator.send(b"\0gone", b"reply")
        operator.close(0)
    assert not listens(path)


def test_a_path_that_is_too_long_or_cannot_be_made_is_named(tmp_path: Path) -> None:
    with zmq.Context() as context:
        with pytest.raises(CannotListen, match="choose a shorter --data-dir"):
            Operator(context, tmp_path / ("x" * 110))
        with pytest.raises(CannotListen, match="cannot be made"):
            Operator(context, tmp_path / "none" / "operator.sock")

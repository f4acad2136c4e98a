"""The network sockets: every option that must be set, and what is said when a port cannot be had."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import zmq

from broker.wire import sockets
from broker.wire.sockets import CannotListen, Context, Sockets, open_sockets
from common.keys import generate
from common.limits import HANDSHAKE_S

SECRET = generate().secret


@contextmanager
def taken(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    with socket.create_server((host, port)) as server:
        yield server.getsockname()[1]


def free() -> int:
    """A port that is free, as are the two above it."""
    while True:
        with contextlib.suppress(OSError, OverflowError), taken() as port, taken(port=port + 1), taken(port=port + 2):
            return port


def names(made: Sockets) -> list[str]:
    bound = (made.commands, made.broadcast[0], made.greeting)
    return [each.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode() for each in bound]


def test_port_zero_finds_three_ports_in_a_row(context: Context) -> None:
    made = open_sockets(context, "127.0.0.1", 0, SECRET)
    assert names(made) == [f"tcp://127.0.0.1:{made.port + above}" for above in range(3)]


def test_a_second_one_finds_others(context: Context) -> None:
    made = [open_sockets(context, "127.0.0.1", 0, SECRET) for _ in range(10)]
    assert len({sockets.port for sockets in made}) == 10


@pytest.mark.parametrize(
    ("listen", "start"), [("*", "tcp://[::]:"), ("::1", "tcp://[::1]:"), ("[::1]", "tcp://[::1]:")]
)
def test_every_way_to_name_an_address(context: Context, listen: str, start: str) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this system has no IPv6")
    assert names(open_sockets(context, listen, 0, SECRET))[0].startswith(start)


def test_a_host_name_is_resolved(context: Context) -> None:
    assert open_sockets(context, "localhost", 0, SECRET).port


@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_taken_port_is_named_with_what_to_do(context: Context, above: int) -> None:
    port = free()
    with taken(port=port + above), pytest.raises(CannotListen, match=f"Port {port + above} is taken.*--port"):
        open_sockets(context, "127.0.0.1", port, SECRET)


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system does not share ports")
def test_a_port_that_another_program_would_share_is_taken(context: Context) -> None:
    port = free()
    with socket.create_server(("127.0.0.1", port + 1), reuse_port=True):
        with pytest.raises(CannotListen, match=f"Port {port + 1} is taken"):
            open_sockets(context, "127.0.0.1", port, SECRET)


def test_an_address_of_another_machine_is_refused(context: Context) -> None:
    with pytest.raises(CannotListen, match=r"no address 192\.0\.2\.77"):
        open_sockets(context, "192.0.2.77", 0, SECRET)
    with pytest.raises(CannotListen, match="neither an address nor a name"):
        open_sockets(context, "no such host", 0, SECRET)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "Port 80 needs privileges"),
        (errno.ENOMEM, r"Cannot listen on \* port 80: Cannot allocate memory"),
    ],
)
def test_other_reasons_have_their_sentences(number: int, sentence: str) -> None:
    with pytest.raises(CannotListen, match=sentence):
        raise sockets._explained(zmq.ZMQError(number), "*", 80, 0)


def test_what_libzmq_needs_is_set(context: Context) -> None:
    made = open_sockets(context, "127.0.0.1", 0, SECRET)
    for each, bound in ((made.commands, 65_536), (made.broadcast[0], 512), (made.greeting, 512)):
        assert each.getsockopt(zmq.RCVHWM) == 0
        assert 256 <= int(each.getsockopt(zmq.SNDHWM)) <= 1_000
        assert each.getsockopt(zmq.MAXMSGSIZE) == bound
        assert each.getsockopt(zmq.BACKLOG) == 4_096
        assert each.getsockopt(zmq.HANDSHAKE_IVL) == HANDSHAKE_S * 1_000
        assert each.getsockopt(zmq.TCP_KEEPALIVE) == 1
        assert each.getsockopt(zmq.TCP_KEEPALIVE_IDLE) == 5
        assert each.getsockopt(zmq.TCP_KEEPALIVE_INTVL) * (each.getsockopt(zmq.TCP_KEEPALIVE_CNT) + 1) == 15
        assert each.getsockopt(zmq.LINGER) == 0
    for each in (made.commands, *made.broadcast):
        assert each.getsockopt(zmq.CURVE_SERVER) == 1
        assert each.getsockopt(zmq.ZAP_ENFORCE_DOMAIN) == 1
    assert made.greeting.getsockopt(zmq.CURVE_SERVER) == 0


def test_nobody_is_let_in_while_no_handler_answers(context: Context) -> None:
    pair = generate()
    made = open_sockets(context, "127.0.0.1", 0, pair.secret)
    dealer = context.socket(zmq.DEALER)
    events = dealer.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED)
    from zmq.utils import z85
    from zmq.utils.monitor import recv_monitor_message

    own = generate()
    dealer.setsockopt(zmq.CURVE_SERVERKEY, z85.encode(pair.public))
    dealer.setsockopt(zmq.CURVE_PUBLICKEY, z85.encode(own.public))
    dealer.setsockopt(zmq.CURVE_SECRETKEY, z85.encode(own.secret))
    dealer.connect(f"tcp://127.0.0.1:{made.port}")
    assert recv_monitor_message(events)["event"] != zmq.EVENT_HANDSHAKE_SUCCEEDED
    dealer.disable_monitor()


def test_closing_gives_the_ports_back(context: Context) -> None:
    made = open_sockets(context, "127.0.0.1", 0, SECRET)
    made.close(0)
    context.term()
    for above in range(3):
        with taken(port=made.port + above):
            pass


def test_an_old_libzmq_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sockets.check_libzmq()
    monkeypatch.setattr(zmq, "zmq_version_info", lambda: (4, 3, 4))
    with pytest.raises(CannotListen, match=r"libzmq 4\.3\.4 is too old: 4\.3\.5 is needed"):
        sockets.check_libzmq()


def test_a_libzmq_without_curve_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zmq, "has", lambda _: False)
    with pytest.raises(CannotListen, match="without CURVE"):
        sockets.check_libzmq()

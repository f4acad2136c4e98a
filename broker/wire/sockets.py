"""Makes the three network sockets, with every option that libzmq needs to stand on an open network.

Each option has its reason beside it; each was found by breaking a broker without it. Must not know what
travels over the sockets.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from typing import Final

import zmq
from zmq.utils import z85

from common.errors import ChatError
from common.limits import HANDSHAKE_S, HEARTBEAT_S, REQUEST_BYTES, SILENCE_S, SUBSCRIPTION_BYTES

LIBZMQ: Final = (4, 3, 5)
"""The oldest libzmq that the rules of this module were tried with."""
ZAP_DOMAIN: Final = b"tertulia"
BACKLOG: Final = 4_096
"""Connections that may wait to be accepted: with 100, a storm of 1,000 takes 3.2 s instead of 1.3 s."""
SEND_MARK: Final = 1_000
"""Messages that wait for one slow peer before more are dropped for it (and only for it)."""
LISTENER_BUFFER: Final = 4_096
"""What the kernel holds of what one listener sent, doubled by Linux: what one sends is read as fast as it comes."""
GREETING_BYTES: Final = 512
_LAST_PORT: Final = 65_533
_TRIES: Final = 100

Socket = zmq.Socket[bytes]
Context = zmq.Context[Socket]


class CannotListen(ChatError):
    """The broker cannot listen where it was told to; the sentence says why and what to do."""

    code = "cannot-listen"
    sentence = "The broker cannot listen there."


@dataclass(frozen=True)
class Sockets:
    """The three network sockets, bound, and the port of the first."""

    commands: Socket
    broadcast: Socket
    greeting: Socket
    port: int

    def close(self, linger_ms: int) -> None:
        """Close all three; what is queued may still leave for `linger_ms`.

        Unbinding first would be wrong: libzmq ends a listener's connections with it, and what is queued is lost.
        """
        for each in (self.commands, self.broadcast, self.greeting):
            each.close(linger=linger_ms)


def check_libzmq() -> None:
    """Raise `CannotListen` unless libzmq is new enough and has CURVE."""
    version = zmq.zmq_version_info()
    if version < LIBZMQ:
        found, needed = (".".join(map(str, each)) for each in (version, LIBZMQ))
        raise CannotListen(f"libzmq {found} is too old: {needed} is needed; install the current pyzmq.")
    if not zmq.has("curve"):
        raise CannotListen("This libzmq was built without CURVE; install pyzmq's own wheel.")


def open_sockets(context: Context, listen: str, port: int, secret: bytes) -> Sockets:
    """Make the three sockets and bind them to `port` and the two above it; port 0 finds three free ones.

    `listen` is `*`, an address, or a name of this machine; `secret` the broker's CURVE secret key. The ZAP
    handler must be up before this is called. Raises `CannotListen`.
    """
    host = _resolve(listen)
    dual = host == "*" or ":" in host
    made: list[Socket] = []
    try:
        for make in (_commands, _broadcast, _greeting):
            made.append(make(context, secret))
            # IPv6 only where it is meant: a socket for an IPv4 address then names its peers in plain form.
            made[-1].setsockopt(zmq.IPV6, int(dual))
        place = f"[{host}]" if ":" in host else host
        bound = _bind_in_a_row(made, place, listen, port) if port else _bind_anywhere(made, place, listen)
    except BaseException:
        for each in made:
            each.close(linger=0)
        raise
    return Sockets(made[0], made[1], made[2], bound)


def _resolve(listen: str) -> str:
    if listen in ("*", ""):
        return "*"
    try:
        return str(socket.getaddrinfo(listen.strip("[]"), None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        raise CannotListen(f"{listen!r} is neither an address nor a name of this machine.") from None


def _bind_in_a_row(sockets: list[Socket], place: str, listen: str, port: int) -> int:
    for above, each in enumerate(sockets):
        try:
            each.bind(f"tcp://{place}:{port + above}")
        except zmq.ZMQError as error:
            raise _explained(error, listen, port, above) from None
    return port


def _bind_anywhere(sockets: list[Socket], place: str, listen: str) -> int:
    """Bind to three free ports in a row: whatever the system gives, if the two above it happen to be free."""
    for _ in range(_TRIES):
        bound: list[Socket] = []
        try:
            sockets[0].bind(f"tcp://{place}:*")
            bound.append(sockets[0])
            port = int(_endpoint(sockets[0]).rsplit(":", 1)[1])
            if port > _LAST_PORT:
                raise zmq.ZMQError(errno.EADDRINUSE)
            for above in (1, 2):
                sockets[above].bind(f"tcp://{place}:{port + above}")
                bound.append(sockets[above])
            return port
        except zmq.ZMQError as error:
            for each in bound:
                each.unbind(_endpoint(each))
            if error.errno != errno.EADDRINUSE:
                raise _explained(error, listen, 0, 0) from None
    raise CannotListen("No three free ports in a row were found; name one with --port.")


def _endpoint(bound: Socket) -> str:
    return bytes(bound.getsockopt(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()


def _explained(error: zmq.ZMQError, listen: str, port: int, above: int) -> CannotListen:
    taken = port + above
    if error.errno == errno.EADDRINUSE:
        why = f"Port {taken} is taken: stop what listens there, or choose another port with --port (0 finds free ones)."
        if above:
            why += f" The broker needs {port}, {port + 1} and {port + 2}."
        return CannotListen(why)
    if error.errno == errno.EACCES:
        return CannotListen(f"Port {taken} needs privileges; choose one above 1023 with --port.")
    if error.errno in (errno.EADDRNOTAVAIL, errno.ENODEV):
        return CannotListen(f"This machine has no address {listen}; choose one with --listen, or * for all.")
    return CannotListen(f"Cannot listen on {listen} port {taken}: {error.strerror}.")


def _commands(context: Context, secret: bytes) -> Socket:
    router = _guarded(context, zmq.ROUTER, REQUEST_BYTES)
    # A reply to somebody who is gone or lags raises instead of vanishing; every send is NOBLOCK for that.
    # ROUTER_HANDOVER stays off: with it a peer that chose somebody's routing id would take their place.
    router.setsockopt(zmq.ROUTER_MANDATORY, 1)
    _secure(router, secret)
    return router


def _broadcast(context: Context, secret: bytes) -> Socket:
    xpub = _guarded(context, zmq.XPUB, SUBSCRIPTION_BYTES)
    # A subscription counts only once it is granted; before bind, or early ones slip through.
    # XPUB_NODROP stays off: with it one stalled member stops the whole room.
    xpub.setsockopt(zmq.XPUB_MANUAL, 1)
    # Subscriptions that are denied are remembered at twenty to fifty times their size, and what the kernel holds is
    # read even after the connection was shut: so it holds little. Honest clients send a few of a hundred bytes.
    xpub.setsockopt(zmq.RCVBUF, LISTENER_BUFFER)
    _secure(xpub, secret)
    return xpub


def _greeting(context: Context, _: bytes) -> Socket:
    router = _guarded(context, zmq.ROUTER, GREETING_BYTES)
    router.setsockopt(zmq.ROUTER_MANDATORY, 1)
    return router


def _guarded(context: Context, kind: int, max_bytes: int) -> Socket:
    """A socket with what every one that faces strangers needs."""
    made: Socket = context.socket(kind)
    # With a finite receive mark a peer can bring the process to an assertion (SIGABRT), a lagging honest one too.
    made.setsockopt(zmq.RCVHWM, 0)
    made.setsockopt(zmq.SNDHWM, SEND_MARK)
    # A longer frame ends its connection before it is held in memory.
    made.setsockopt(zmq.MAXMSGSIZE, max_bytes)
    # Nothing waits at close unless the shutdown asks for it: term() would hang on one undelivered message.
    made.setsockopt(zmq.LINGER, 0)
    made.setsockopt(zmq.BACKLOG, BACKLOG)
    # A peer that never finishes its handshake holds a descriptor; not for longer than this.
    made.setsockopt(zmq.HANDSHAKE_IVL, round(HANDSHAKE_S * 1_000))
    # A peer whose system is gone or out of reach is dropped by the kernel, and with it its subscriptions; one that
    # only hangs is noticed by the rules, for it asks nothing any more. ZMTP's heartbeats stay off here: to set back
    # a timer libzmq looks through all of them, and five hundred clients cost a fifteenth of a core by that alone.
    made.setsockopt(zmq.TCP_KEEPALIVE, 1)
    made.setsockopt(zmq.TCP_KEEPALIVE_IDLE, int(HEARTBEAT_S))
    made.setsockopt(zmq.TCP_KEEPALIVE_INTVL, int(HEARTBEAT_S))
    made.setsockopt(zmq.TCP_KEEPALIVE_CNT, int(SILENCE_S // HEARTBEAT_S) - 1)
    made.setsockopt(zmq.TCP_MAXRT, int(SILENCE_S * 1_000))
    # What the kernel holds for one slow peer.
    made.setsockopt(zmq.SNDBUF, 131_072)
    return made


def _secure(made: Socket, secret: bytes) -> None:
    made.setsockopt(zmq.CURVE_SERVER, 1)
    made.setsockopt(zmq.CURVE_SECRETKEY, z85.encode(secret))
    # Without a ZAP handler CURVE lets everybody in, unnamed; enforced, a missing one lets nobody in.
    made.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
    made.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)

"""Makes the network sockets, with every option that libzmq needs to stand on an open network.

Each option has its reason beside it, which makes this module long; each was found by breaking a broker without it. Must
not know what travels over the sockets.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import zmq
from zmq.utils import z85

from broker.wire import listening
from common.errors import ChatError
from common.limits import HANDSHAKE_S, HEARTBEAT_S, REQUEST_BYTES, SILENCE_S, SUBSCRIPTION_BYTES

LIBZMQ: Final = (4, 3, 5)
"""The oldest libzmq that the rules of this module were tried with."""
ZAP_DOMAIN: Final = b"tertulia"
BACKLOG: Final = 4_096
"""Connections that may wait to be accepted: with 100, a storm of 1,000 takes 3.2 s instead of 1.3 s."""
SEND_MARK: Final = 1_000
"""Messages that wait for one slow peer before more are dropped for it (and only for it)."""
LISTENER_BUFFER: Final = 1_024
"""Bytes that the kernel holds of what a listener sends: as few as it lets us have. Of a topic that is denied libzmq
remembers twenty to fifty times its size, and a peer on the same machine pushes ten megabytes between two looks of the
watchman unless the kernel stops it: 480 MiB at the peak with 4,096 bytes, 85 with these. A real listener asks for sixty
rooms in 4 ms."""
SEND_BUFFER: Final = 131_072
"""Bytes that the kernel holds for one slow peer."""
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
    """The network sockets, bound, and the port of the first."""

    commands: Socket
    broadcast: tuple[Socket, ...]
    """They share one port: see `listening`."""
    greeting: Socket
    port: int

    def close(self, linger_ms: int) -> None:
        """Close them; what is queued may still leave for `linger_ms`.

        Unbinding first would be wrong: libzmq ends a listener's connections with it, and what is queued is lost.
        """
        for each in (self.commands, *self.broadcast, self.greeting):
            each.close(linger=linger_ms)


def check_libzmq() -> None:
    """Raise `CannotListen` unless libzmq is new enough and has CURVE."""
    version = zmq.zmq_version_info()
    if version < LIBZMQ:
        found, needed = (".".join(map(str, each)) for each in (version, LIBZMQ))
        raise CannotListen(f"libzmq {found} is too old: {needed} is needed; install the current pyzmq.")
    if not zmq.has("curve"):
        raise CannotListen("This libzmq was built without CURVE; install pyzmq's own wheel.")


def open_sockets(context: Context, listen: str, port: int, secret: bytes, shares: int = listening.SHARES) -> Sockets:
    """Make the sockets and bind them to `port` and the two above it; port 0 finds three free ones.

    `listen` is `*`, an address, or a name of this machine; `secret` the broker's CURVE secret key, `shares` how many
    sockets share the broadcast port. The ZAP handler must be up before this is called. Raises `CannotListen`.
    """
    host = _resolve(listen)
    made: list[Socket] = []
    try:
        commands = _made(made, _commands, context, secret, host)
        broadcast = [_made(made, _broadcast, context, secret, host) for _ in range(shares)]
        greeting = _made(made, _greeting, context, secret, host)
        binding = _Binding(commands, broadcast, greeting, host, listen)
        bound = binding.at(port) if port else binding.anywhere()
    except BaseException:
        for each in made:
            each.close(linger=0)
        raise
    return Sockets(commands, tuple(broadcast), greeting, bound)


def _made(
    made: list[Socket], make: Callable[[Context, bytes], Socket], context: Context, secret: bytes, host: str
) -> Socket:
    socket = make(context, secret)
    made.append(socket)
    # IPv6 only where it is meant: a socket for an IPv4 address then names its peers in plain form.
    socket.setsockopt(zmq.IPV6, int(host == "*" or ":" in host))
    return socket


def _resolve(listen: str) -> str:
    if listen in ("*", ""):
        return "*"
    try:
        return str(socket.getaddrinfo(listen.strip("[]"), None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        raise CannotListen(f"{listen!r} is neither an address nor a name of this machine.") from None


class _Binding:
    """Binding all sockets to ports in a row."""

    def __init__(self, commands: Socket, broadcast: list[Socket], greeting: Socket, host: str, listen: str) -> None:
        self._commands = commands
        self._broadcast = broadcast
        self._greeting = greeting
        self._host = host
        self._place = f"[{host}]" if ":" in host else host
        self._listen = listen

    def at(self, port: int) -> int:
        """Bind to that port and the two above it. Raises `CannotListen`."""
        try:
            return self._bind(str(port))
        except _NotBound as failed:
            raise _explained(failed.error, self._listen, port, failed.above) from None

    def anywhere(self) -> int:
        """Bind to three free ports: whatever the system gives, if the two above it are free. Raises `CannotListen`."""
        for _ in range(_TRIES):
            try:
                return self._bind("*")
            except _NotBound as failed:
                if failed.error.errno != errno.EADDRINUSE:
                    raise _explained(failed.error, self._listen, 0, 0) from None
        raise CannotListen("No three free ports in a row were found; name one with --port.")

    def _bind(self, first: str) -> int:
        """Bind all, the commands to `first`, which may be `*`; the port. Raises `_NotBound`, and then none is bound."""
        above = 0
        with ExitStack() as undone:
            try:
                self._commands.bind(f"tcp://{self._place}:{first}")
                endpoint = bytes(self._commands.getsockopt(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()
                undone.callback(self._commands.unbind, endpoint)
                port = int(endpoint.rsplit(":", 1)[1])
                if port > _LAST_PORT:
                    raise OSError(errno.EADDRINUSE, "too high")
                above = 1
                count = len(self._broadcast)
                listeners = listening.listen(self._host, port + 1, count, BACKLOG, SEND_BUFFER, LISTENER_BUFFER)
                for listener in listeners:
                    undone.callback(listener.close)
                above = 2
                self._greeting.bind(f"tcp://{self._place}:{port + 2}")
            except (zmq.ZMQError, OSError) as error:
                raise _NotBound(error, above) from None
            undone.pop_all()
        for each, listener in zip(self._broadcast, listeners, strict=True):
            each.setsockopt(zmq.USE_FD, listener.detach())
            each.bind(f"tcp://{self._place}:{port + 1}")
        return port


class _NotBound(Exception):
    """A port is not to be had: the one so many above the first."""

    def __init__(self, error: zmq.ZMQError | OSError, above: int) -> None:
        super().__init__(error, above)
        self.error = error
        self.above = above


def _explained(error: zmq.ZMQError | OSError, listen: str, port: int, above: int) -> CannotListen:
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
    made.setsockopt(zmq.SNDBUF, SEND_BUFFER)
    return made


def _secure(made: Socket, secret: bytes) -> None:
    made.setsockopt(zmq.CURVE_SERVER, 1)
    made.setsockopt(zmq.CURVE_SECRETKEY, z85.encode(secret))
    # Without a ZAP handler CURVE lets everybody in, unnamed; enforced, a missing one lets nobody in.
    made.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
    made.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)

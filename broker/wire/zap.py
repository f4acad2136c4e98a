"""The thread that admits connections (ZAP): any CURVE key may come in, and the key becomes its name.

One exception in pyzmq's own handler ends its thread and locks everybody out, so this is a handler of our own
that answers whatever happens. Must not know accounts: who a key is, and what it may do, is the rules' matter.

Source: ZeroMQ RFC 27, https://rfc.zeromq.org/spec/27/
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import zmq
from zmq.utils import z85

from broker import log
from broker.wire import peers
from broker.wire.sockets import ZAP_DOMAIN, Context, Socket

ENDPOINT = "inproc://zeromq.zap.01"
_VERSION = b"1.0"

Admit = Callable[[str, str], bool]
"""Whether a connection from that host, with that public key (Z85), may come in now."""


def everybody(_address: str, _key: str) -> bool:
    """Admit any key from anywhere: accounts are for the rules to tell."""
    return True


class ZapHandler:
    """Answers libzmq's questions about new connections. Start it before any socket is bound."""

    def __init__(self, context: Context, admit: Admit = everybody) -> None:
        self._context = context
        self._admit = admit
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="zap", daemon=True)
        self._stop_endpoint = f"inproc://zap-stop-{id(self)}"
        self._stop: Socket = context.socket(zmq.PAIR)
        self._stop.setsockopt(zmq.LINGER, 0)
        self._stop.bind(self._stop_endpoint)

    def start(self) -> None:
        """Return once questions are answered."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End the thread; to be called once, after the network sockets are closed."""
        try:
            self._stop.send(b"", zmq.NOBLOCK)
        except zmq.Again:
            pass  # the thread has ended already
        self._thread.join()
        self._stop.close()

    def _run(self) -> None:
        questions: Socket = self._context.socket(zmq.ROUTER)
        questions.setsockopt(zmq.LINGER, 0)
        questions.setsockopt(zmq.RCVHWM, 0)
        questions.setsockopt(zmq.SNDHWM, 0)
        questions.bind(ENDPOINT)
        stop: Socket = self._context.socket(zmq.PAIR)
        stop.setsockopt(zmq.LINGER, 0)
        stop.connect(self._stop_endpoint)
        poller = zmq.Poller()
        poller.register(questions, zmq.POLLIN)
        poller.register(stop, zmq.POLLIN)
        self._ready.set()
        try:
            while stop not in dict(poller.poll()):
                self._answer(questions)
        finally:
            questions.close()
            stop.close()

    def _answer(self, questions: Socket) -> None:
        try:
            frames = questions.recv_multipart(zmq.NOBLOCK)
            questions.send_multipart(self._reply(frames), zmq.NOBLOCK)
        except Exception:
            # The top of this thread: if it ended, nobody could connect again.
            log.failure("zap-failed")

    def _reply(self, frames: list[bytes]) -> list[bytes]:
        """The answer to a question: 200 with the connection's name, 300 for not now, 400 for never, 500 for a fault."""
        route, number = frames[0], frames[3] if len(frames) > 3 else b""
        name = b""
        try:
            status, text, name = self._judge(frames)
        except Exception:
            # Refused, and the thread lives on: see the module's docstring.
            log.failure("zap-failed")
            status, text = b"500", b"Internal error"
        return [route, b"", _VERSION, number, status, text, name, b""]

    def _judge(self, frames: list[bytes]) -> tuple[bytes, bytes, bytes]:
        if len(frames) != 9 or frames[2] != _VERSION:
            return b"400", b"Malformed question", b""
        _, _, _, _, domain, address, _, mechanism, key = frames
        if domain != ZAP_DOMAIN or mechanism != b"CURVE" or len(key) != 32:
            return b"400", b"CURVE only", b""
        name = z85.encode(key)
        if not self._admit(peers.host(address.decode("ascii", "replace")), name.decode("ascii")):
            # 300, not 400: after that libzmq's clients try again; after a 400 they give up for good.
            return b"300", b"Not now", b""
        return b"200", b"OK", name

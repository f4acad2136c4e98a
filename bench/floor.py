"""The floor of our own stack: a bare ROUTER and XPUB with CURVE, one frame an event, and no feature at all.

    python -m bench.floor      prints its address as a broker does

Speaks just enough for `bench.members.Member`: it grants everything, keeps nothing, and acknowledges a `send`
once it is broadcast.
"""

from __future__ import annotations

import msgpack
import zmq
from zmq.utils import z85

from common import keys
from common.addresses import Address

BEACON = "~" + "0" * 11


def main() -> None:
    context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 4096)
    pair = keys.generate()
    router, xpub = context.socket(zmq.ROUTER), context.socket(zmq.XPUB)
    for socket in (router, xpub):
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_SECRETKEY, z85.encode(pair.secret))
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.SNDHWM, 1000)
        socket.setsockopt(zmq.BACKLOG, 4096)
    xpub.setsockopt(zmq.XPUB_VERBOSE, 1)
    for _ in range(100):
        port = router.bind_to_random_port("tcp://127.0.0.1", 20_000, 60_000)
        try:
            xpub.bind(f"tcp://127.0.0.1:{port + 1}")
            break
        except zmq.ZMQError:
            router.unbind(f"tcp://127.0.0.1:{port}")
    print(Address("127.0.0.1", port, pair.public), flush=True)
    poller = zmq.Poller()
    poller.register(router, zmq.POLLIN)
    poller.register(xpub, zmq.POLLIN)
    seq = 0
    while True:
        poller.poll()
        try:
            while True:
                frame = xpub.recv(zmq.NOBLOCK)
                if frame[:1] == b"\1":
                    live = {"kind": "live", "log": frame[1:-1].decode(), "id": 0, "head": seq, "run": ""}
                    xpub.send(BEACON.encode() + b"\0" + msgpack.packb(live))
        except zmq.Again:
            pass
        try:
            while True:
                route, body = router.recv_multipart(zmq.NOBLOCK)
                request = msgpack.unpackb(body)
                if request["op"] == "send":
                    seq += 1
                    event = {"kind": "message", "seq": seq, "prev": seq - 1, "time": 0, "sender": "x"}
                    event |= {"text": request["text"], "nonce": request["nonce"]}
                    xpub.send(b"lobby\0" + msgpack.packb(event))
                router.send_multipart([route, msgpack.packb(_reply(request, seq))])
        except zmq.Again:
            pass


def _reply(request: dict[str, object], seq: int) -> dict[str, object]:
    reply: dict[str, object] = {"id": request["id"], "ok": True}
    if request["op"] == "send":
        return reply | {"seq": seq, "time": 0}
    if request["op"] == "hello":
        reply |= {"server": "floor", "version": 1, "run": "", "time": 0, "beacon": BEACON}
        return reply | {"default_room": "lobby", "registration": "open", "session": None}
    session = {"login": "x", "operator": False, "current": "lobby", "rooms": [], "inbox": 0}
    return reply | {"session": session}


if __name__ == "__main__":
    main()

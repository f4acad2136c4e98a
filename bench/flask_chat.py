"""The stack that Tertulia descends from, at its smallest: Flask-SocketIO, which broadcasts what anybody says.

    python -m bench.flask_chat threading|gevent|eventlet

Prints its port. No accounts, no rooms, nothing kept: whatever it costs, a chat on it costs more.
"""

from __future__ import annotations

import socket
import sys


def main(mode: str) -> None:
    """Serve until killed."""
    if mode == "eventlet":
        import eventlet

        eventlet.monkey_patch()
    elif mode == "gevent":
        from gevent import monkey

        monkey.patch_all()
    from flask import Flask
    from flask_socketio import SocketIO

    app = Flask(__name__)
    server = SocketIO(app, async_mode=mode, cors_allowed_origins="*")

    @server.on("say")  # type: ignore[untyped-decorator]
    def say(message: dict[str, object]) -> None:
        server.emit("message", message)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    print(port, flush=True)
    more = {"allow_unsafe_werkzeug": True} if mode == "threading" else {}
    server.run(app, "127.0.0.1", port, **more)


if __name__ == "__main__":
    main(sys.argv[1])

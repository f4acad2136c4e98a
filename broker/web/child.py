"""`tertulia web` as a child of the broker: started, started again if it dies, ended with the broker.

It all happens on a thread of its own, which waits for the child and nothing else. The child's log is on the broker's
standard error; of its standard output the URL is logged, so that the broker's own has its address and no more. The
child ends by itself when its standard input does, and so when the broker is killed. Must not know what the gateway
does.
"""

from __future__ import annotations

import importlib.util
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from broker import log
from broker.config import BrokerConfig
from broker.datadir import DataDir
from broker.machine import reachable
from broker.web.admission import admit
from broker.web.settings import WebSettings
from broker.wire.operator_client import OperatorClient
from common.addresses import Address
from common.errors import ChatError

AGAIN_S: Final = (0.5, 30.0)
"""Seconds before it is started again: at first, and at most; each time twice as long."""
STEADY_S: Final = 60.0
"""Whoever ran for so many seconds is started again at once, nearly."""
END_S: Final = 3.5
"""Seconds that the child has to end in before it is killed."""


class NoGateway(ChatError):
    """A gateway that cannot be started here; the sentence says why and what to do."""

    code = "no-gateway"
    sentence = "The gateway cannot be started."


def check() -> None:
    """Raises `NoGateway` if what the gateway needs is not installed."""
    for module in ("client", "aiohttp", "rjsmin"):
        if importlib.util.find_spec(module) is None:
            raise NoGateway(f"--web needs {module}, which is not installed: pip install 'tertulia[web]'")


@contextmanager
def beside(config: BrokerConfig, address: Address) -> Iterator[Callable[[], None]]:
    """The gateway as a child within the context, if it is wanted; gives what tells it to end soon.

    `address` is the broker's, as it tells others.
    """
    if not config.web.serve:
        yield lambda: None
        return
    everywhere = config.listen in ("*", "0.0.0.0", "::", "[::]")
    here = replace(address, host="127.0.0.1" if everywhere else reachable(config.listen))
    child = Child(config.web, DataDir(config.data_dir), here)
    child.start()
    try:
        yield child.end_soon
    finally:
        child.stop()


class Child:
    """The gateway's process, for as long as the broker runs."""

    def __init__(self, settings: WebSettings, data: DataDir, address: Address) -> None:
        """`address` is the broker's, as this machine reaches it."""
        self._settings = settings
        self._data = data
        self._address = address
        self._ending = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    def start(self) -> None:
        """Start it; returns at once."""
        self._thread.start()

    def end_soon(self) -> None:
        """Tell it to end, and wait for nothing: a signal handler may."""
        self._ending.set()
        process = self._process
        if process is not None:
            process.terminate()

    def stop(self) -> None:
        """End it, by force if it does not end by itself in time."""
        self.end_soon()
        self._thread.join(END_S)
        process = self._process
        if self._thread.is_alive() and process is not None:
            log.event("web-killed", logging.WARNING, pid=process.pid)
            process.kill()
            self._thread.join(1.0)

    def _run(self) -> None:
        pause = AGAIN_S[0]
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                status: int | str = self._live()
            except (ChatError, OSError) as error:
                status = str(error)
            if self._ending.is_set():
                return
            if time.monotonic() - began >= STEADY_S:
                pause = AGAIN_S[0]
            log.event("web-ended", logging.WARNING, status=status, again_s=pause)
            self._ending.wait(pause)
            pause = min(2 * pause, AGAIN_S[1])

    def _live(self) -> int:
        """The life of one child; its exit status."""
        file = self._data.path / "web.key"
        with OperatorClient(self._data.operator) as client:
            admit(client.ask, file, self._address)
        command = [sys.executable, "-m", "client", "web", f"--key={file}", f"--data-dir={self._home()}", "--until-eof"]
        command += self._settings.flags()
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, errors="replace") as process:
            self._process = process
            if self._ending.is_set():
                process.terminate()
            assert process.stdout is not None
            for line in process.stdout:
                log.event("web", url=line.rstrip("\n"), pid=process.pid)
        self._process = None
        return process.returncode

    def _home(self) -> Path:
        """Where it keeps what is its own."""
        path = self._data.path / "web"
        path.mkdir(mode=0o700, exist_ok=True)
        return path

"""The glue: opens everything in the order that matters, serves, and closes it in reverse.

The database is open before a port is, so that nobody connects to a broker that cannot start; the ZAP handler
answers before a port is bound, so that nobody is let in unnamed. Nothing is decided here.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Self

import zmq

from broker import log
from broker.chat.chat import Chat
from broker.chat.effects import Connection, Now
from broker.chat.ports import StoreFailed
from broker.config import BrokerConfig
from broker.datadir import DataDir
from broker.machine import connections_within, prepare_descriptors, reachable
from broker.secrets import rules_secret
from broker.store.journal import Journal
from broker.store.sqlite import SqliteStore
from broker.web.child import beside
from broker.wire.bell import Bell
from broker.wire.bounds import Bounds
from broker.wire.broadcast import Broadcast
from broker.wire.carrier import Carrier
from broker.wire.commands import Commands
from broker.wire.gate import Gate, Offence
from broker.wire.greeting import Greeting
from broker.wire.judge import Judge
from broker.wire.operator import Operator
from broker.wire.passwords import PEPPER_BYTES, Passwords
from broker.wire.reactor import Reactor, wall_clock
from broker.wire.roll import Roll
from broker.wire.sockets import check_libzmq, open_sockets
from broker.wire.watchman import Scanner, Watchman
from broker.wire.workers import Workers
from broker.wire.zap import ZapHandler
from common import addresses, keys

LINGER_MS: Final = 500
"""What is queued may still leave for so long when the broker stops."""
FINISH_S: Final = 3.0
"""Seconds for settling what was accepted when the broker stops."""
WORKERS_S: Final = 1.0
SWITCH_S: Final = 0.001
"""Seconds that another thread may keep the reactor from running Python; the default is five times as long."""
GARBAGE: Final = 20_000
"""Objects made and not freed before the garbage collector looks: a batch of messages under way is no garbage."""

Clock = Callable[[], Now]
"""What the rules take for the time. The part that never jumps is the system's, by which the reactor waits, too."""


class Broker:
    """A broker that listens from construction on, and serves while `run` does. Close it in any case.

    Raises a `ChatError` whose sentence says what keeps it from starting.
    """

    def __init__(self, config: BrokerConfig, wakeup: int | None = None, clock: Clock = wall_clock) -> None:
        check_libzmq()
        with ExitStack() as opening:
            self._open(config, wakeup, clock, opening)
            self._closing = opening.pop_all()

    def _open(self, config: BrokerConfig, wakeup: int | None, clock: Clock, opening: ExitStack) -> None:
        data = DataDir(config.data_dir)
        data.make()
        pair = keys.load_or_make(data.key)
        pepper = keys.load_or_make_secret(data.pepper, PEPPER_BYTES)
        store = SqliteStore(config.database_path, data.path)
        opening.callback(store.close)
        chat = Chat(config.chat, store.load(), clock(), os.urandom, rules_secret(pair), os.urandom(8).hex())

        context = zmq.Context(config.io_threads)
        opening.callback(context.term)
        gate = Gate(config.network, chat.has_session)
        roll = Roll(chat.has_session, chat.gateways)
        zap = ZapHandler(context, gate.admit)
        zap.start()
        opening.callback(zap.stop)
        bell = Bell(context)
        opening.callback(bell.close)
        journal = Journal(store, bell.ring, config.journal_capacity)
        journal.start()
        opening.callback(journal.stop, FINISH_S)
        workers = Workers(
            store, Passwords(pepper, config.bcrypt_cost), bell.ring, hashers=config.hashers, readers=config.readers
        )
        workers.start()
        opening.callback(workers.stop, WORKERS_S)

        sockets = open_sockets(context, config.listen, config.port, pair.secret)
        opening.callback(sockets.close, LINGER_MS)
        operator = Operator(context, data.operator)
        opening.callback(operator.close, LINGER_MS)
        bounds = replace(config.network, connections=connections_within(config.network.connections))
        _start_watchman(sockets.port, bounds, roll, gate, opening)
        commands = Commands(sockets.commands, roll, gate.offended, config.network.flood_requests)
        broadcast = Broadcast(sockets.broadcast, chat.may_hear, roll, gate.offended, config.network.subscriptions)
        carrier = Carrier(chat.appended, commands.send, operator.send, broadcast.publish, journal, workers, clock)
        self._reactor = Reactor(
            chat,
            carrier,
            sockets,
            commands,
            broadcast,
            Greeting(sockets.greeting, config.chat.server_name, pair.public),
            operator,
            bell,
            roll,
            idle_exit_s=config.idle_exit_s or None,
            wakeup=wakeup,
            clock=clock,
        )
        self.address = addresses.Address(config.announce or reachable(config.listen), sockets.port, pair.public)
        data.announce(str(self.address))
        opening.callback(data.withdraw)

    def run(self) -> None:
        """Serve until `stop` is called or the broker has been idle for long enough; then settle and say goodbye."""
        log.event("serving", address=str(self.address))
        self._reactor.run()
        log.event("stopping")
        self._reactor.finish(FINISH_S)
        if self._reactor.failed:
            raise StoreFailed("Nothing can be written any more; the log has the cause. Start again.")

    def stop(self) -> None:
        """Make `run` return; from any thread, and from a signal handler."""
        self._reactor.stop()

    def close(self) -> None:
        """Close everything, in reverse."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _start_watchman(port: int, bounds: Bounds, roll: Roll, gate: Gate, opening: ExitStack) -> None:
    """Watch over the connections, where the system tells what comes on them."""
    try:
        scanner = Scanner(port, roll.sent)
    except OSError as error:
        log.event("no-watchman", logging.WARNING, cause=str(error), advice="what peers send is bounded on Linux only")
        return

    def offended(address: str, connection: Connection, offence: Offence) -> None:
        gate.offended(address, roll.key(connection), offence)

    watchman = Watchman(scanner, Judge(bounds, roll.standing), offended)
    watchman.start()
    opening.callback(watchman.stop)


def serve(config: BrokerConfig) -> None:
    """Run a broker in this process until a signal ends it; the ready line goes to standard output."""
    log.start(config.log_format, config.verbose)
    os.umask(0o077)
    prepare_descriptors(config.network.connections)
    sys.setswitchinterval(SWITCH_S)
    woken, wakeup = socket.socketpair()
    with woken, wakeup:
        woken.setblocking(False)
        wakeup.setblocking(False)
        with Broker(config, woken.fileno()) as broker, beside(config, broker.address) as end_gateway:

            def stop(number: int, _: FrameType | None) -> None:
                broker.stop()
                end_gateway()

            # A plain handler would wait out the poll's timeout: the descriptor ends the poll at once.
            signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, stop)
            _settle_down()
            print(broker.address, flush=True)
            try:
                broker.run()
            finally:
                signal.set_wakeup_fd(-1)
    log.event("stopped")
    log.stop()


def _settle_down() -> None:
    """Take what was made at the start out of the garbage collector's sight, and call it less often.

    What a message leaves behind is freed by reference counts; looking for cycles among it costs a tenth of the CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 50)


class EmbeddedBroker:
    """A broker on a thread of this process, on loopback, for tests and trials.

    Settings are those of `BrokerConfig`; without `data_dir` it lives in a directory that vanishes with it.
    """

    def __init__(self, *, clock: Clock = wall_clock, **settings: Any) -> None:
        defaults: dict[str, Any] = {"listen": "127.0.0.1", "port": 0, "bcrypt_cost": 4}
        self._config = replace(BrokerConfig(), **{**defaults, **settings})
        self._temporary = "data_dir" not in settings
        self._clock = clock

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="tertulia-") if self._temporary else None
        config = self._config
        if self._directory is not None:
            config = replace(config, data_dir=Path(self._directory.name))
        try:
            self._broker = Broker(config, clock=self._clock)
        except BaseException:
            if self._directory is not None:
                self._directory.cleanup()
            raise
        self.data_dir = config.data_dir
        self.address = self._broker.address
        self._thread = threading.Thread(target=self._broker.run, name="reactor", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._broker.stop()
        self._thread.join()
        self._broker.close()
        if self._directory is not None:
            self._directory.cleanup()

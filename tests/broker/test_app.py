"""The glue: what keeps a broker from starting, the ready line, signals, and the order of closing."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import zmq

from broker import app
from broker.app import Broker, EmbeddedBroker
from broker.config import BrokerConfig
from broker.datadir import BadDataDir
from broker.store.migrations import DatabaseUnusable
from broker.wire.sockets import CannotListen
from common import addresses, messages
from common.keys import BadSecretFile
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_S


def config(directory: Path, **changed: object) -> BrokerConfig:
    made = BrokerConfig(listen="127.0.0.1", port=0, data_dir=directory, bcrypt_cost=4)
    return replace(made, **changed)  # type: ignore[arg-type]


@contextmanager
def program(directory: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The real program, and its ready line."""
    command = [sys.executable, "-m", "broker", "serve", "--data-dir", str(directory), "--listen", "127.0.0.1"]
    environment = {**os.environ, "TERTULIA_BROKER_BCRYPT_COST": "4"}
    with subprocess.Popen(
        [*command, "--port", "0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_ready_line_is_all_there_is_and_a_signal_ends_it_well(tmp_path: Path, number: int) -> None:
    with program(tmp_path) as (process, ready):
        address = addresses.parse(ready)
        assert ready == f"{address}\n"
        assert (tmp_path / "address").read_text() == ready
        assert stat.S_IMODE((tmp_path / "address").stat().st_mode) == 0o600
        with RawClient(address) as client:
            client.register("ana")
            sent = client.say("lobby", "hola")
            process.send_signal(number)
            client.event(messages.ClosingSoon)
        out, log = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, out) == (0, "")
        assert not (tmp_path / "address").exists()
        assert "event=stopped" in log
        for secret in ("hola", "correct horse", "traceback"):
            assert secret not in log
    with EmbeddedBroker(data_dir=tmp_path) as broker, RawClient(broker.address, client.keys) as again:
        again.hello()
        assert again.ask(messages.History(log="lobby")).entries[0].seq == sent.seq


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    with program(tmp_path) as (process, ready), RawClient(addresses.parse(ready)) as client:
        client.register("ana")
        for number in range(50):
            client.send(messages.Send(room="lobby", text=str(number), nonce=os.urandom(16)))
        kinds = dict.fromkeys(range(100), messages.Sent)
        last = [client.receive(*kinds.items())[1].seq for _ in range(20)][-1]
        process.kill()
        process.wait(PATIENCE_S)
    with EmbeddedBroker(data_dir=tmp_path) as broker, RawClient(broker.address, client.keys) as again:
        session = again.hello().session
        assert session is not None
        assert session.rooms[0].head >= last


def test_everything_in_the_data_directory_is_its_owners_alone(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with program(directory) as (process, _):
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in [directory, *directory.iterdir()]}
        assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def test_it_ends_by_itself_when_idle(tmp_path: Path) -> None:
    with program(tmp_path, "--idle-exit", "0.2") as (process, _):
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0


def test_json_logs_are_json(tmp_path: Path) -> None:
    import json

    with program(tmp_path, "--log-format", "json", "--idle-exit", "0.1") as (process, _):
        _, log = process.communicate(timeout=PATIENCE_S)
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["serving", "stopping", "stopped"]


def test_the_beacon_and_the_key_stay_the_same_over_a_restart(tmp_path: Path) -> None:
    seen = []
    keys = None
    for _ in range(2):
        with EmbeddedBroker(data_dir=tmp_path) as broker, RawClient(broker.address, keys) as client:
            welcome = client.hello()
            keys = client.keys
            seen.append((broker.address.key, welcome.beacon))
            runs = welcome.run
    assert seen[0] == seen[1]
    assert runs


def test_a_second_broker_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with EmbeddedBroker(data_dir=tmp_path), pytest.raises(DatabaseUnusable, match="in use by another broker"):
        Broker(config(tmp_path))


def test_a_directory_is_in_use_wherever_its_database_is(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "link.db").symlink_to(tmp_path / "data" / "tertulia.db")
    with EmbeddedBroker(data_dir=tmp_path / "data"):
        for data, database in (("data", "other.db"), ("second", "link.db")):
            with pytest.raises(DatabaseUnusable, match="data is in use by another broker"):
                Broker(config(tmp_path / data, database=f"sqlite:///{elsewhere / database}"))


def test_after_a_failed_start_everything_is_free_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = min(server.getsockname()[1], 65_000)
        if port != server.getsockname()[1]:
            pytest.skip("the system gave an unusually high port")
        with pytest.raises(CannotListen, match=f"Port {port} is taken"):
            Broker(config(tmp_path, port=port))
    before = threading.active_count()
    with Broker(config(tmp_path)):
        pass
    assert threading.active_count() == before


def test_a_readable_key_is_refused(tmp_path: Path) -> None:
    with EmbeddedBroker(data_dir=tmp_path):
        pass
    (tmp_path / "broker.key").chmod(0o644)
    with pytest.raises(BadSecretFile, match="chmod 600"):
        Broker(config(tmp_path))


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tertulia.db").write_bytes(b"no database at all " * 500)
    with pytest.raises(DatabaseUnusable, match="damaged or no database"):
        Broker(config(tmp_path))


def test_a_database_damaged_within_is_refused_by_name(tmp_path: Path) -> None:
    with EmbeddedBroker(data_dir=tmp_path):
        pass
    with open(tmp_path / "tertulia.db", "r+b") as file:
        file.seek(4_096)
        file.write(b"\xa5" * 60_000)
    with pytest.raises(DatabaseUnusable, match=r"tertulia\.db is damaged or no database"):
        Broker(config(tmp_path))


def test_where_the_address_cannot_be_left_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "address").mkdir()
    with pytest.raises(BadDataDir, match=r"address: cannot be written \(Is a directory\)"):
        Broker(config(tmp_path))
    assert not list(tmp_path.glob(".address*"))


def test_an_embedded_broker_leaves_nothing_behind() -> None:
    before = threading.active_count()
    with EmbeddedBroker() as broker:
        directory = broker.data_dir
        assert directory.exists()
    assert not directory.exists()
    assert threading.active_count() == before


def test_an_embedded_broker_that_cannot_start_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def refuse(config: BrokerConfig, **settings: object) -> Broker:
        made.append(config.data_dir)
        raise CannotListen

    monkeypatch.setattr(app, "Broker", refuse)
    with pytest.raises(CannotListen):
        EmbeddedBroker().__enter__()
    with pytest.raises(CannotListen):
        EmbeddedBroker(data_dir=made[0]).__enter__()
    assert not made[0].exists()


def test_another_host_may_be_announced(tmp_path: Path) -> None:
    with Broker(config(tmp_path, announce="chat.example.org")) as broker:
        assert broker.address.host == "chat.example.org"


def test_it_listens_on_ipv4_and_ipv6_alike(tmp_path: Path) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this system has no IPv6")
    with EmbeddedBroker(listen="*", data_dir=tmp_path) as broker:
        for host in ("127.0.0.1", "::1"):
            with RawClient(replace(broker.address, host=host)) as client:
                assert client.hello().version == 1


def test_nobody_gets_in_without_the_brokers_key(tmp_path: Path) -> None:
    with EmbeddedBroker(data_dir=tmp_path) as broker, zmq.Context() as context, context.socket(zmq.DEALER) as plain:
        plain.setsockopt(zmq.LINGER, 0)
        plain.connect(broker.address.commands)
        plain.send(b"hello")
        with RawClient(broker.address) as client:
            client.hello()
        assert not plain.poll(100)

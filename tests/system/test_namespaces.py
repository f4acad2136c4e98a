"""Four machines on one: a broker and three clients, each in a network namespace of its own, with real programs.

Needs root and iproute2. Everything that the test makes in the system is named after its process, and goes with it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

from tests.support.patience import PATIENCE_S

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
PEOPLE = {"ana": 2, "bruno": 3, "carla": 4}

pytestmark = [
    pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs ip, of iproute2"),
]


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class Lan:
    """A broker's machine with a bridge, and a machine for each person, joined to it by a cable."""

    def __init__(self) -> None:
        self._prefix = f"tert{os.getpid()}"
        self.broker = f"{self._prefix}b"
        self._machines = {name: f"{self._prefix}{number}" for name, number in PEOPLE.items()}

    def build(self) -> None:
        ip("netns", "add", self.broker)
        ip("-n", self.broker, "link", "set", "lo", "up")
        ip("-n", self.broker, "link", "add", "lan", "type", "bridge")
        ip("-n", self.broker, "addr", "add", "10.77.0.1/24", "dev", "lan")
        ip("-n", self.broker, "link", "set", "lan", "up")
        for name, number in PEOPLE.items():
            machine = self._machines[name]
            ip("netns", "add", machine)
            ip("-n", machine, "link", "set", "lo", "up")
            ip("link", "add", "eth0", "netns", machine, "type", "veth", "peer", "name", name, "netns", self.broker)
            ip("-n", self.broker, "link", "set", name, "master", "lan", "up")
            ip("-n", machine, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
            ip("-n", machine, "link", "set", "eth0", "up")

    def remove(self) -> None:
        for namespace in (self.broker, *self._machines.values()):
            subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True)

    def machine(self, name: str) -> str:
        return self._machines[name]

    def plug(self, name: str, state: str) -> None:
        """Pull somebody's cable (`down`), or put it back (`up`)."""
        ip("-n", self.broker, "link", "set", name, state)


class Program:
    """A program in a namespace, whose lines are read as they come."""

    def __init__(self, namespace: str, *command: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )
        self._lines: Queue[str] = Queue()
        self.seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def wait_for(self, told: Callable[[str], bool] | str) -> str:
        """The next line that holds `told`, or for which it is true."""
        fits = (lambda line: told in line) if isinstance(told, str) else told
        deadline = time.monotonic() + PATIENCE_S
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except Empty:
                break
            self.seen.append(line)
            if fits(line):
                return line
        raise AssertionError(f"{told!r} was not among {self.seen[-30:]}")

    def end(self) -> int:
        """Close its input and wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(PATIENCE_S)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def lan() -> Iterator[Lan]:
    lan = Lan()
    try:
        try:
            lan.build()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this root may not make network namespaces: {error.stderr}")
        yield lan
    finally:
        lan.remove()


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    started: list[Program] = []
    yield started
    for program in started:
        program.kill()


def test_three_people_on_three_machines_talk_and_one_is_cut_off_for_a_while(
    lan: Lan, programs: list[Program], tmp_path: Path
) -> None:
    data, config = tmp_path / "data", tmp_path / "broker.toml"
    config.write_text("bcrypt_cost = 4\n")

    def start(namespace: str, *command: str, **environment: str) -> Program:
        programs.append(Program(namespace, *command, **environment))
        return programs[-1]

    serve = ("-m", "broker", "serve", "--config", str(config), "--data-dir", str(data), "--listen", "10.77.0.1")
    address = start(lan.broker, *serve).wait_for("tertulia://")
    assert address.startswith("tertulia://10.77.0.1:5570/")

    people: dict[str, Program] = {}
    homes: dict[str, dict[str, str]] = {}
    for name in PEOPLE:
        homes[name] = {
            "HOME": str(tmp_path / name),
            "XDG_CONFIG_HOME": str(tmp_path / name),
            "TERTULIA_ADDRESS": address,
            "TERTULIA_LOGIN": name,
            "TERTULIA_PASSWORD": f"password of {name}",
        }
        fields = ("--first-names", name.title(), "--surnames", "Doe", "--age", "30", "--gender", "other")
        register = start(lan.machine(name), "-m", "client", "register", "--login", name, *fields, **homes[name])
        assert register.end() == 0, register.seen
        people[name] = start(lan.machine(name), "-m", "client", "--plain", **homes[name])
        people[name].say("#lR")
        people[name].wait_for("default room")

    ana, bruno, carla = people.values()
    for number, (name, speaker) in enumerate(people.items()):
        speaker.say(f"hello {number} from {name}")
        for listener in people.values():
            if listener is not speaker:
                listener.wait_for(f"hello {number} from {name}")

    lan.plug("carla", "down")
    ana.say("carla cannot hear this")
    bruno.wait_for("carla cannot hear this")
    carla.say("typed while cut off")
    lan.plug("carla", "up")
    carla.wait_for("carla cannot hear this")
    ana.wait_for("typed while cut off")
    bruno.wait_for("typed while cut off")
    bruno.say("are we all here?")
    for listener in (ana, carla):
        listener.wait_for("are we all here?")
    assert sum("carla cannot hear this" in line for line in carla.seen) == 1
    assert sum("typed while cut off" in line for line in ana.seen) == 1

    for person in people.values():
        assert person.end() == 0, person.seen
    tail = ("-m", "client", "tail", "--room", "lobby", "--count", "10", "--json")
    log = start(lan.machine("ana"), *tail, **homes["ana"])
    log.wait_for("are we all here?")
    told = [json.loads(line) for line in log.seen if line.startswith("{")]
    assert [entry["sender"] for entry in told] == ["ana", "bruno", "carla", "ana", "carla", "bruno"]

    if FAKETIME is None:
        pytest.skip("needs libfaketime, of the program faketime, for a client whose clock is wrong")
    wrong = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+3h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    probe = start(lan.machine("bruno"), "-m", "tests.system.clock_probe", **homes["bruno"], **wrong)
    own = int(probe.wait_for(str.isdigit))
    assert own - time.time() * 1000 > 2.9 * 3_600_000, "the client's own clock is not three hours off"
    for _ in range(5):
        before = time.time() * 1000
        probe.say("")
        shown = int(probe.wait_for(str.isdigit))
        assert before - 50 <= shown <= time.time() * 1000 + 50

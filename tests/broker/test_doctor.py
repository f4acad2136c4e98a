"""The doctor: every check well and ill, on real files, beside a running broker and without one.

One module, long, because all of it examines the same data directory.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from broker import cli, config
from broker.app import EmbeddedBroker
from broker.config import BrokerConfig
from broker.doctor import database, examination, machine, network
from broker.doctor.findings import Finding, owned_by, size
from broker.wire.bounds import Bounds
from tests.support import unmeasured
from tests.support.loopback import RawClient

LINUX_ROOT = sys.platform == "linux" and os.geteuid() == 0

Examine = Callable[[], dict[str, list[Finding]]]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory after a day's use."""
    path = tmp_path_factory.mktemp("used") / "data"
    with EmbeddedBroker(data_dir=path) as broker, RawClient(broker.address) as ana:
        ana.register("ana")
        for number in range(40):
            ana.say("lobby", f"message {number} " + "x" * 200)
    return path


@pytest.fixture
def data(used: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(used, tmp_path / "data", ignore=shutil.ignore_patterns("*.sock")))


@pytest.fixture
def examine(data: Path, tmp_path: Path) -> Examine:
    def call(**settings: object) -> dict[str, list[Finding]]:
        made = replace(BrokerConfig(), data_dir=data, port=0, network=Bounds(connections=100), **settings)  # type: ignore[arg-type]
        found: dict[str, list[Finding]] = {}
        for finding in examination.examine(made, tmp_path / "broker.toml"):
            found.setdefault(finding.check, []).append(finding)
        return found

    return call


def ill(found: dict[str, list[Finding]]) -> dict[str, str]:
    """What is not well, the clock's synchronisation apart: it is this machine's."""
    return {
        finding.check: f"{finding.verdict}: {finding.sentence} {finding.advice}".strip()
        for findings in found.values()
        for finding in findings
        if finding.verdict != "ok" and "synchronised" not in finding.sentence
    }


def tables(data: Path, statement: str) -> None:
    connection = apsw.Connection(str(data / config.DATABASE))
    connection.execute(statement)
    connection.close()


def test_a_sound_directory_is_well(examine: Examine) -> None:
    found = examine()
    assert ill(found) == {}
    assert set(found) >= {name for name, _ in examination.CHECKS} | {"settings", "wal", "references", "logs", "search"}


def test_beside_a_running_broker_all_is_well_and_nothing_is_disturbed(data: Path, examine: Examine) -> None:
    with EmbeddedBroker(data_dir=data) as broker, RawClient(broker.address) as bob:
        bob.register("bob")
        found = examine()
        assert ill(found) == {}
        assert found["broker"][0].sentence == "A broker runs, and answers its operator."
        assert "ports" not in found
        bob.say("lobby", "still here")


def test_nothing_is_changed(data: Path, examine: Examine) -> None:
    before = {path: path.read_bytes() for path in data.iterdir()}
    examine()
    assert {path: path.read_bytes() for path in data.iterdir() if not path.name.endswith(("-shm", "-wal"))} == before


def test_before_the_first_start_there_is_nothing_to_fear(tmp_path: Path, data: Path, examine: Examine) -> None:
    shutil.rmtree(data)
    assert list(ill(examine())) == ["directory"]
    data.mkdir(mode=0o700)
    assert ill(examine()) == {}


# Settings.


def test_settings_that_cannot_be_read_end_the_examination(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broker.toml"
    file.write_text("port = 99999\n")
    assert cli.main(["doctor", "--config", str(file)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"problem  settings     {file}: port: expected a whole number")


@pytest.mark.parametrize(("mode", "verdict"), [(0o600, "ok"), (0o644, "ok"), (0o664, "warning"), (0o646, "problem")])
def test_settings_that_others_may_change(tmp_path: Path, examine: Examine, mode: int, verdict: str) -> None:
    (tmp_path / "broker.toml").touch()
    (tmp_path / "broker.toml").chmod(mode)
    assert examine()["settings"][0].verdict == verdict


def test_settings_in_a_directory_that_everybody_may_change(tmp_path: Path, examine: Examine) -> None:
    (tmp_path / "broker.toml").touch()
    tmp_path.chmod(0o777)
    assert examine()["settings"][0].advice == f"Run: chmod o-w {tmp_path}"
    tmp_path.chmod(0o1777)
    assert examine()["settings"][0].verdict == "ok"


# Files.


def test_a_directory_open_to_others(data: Path, examine: Examine) -> None:
    data.chmod(0o750)
    assert ill(examine())["directory"].endswith(f"Run: chmod 700 {data}")


def test_a_file_in_the_directorys_place(data: Path, examine: Examine) -> None:
    shutil.rmtree(data)
    data.touch()
    assert "is no directory" in ill(examine())["directory"]


@pytest.mark.skipif(not LINUX_ROOT, reason="needs root, to become somebody else")
def test_somebody_elses_directory(data: Path) -> None:
    for path in data.parents:
        if Path(tempfile.gettempdir()) in path.parents:
            path.chmod(0o711)
    # All is imported before: the tree itself may be out of reach afterwards.
    script = f"""
import os
from broker import cli
import broker.doctor.examination, pwd, resource
os.setgroups([]), os.setgid(65534), os.setuid(65534)
raise SystemExit(cli.main(["doctor", "--data-dir", {str(data)!r}]))
"""
    # Nobody may write what would be measured there.
    home = {**unmeasured.environment(), "HOME": str(data.parent), "XDG_CONFIG_HOME": str(data.parent)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=home)
    assert done.returncode == 1, done.stderr
    assert f"Run this, and the broker, as {owned_by(data)}." in done.stdout
    assert "could not be examined" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["broker.key", "pepper"])
def test_a_secret_that_is_missing_open_short_or_not_ours(data: Path, examine: Examine, name: str) -> None:
    secret = data / name
    content = secret.read_bytes()
    secret.chmod(0o640)
    assert f"chmod 600 {secret}" in ill(examine())["secrets"]
    secret.chmod(0o600)
    secret.write_bytes(content[:-1])
    assert "restore it from a backup" in ill(examine())["secrets"]
    secret.unlink()
    assert "is missing" in ill(examine())["secrets"]


def test_a_key_pair_that_is_none(data: Path, examine: Examine) -> None:
    content = (data / "broker.key").read_bytes()
    (data / "broker.key").write_bytes(content[:32] + bytes(32))
    assert "the two keys are no pair" in ill(examine())["secrets"]


@pytest.mark.parametrize("name", ["tertulia.db", "lock"])
def test_a_file_open_to_others(data: Path, examine: Examine, name: str) -> None:
    (data / name).chmod(0o644)
    assert ill(examine())["files"].endswith(f"Run: chmod 600 {data / name}")


def test_an_operators_socket_open_to_others(data: Path, examine: Examine) -> None:
    with EmbeddedBroker(data_dir=data):
        (data / "operator.sock").chmod(0o666)
        assert "operator.sock" in ill(examine())["files"]


@pytest.mark.skipif(not LINUX_ROOT, reason="needs root, to give a file away")
def test_a_file_of_somebody_elses(data: Path, examine: Examine) -> None:
    os.chown(data / "tertulia.db", 65534, 65534)
    assert f"Run: chown {owned_by(data)} {data / 'tertulia.db'}" in ill(examine())["files"]


# The database.


def test_a_database_that_is_missing_or_empty_where_there_was_one(data: Path, examine: Examine) -> None:
    (data / "tertulia.db").write_bytes(b"")
    assert ill(examine())["database"].startswith("warning: ")
    (data / "tertulia.db").unlink()
    assert "restore a backup, or name the database" in ill(examine())["database"]


def test_a_database_with_nothing_in_it_yet(data: Path, examine: Examine) -> None:
    (data / "tertulia.db").unlink()
    connection = apsw.Connection(str(data / "tertulia.db"))
    connection.pragma("journal_mode", "wal")
    connection.close()
    (data / "tertulia.db").chmod(0o600)
    assert ill(examine()) == {}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"this is no database " * 500, "is damaged or no database"),
        (bytes(20_000), "is damaged or no database"),
    ],
)
def test_what_is_no_database(data: Path, examine: Examine, content: bytes, sentence: str) -> None:
    (data / "tertulia.db").write_bytes(content)
    assert sentence in ill(examine())["database"]


def test_a_database_cut_short(data: Path, examine: Examine) -> None:
    file = data / "tertulia.db"
    file.write_bytes(file.read_bytes()[:30_000])
    assert "restore a backup" in ill(examine())["database"]


def test_a_page_that_was_overwritten(data: Path, examine: Examine) -> None:
    content = bytearray((data / "tertulia.db").read_bytes())
    at = content.index(b"message 5 ")
    page = at - at % 4_096
    content[page : page + 512] = os.urandom(512)
    (data / "tertulia.db").write_bytes(content)
    assert "is damaged" in ill(examine())["database"]


def test_an_index_that_lacks_a_row_is_found_unless_the_database_is_too_big_to_look(
    data: Path, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables(
        data,
        "PRAGMA writable_schema = ON;"
        " UPDATE sqlite_schema SET sql = replace(sql, '(log, seq)', '(time, seq)') WHERE name = 'entry_log'",
    )
    assert "entry_log" in ill(examine())["database"]
    monkeypatch.setattr(database, "BIG", 0)
    findings = examine()
    assert "for its size" in findings["database"][0].sentence
    assert "logs" in findings
    assert "search" not in findings


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("PRAGMA application_id = 7", "another program's"),
        ("PRAGMA user_version = 99", "written by a newer Tertulia"),
    ],
)
def test_a_database_that_is_not_ours(data: Path, examine: Examine, statement: str, sentence: str) -> None:
    tables(data, statement)
    assert sentence in ill(examine())["database"]


def test_an_older_schema(data: Path, examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    from broker.store import inspection

    monkeypatch.setattr(inspection, "STEPS", (*inspection.STEPS, ("CREATE TABLE later (x)",)))
    assert "brings it up to date" in ill(examine())["schema"]


def test_rows_that_refer_to_nothing(data: Path, examine: Examine) -> None:
    tables(data, "INSERT INTO member VALUES (77, 1, 0)")
    assert "member refers to a missing room" in ill(examine())["references"]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM entry WHERE seq = 20", "in log 1 entry 21 comes after 19, and should after 20"),
        ("DELETE FROM entry WHERE seq = 1", "in log 1 entry 2 comes after 0, and should after 1"),
        ("UPDATE entry SET log = 55, prev = 0 WHERE seq = 40", "log 55 belongs to no room and no account"),
        ("UPDATE sqlite_sequence SET seq = 30 WHERE name = 'entry'", "entry 40 is beyond the last number"),
    ],
)
def test_a_log_that_is_broken(data: Path, examine: Examine, statement: str, sentence: str) -> None:
    tables(data, statement)
    assert sentence in ill(examine())["logs"]


def index(data: Path) -> None:
    """Have the first twenty messages in the full-text index."""
    tables(
        data, "UPDATE indexed SET upto = 20; INSERT INTO entry_words (rowid, scope, text) SELECT * FROM entry_spoken"
    )


def test_an_index_that_fits_its_messages(data: Path, examine: Examine) -> None:
    index(data)
    found = examine()
    assert ill(found) == {}
    assert found["search"][0].verdict == "ok"


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE entry SET text = '', retracted = 1 WHERE seq = 7", "5 words are indexed that no message has"),
        ("UPDATE entry SET text = 'changed behind its back' WHERE seq = 7", "4 words of messages are not indexed"),
        ("UPDATE indexed SET upto = 21", "5 words of messages are not indexed"),
        ("UPDATE indexed SET upto = 77", "it is said to go up to 77, beyond the last number given out, 40"),
        ("INSERT INTO entry_words (entry_words) VALUES ('delete-all')", "words of messages are not indexed"),
    ],
)
def test_an_index_that_does_not_fit_its_messages(data: Path, examine: Examine, statement: str, sentence: str) -> None:
    index(data)
    tables(data, statement)
    found = ill(examine())["search"]
    assert sentence in found
    assert "xxx" not in found, "no word is told"


def test_a_deleted_rooms_log_may_be_half_gone(data: Path, examine: Examine) -> None:
    tables(data, "DELETE FROM entry WHERE seq < 20; INSERT INTO dropped VALUES (1); DELETE FROM room WHERE id = 1")
    tables(data, "DELETE FROM member")
    assert ill(examine()) == {}


def test_a_write_ahead_log_that_is_never_moved(data: Path, examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAL_BYTES", 0)
    with EmbeddedBroker(data_dir=data) as broker, RawClient(broker.address) as bob:
        bob.register("bob")
        assert "End other programs that read the database" in ill(examine())["wal"]


READ_ONLY = """
import os, shutil, subprocess, sys
from pathlib import Path
disk, source, left = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=True)
data = Path(shutil.copytree(source, disk + "/data", ignore=shutil.ignore_patterns("*.sock")))
data.chmod(0o700)
if left == "unfinished":
    import apsw
    connection = apsw.Connection(str(data / "tertulia.db"))
    connection.execute("UPDATE entry SET text = 'changed'")
    for name in ("tertulia.db", "tertulia.db-wal"):
        shutil.copy(data / name, disk + "/" + name)
    connection.close()
    for name in ("tertulia.db", "tertulia.db-wal"):
        os.replace(disk + "/" + name, data / name)
subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
from broker import cli
raise SystemExit(cli.main(["doctor", "--data-dir", str(data)]))
"""


@pytest.mark.skipif(not LINUX_ROOT or shutil.which("unshare") is None, reason="needs root, to mount a disk")
@pytest.mark.parametrize("left", ["closed", "unfinished"])
def test_on_a_disk_that_cannot_be_written(used: Path, tmp_path: Path, left: str) -> None:
    command = ["unshare", "--mount", sys.executable, "-c", READ_ONLY, str(tmp_path), str(used), left]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unshare failed" in done.stderr or "mount" in done.stderr:
        pytest.skip("this root may not mount a disk")
    assert done.returncode == 1, done.stderr
    assert "mounted read-only" in done.stdout
    if left == "closed":
        assert "ok       logs " in done.stdout, done.stdout
    else:
        assert "copy the data directory elsewhere and examine the copy" in done.stdout, done.stdout


# The machine.


def test_a_disk_that_is_nearly_full(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "AMPLE_BYTES", 1 << 60)
    assert ill(examine())["space"].startswith("warning: Only ")
    monkeypatch.setattr(machine, "LEAST_BYTES", 1 << 60)
    assert ill(examine())["space"].startswith("problem: Only ")


def test_a_disk_without_inodes(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_FILES", 1 << 60)
    assert "more files can be made" in ill(examine())["space"]


def test_a_clock_behind_the_log(data: Path, examine: Examine) -> None:
    tables(data, f"UPDATE entry SET time = {int((time.time() + 86_400 * 3) * 1_000)} WHERE seq = 40")
    assert "is 3 days ahead of the clock" in ill(examine())["clock"]


@pytest.mark.skipif(shutil.which("faketime") is None, reason="needs faketime, for another year")
def test_a_clock_in_another_century(data: Path) -> None:
    command = ["faketime", "1999-01-01", sys.executable, "-m", "broker", "doctor", "--data-dir", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "problem  clock        The clock says it is 199" in done.stdout


@pytest.mark.parametrize(("state", "verdict"), [(False, "warning"), (True, "ok"), (None, "ok")])
def test_a_clock_that_nothing_keeps_right(
    examine: Examine, monkeypatch: pytest.MonkeyPatch, state: bool | None, verdict: str
) -> None:
    monkeypatch.setattr(machine, "_synchronised", lambda: state)
    assert examine()["clock"][0].verdict == verdict


@pytest.mark.skipif(sys.platform != "linux", reason="is the kernel's business")
def test_the_kernel_is_asked_about_its_clock() -> None:
    assert machine._synchronised() in (True, False, None)


@pytest.mark.parametrize(("limit", "verdict"), [(512, "problem"), (2_000, "warning")])
def test_few_descriptors(data: Path, limit: int, verdict: str) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    command = [sys.executable, "-m", "broker", "doctor", "--data-dir", str(data), "--json"]
    environment = {**os.environ, "TERTULIA_BROKER_NETWORK_CONNECTIONS": "5000", "TERTULIA_BROKER_PORT": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=few, env=environment)
    findings = {each["check"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == (verdict == "problem")
    assert findings["descriptors"]["verdict"] == verdict
    assert "LimitNOFILE" in findings["descriptors"]["advice"]


def test_libraries_that_are_too_old(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    from broker.store import connections
    from broker.wire import sockets

    monkeypatch.setattr(connections, "SQLITE_OLDEST", (99, 0, 0))
    monkeypatch.setattr(sockets, "LIBZMQ", (99, 0, 0))
    assert [finding.verdict for finding in examine()["libraries"]] == ["problem", "problem"]


# The broker and its ports.


def test_a_broker_that_hangs(data: Path, examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "PATIENCE_S", 0.2)
    serve = [sys.executable, "-m", "broker", "serve", "--data-dir", str(data), "--listen", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as broker:
        assert broker.stdout is not None
        broker.stdout.readline()
        broker.send_signal(signal.SIGSTOP)
        try:
            assert "kill -9 is safe" in ill(examine())["broker"]
        finally:
            broker.kill()
    assert examine()["broker"][0].sentence.startswith("No broker runs")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on, with two above it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield min(listener.getsockname()[1], 65_533)


def test_a_port_that_is_taken(data: Path, tmp_path: Path, taken: int) -> None:
    made = replace(BrokerConfig(), data_dir=data, listen="127.0.0.1")
    for port, verdict in ((taken, "problem"), (0, "ok")):
        found = list(examination.examine(replace(made, port=port), tmp_path / "none.toml"))
        assert [each.verdict for each in found if each.check == "ports"] == [verdict]


def test_ports_that_are_free(data: Path, tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        port = broker.address.port
    made = replace(BrokerConfig(), data_dir=data, listen="127.0.0.1", port=port)
    found = {each.check: each for each in examination.examine(made, tmp_path / "none.toml")}
    assert found["ports"].sentence == f"Ports {port} to {port + 2} are free."


def test_a_directory_whose_name_is_too_long_for_a_socket(tmp_path: Path, data: Path) -> None:
    made = replace(BrokerConfig(), data_dir=Path(data.rename(tmp_path / ("d" * 120))), port=0)
    found = {(each.check, each.verdict) for each in examination.examine(made, tmp_path / "none.toml")}
    assert ("ports", "problem") in found


# The command.


def test_the_command_says_a_line_a_check(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(config, "default_file", lambda: tmp_path / "none.toml")
    monkeypatch.setenv("TERTULIA_BROKER_PORT", "0")
    assert cli.main(["doctor", "--data-dir", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("ok       ", "warning  ")) for line in lines)
    data.chmod(0o755)
    assert cli.main(["doctor", "--data-dir", str(data), "--json"]) == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(found) == len(lines)
    assert {tuple(each) for each in found} == {("check", "verdict", "sentence", "advice")}


@pytest.mark.parametrize(
    ("amount", "words"), [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (85e9, "85 GB"), (2e15, "2000 TB")]
)
def test_sizes_for_people(amount: float, words: str) -> None:
    assert size(amount) == words

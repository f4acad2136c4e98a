"""The log: one line an event, whatever a peer wrote into it, and whoever reads it or does not."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import log, log_writer
from broker.log_writer import Throttle
from common import addresses, log_lines
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_S


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level, propagate = list(log.LOGGER.handlers), log.LOGGER.level, log.LOGGER.propagate
    yield
    log.stop()
    log.LOGGER.handlers[:], log.LOGGER.propagate = handlers, propagate
    log.LOGGER.setLevel(level)


def started(format: log.Format = "text", verbose: bool = False) -> io.StringIO:
    stream = io.StringIO()
    log.start(format, verbose, stream)
    return stream


def written(stream: io.StringIO) -> str:
    """All that was logged so far; it ends with this."""
    log.stop()
    return stream.getvalue()


def test_a_line_has_time_level_event_and_fields() -> None:
    stream = started()
    log.event("login", login="ana", tries=2, empty="")
    (line,) = written(stream).splitlines()
    assert line.startswith("time=20")
    assert line.endswith('Z level=info event=login login=ana tries=2 empty=""')


@pytest.mark.parametrize("format", ["text", "json"])
def test_nothing_a_peer_wrote_ends_a_line_or_reaches_the_terminal(format: log.Format) -> None:
    stream = started(format)
    log.event("said", client='a\nlevel=error "x"\\ \x1b[31m\u202e\u2028')
    out = written(stream)
    assert out.count("\n") == 1
    assert len(out.splitlines()) == 1
    assert out.rstrip("\n").isprintable()


def test_values_with_spaces_and_quotes_stay_one_value() -> None:
    stream = started()
    log.event("said", name='a "b" \\')
    assert written(stream).endswith('name="a \\"b\\" \\\\"\n')


def test_a_value_is_cut_where_it_gets_long() -> None:
    assert len(log_lines.escape("x" * 5_000)) == 1_001


def test_json_lines_keep_numbers_and_cut_long_texts() -> None:
    stream = started("json")
    log.event("login", tries=2, none=None, long="é" * 2_000, other=frozenset())
    line = json.loads(written(stream))
    assert (line["event"], line["tries"], line["none"], len(line["long"])) == ("login", 2, None, 1_000)


def test_a_failure_brings_its_traceback_on_the_same_line() -> None:
    stream = started()
    try:
        raise KeyError("gone\nmad")
    except KeyError:
        log.failure("fault", key="k")
    (line,) = written(stream).splitlines()
    assert "level=error event=fault key=k error=" in line
    assert "test_log.py" in line


def test_a_log_that_nobody_takes_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    stream = started()
    stream.close()
    log.event("login", login="ana")
    log.stop()
    assert capsys.readouterr() == ("", "")


def test_what_only_matters_for_diagnosis_needs_verbose() -> None:
    for verbose in (False, True):
        stream = started(verbose=verbose)
        log.event("detail", logging.DEBUG)
        assert ("event=detail" in written(stream)) is verbose


def test_other_modules_of_the_broker_log_here_too() -> None:
    stream = started()
    logging.getLogger("broker.store.journal").warning("A transaction failed: %s", "disk\nfull")
    assert written(stream).count("\n") == 1


def test_what_a_line_says_is_what_was_so_when_it_was_logged() -> None:
    stream = started()
    rooms = ["lobby"]
    log.event("said", rooms=rooms)
    rooms.append("dev")
    assert "rooms=['lobby']" in written(stream)


class Slow(io.StringIO):
    """A stream that takes nothing before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.taken, self.go, self.whole = threading.Event(), threading.Event(), threading.Event()
        self._lines = 0

    def write(self, text: str) -> int:
        self.taken.set()
        assert self.go.wait(PATIENCE_S)
        self._lines += "event=login" in text
        if self._lines == log_writer.LINES:
            self.whole.set()
        return super().write(text)


def test_lines_that_find_no_room_are_dropped_and_counted() -> None:
    stream = Slow()
    log.start(stream=stream)
    log.event("first")
    assert stream.taken.wait(PATIENCE_S)
    for number in range(log_writer.LINES + 7):
        log.event("login", number=number)
    stream.go.set()
    # The end waits a second for what is left: a busy machine may need longer.
    assert stream.whole.wait(PATIENCE_S)
    lines = written(stream).splitlines()
    assert sum("event=login" in line for line in lines) == log_writer.LINES
    assert [line.partition("event=")[2] for line in lines if "log-dropped" in line] == ["log-dropped count=7"]
    assert "level=warning" in next(line for line in lines if "log-dropped" in line)


def test_a_pipe_that_nobody_reads_delays_neither_who_logs_nor_the_end() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "w") as stream:
        log.start(stream=stream)
        for _ in range(5_000):
            log.event("login", login="a" * 900)
        log.stop()
        assert not [each for each in threading.enumerate() if each.name == "log"]


def test_a_line_longer_than_the_pipe_arrives_whole() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as out:
        with os.fdopen(writer, "w") as stream:
            log.start(stream=stream)
            for _ in range(20):
                log.event("long", **{f"field{number}": "x" * 990 for number in range(20)})
        lines: list[str] = []
        while len(lines) < 20:
            lines.append(out.readline())
        log.stop()
        assert {len(line.partition("event=")[2]) for line in lines} == {len(lines[0].partition("event=")[2])}
        assert out.read() == "", "its own descriptor is closed"


def test_what_peers_can_provoke_is_held_back_by_name_and_told() -> None:
    now = [0.0]
    stream = io.StringIO()
    log.start(stream=stream, throttle=Throttle(rate=2.0, burst=3.0, clock=lambda: now[0]))
    for _ in range(10):
        log.event("refused")
        log.event("foreign-request")
        log.event("logged-in")
    now[0] = 1.0
    for _ in range(10):
        log.event("refused")
    lines = [line.partition("event=")[2] for line in written(stream).splitlines()]
    assert (lines.count("refused"), lines.count("foreign-request"), lines.count("logged-in")) == (5, 3, 10)
    assert "held-back of=refused count=15" in lines
    assert "held-back of=foreign-request count=7" in lines


def test_a_failure_that_can_be_provoked_is_held_back_too() -> None:
    stream = io.StringIO()
    log.start(stream=stream, throttle=Throttle(rate=0.0, burst=1.0))
    for _ in range(3):
        try:
            raise KeyError
        except KeyError:
            log.failure("fault")
    assert written(stream).count("event=fault") == 1


CRASH = """
import threading
import time
from broker import log
log.start()
log.event("begun")
thread = threading.Thread(target=lambda: [][0], name="journal")
thread.start()
thread.join()
raise RuntimeError("no\\nway")
"""


def test_a_crash_is_a_line_with_its_traceback_and_the_last_but_lost_nowhere() -> None:
    done = subprocess.run([sys.executable, "-c", CRASH], stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
    begun, thread, crash = done.stderr.splitlines()
    assert done.returncode == 1
    assert "event=begun" in begun
    assert 'level=critical event=thread-crashed thread=journal error="IndexError: ' in thread
    assert "level=critical event=crashed error=" in crash
    assert "RuntimeError" in crash.partition("traceback=")[2]


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe with room for nothing is made by the system's means")
def test_a_broker_serves_and_ends_though_nobody_reads_its_log(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4_096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    command = [sys.executable, "-m", "broker", "serve", "--data-dir", str(tmp_path), "--listen", "127.0.0.1"]
    environment = {**os.environ, "TERTULIA_BROKER_BCRYPT_COST": "4"}
    with subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=writer, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            with RawClient(addresses.parse(process.stdout.readline())) as client:
                client.register("ana")
                client.say("lobby", "hola")
                began = time.monotonic()
                process.terminate()
                assert process.wait(PATIENCE_S) == 0
                assert time.monotonic() - began < 5.0
        finally:
            process.kill()
            os.close(reader)
            os.close(writer)

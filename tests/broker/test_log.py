"""The log: one line an event, whatever a peer wrote into it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from broker import log


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level, propagate = list(log.LOGGER.handlers), log.LOGGER.level, log.LOGGER.propagate
    yield
    log.LOGGER.handlers[:], log.LOGGER.propagate = handlers, propagate
    log.LOGGER.setLevel(level)


def started(format: log.Format = "text", verbose: bool = False) -> io.StringIO:
    stream = io.StringIO()
    log.start(format, verbose, stream)
    return stream


def test_a_line_has_time_level_event_and_fields() -> None:
    stream = started()
    log.event("login", login="ana", tries=2, empty="")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("time=20")
    assert line.endswith('Z level=info event=login login=ana tries=2 empty=""')


@pytest.mark.parametrize("format", ["text", "json"])
def test_nothing_a_peer_wrote_ends_a_line_or_reaches_the_terminal(format: log.Format) -> None:
    stream = started(format)
    log.event("said", client='a\nlevel=error "x"\\ \x1b[31m\u202e\u2028')
    out = stream.getvalue()
    assert out.count("\n") == 1
    assert len(out.splitlines()) == 1
    assert out.rstrip("\n").isprintable()


def test_values_with_spaces_and_quotes_stay_one_value() -> None:
    stream = started()
    log.event("said", name='a "b" \\')
    assert stream.getvalue().endswith('name="a \\"b\\" \\\\"\n')


def test_a_value_is_cut_where_it_gets_long() -> None:
    assert len(log.escape("x" * 5_000)) == 1_001


def test_json_lines_keep_numbers_and_cut_long_texts() -> None:
    stream = started("json")
    log.event("login", tries=2, none=None, long="é" * 2_000, other=frozenset())
    line = json.loads(stream.getvalue())
    assert (line["event"], line["tries"], line["none"], len(line["long"])) == ("login", 2, None, 1_000)


def test_a_failure_brings_its_traceback_on_the_same_line() -> None:
    stream = started()
    try:
        raise KeyError("gone\nmad")
    except KeyError:
        log.failure("fault", key="k")
    (line,) = stream.getvalue().splitlines()
    assert "level=error event=fault key=k error=" in line
    assert "test_log.py" in line


def test_a_log_that_nobody_takes_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    stream = started()
    stream.close()
    log.event("login", login="ana")
    assert capsys.readouterr() == ("", "")


def test_what_only_matters_for_diagnosis_needs_verbose() -> None:
    quiet, loud = started(), started(verbose=True)
    log.event("detail", logging.DEBUG)
    assert not quiet.getvalue()
    assert "event=detail" in loud.getvalue()


def test_other_modules_of_the_broker_log_here_too() -> None:
    stream = started()
    logging.getLogger("broker.store.journal").warning("A transaction failed: %s", "disk\nfull")
    assert stream.getvalue().count("\n") == 1

"""All checks in their order, and how what they find is shown. A check that cannot be made is a problem of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from broker.config import BadConfig, BrokerConfig
from broker.datadir import DataDir
from broker.doctor import database, files, machine, network
from broker.doctor.findings import Check, Finding, Premises
from broker.store.migrations import DatabaseUnusable
from broker.wire.operator_client import listens
from common import texts
from common.errors import ChatError

CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("libraries", machine.versions),
    ("directory", files.directory),
    ("secrets", files.secrets),
    ("files", files.private),
    ("database", database.database),
    ("space", machine.space),
    ("clock", machine.clock),
    ("descriptors", machine.descriptors),
    ("broker", network.broker),
    ("ports", network.ports),
)
"""What is looked at, by the name under which it is told."""


def examine(config: BrokerConfig | BadConfig, file: Path) -> Iterator[Finding]:
    """Look at everything; `config` is what was read from `file` and beside it, or why it could not be."""
    if isinstance(config, BadConfig):
        yield Finding("settings", "problem", str(config), "Nothing else was examined: all of it hangs on the settings.")
        return
    yield from _guarded("settings", files.settings(file))
    data = DataDir(config.data_dir)
    premises = Premises(config, data, listens(data.operator))
    for name, check in CHECKS:
        yield from _guarded(name, check(premises))


def _guarded(name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except (OSError, ChatError, DatabaseUnusable) as error:
        advice = "Run this as the owner of the data directory." if isinstance(error, PermissionError) else ""
        yield Finding(name, "problem", f"This could not be examined: {error}.", advice)


def show(findings: Iterable[Finding], as_json: bool) -> int:
    """Print a line for each finding, as it is made; the number of problems."""
    problems = 0
    for finding in findings:
        problems += finding.verdict == "problem"
        if as_json:
            print(json.dumps(finding._asdict()), flush=True)
        else:
            words = texts.visible(f"{finding.sentence} {finding.advice}".strip())
            print(f"{finding.verdict:<8} {finding.check:<12} {words}", flush=True)
    return problems

"""What every test shares: with CI set, a test that is skipped for want of a program has failed; no test leaves the
broker's log as it is in a process of its own; and the files that take longest begin, lest one run alone at the end.

The continuous integration installs those programs (`.ci/run`), so there a skip would hide a missing check.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Iterator

import pytest

# Whatever language the person speaks who runs the tests: what is compared is English.
os.environ["TERTULIA_LANG"] = "en"

PROGRAMS = frozenset(
    {
        "caddy",
        "chromium",
        "faketime",
        "ip",
        "iproute2",
        "make",
        "nginx",
        "ngircd",
        "node",
        "nodejs",
        "npm",
        "openssl",
        "strace",
        "tmux",
    }
)


LONGEST = ("tests/browser/", "tests/system/", "tests/client/link/", "tests/examples/", "tests/end_to_end/")
"""Folders whose tests wait for programs, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next((at for at, folder in enumerate(LONGEST) if item.nodeid.startswith(folder)), len(LONGEST))

    items.sort(key=rank)


def lacks_a_program(reason: str) -> bool:
    """Whether a test is skipped because a program or a library is not here, by the words of its reason."""
    words = set(re.findall(r"[a-z0-9]+", reason.lower()))
    if "root" in words and os.geteuid():
        return False
    return bool(words & PROGRAMS) or "could not import" in reason


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if lacks_a_program(reason):
            report.outcome = "failed"
            report.longrepr = f"With CI set, nothing is skipped for want of a program.\n{reason}"
    return report


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """Whoever runs the broker's command line in the tests' process starts its log, which goes on for ever."""
    yield
    if "broker.log" in sys.modules:
        sys.modules["broker.log"].stop()

"""Run every check in order and print the totals: what `make test` does.

Stops at the first failure with that check's status; what failed is the last thing printed, and so the lines without
a test are not (`coverage report` shows them afterwards). Three tests run at a time: most of them wait more than they
work. The long ones come last, so that nothing is timed beside them. Arguments go to pytest, and then the coverage of
each package is printed but not judged, since only a part of the tests may have run.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

PACKAGES = ("broker", "client", "common", "testkit")
COVERAGE_PERCENT = 90
"""Of each package, branches counted."""
COVERED = ("--cov", "--cov-report=")
SIDE_BY_SIDE = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")


def step(name: str, *command: str) -> None:
    """Run one check, or end with its status."""
    print(f"== {name}", flush=True)
    status = subprocess.run([sys.executable, "-m", *command]).returncode
    if status:
        print(f"== {name} failed with status {status}", flush=True)
        sys.exit(status)


def covered(package: str) -> float:
    """The percentage of a package's lines and branches that the tests reached."""
    command = [sys.executable, "-m", "coverage", "report", f"--include={package}/*", "--format=total", "--precision=1"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main(arguments: Sequence[str]) -> int:
    began = time.monotonic()
    step("style", "ruff", "check", ".")
    step("format", "ruff", "format", "--check", ".")
    step("types", "mypy")
    if arguments:
        step("tests", "pytest", *COVERED, *arguments)
    else:
        step("tests", "pytest", *COVERED, *SIDE_BY_SIDE, "-m", "not long", "--durations=10")
        step("long tests", "pytest", *COVERED, "--cov-append", *SIDE_BY_SIDE, "-m", "long")
    totals = {package: covered(package) for package in PACKAGES}
    print("== coverage with branches: " + ", ".join(f"{name}/ {share:.1f} %" for name, share in totals.items()))
    low = [name for name, share in totals.items() if share < COVERAGE_PERCENT]
    if low and not arguments:
        print(f"== less than {COVERAGE_PERCENT} % of {', '.join(low)} is covered")
        return 1
    print(f"== all checks passed in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

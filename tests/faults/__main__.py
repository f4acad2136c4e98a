"""`python -m tests.faults SCENARIO [options]`: runs one scenario and prints what it measured.

Each scenario is a module here with `add_arguments(parser)` and `run(arguments) -> int`, the exit status; the first
sentence of its docstring is its help.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Final

SCENARIOS: Final[tuple[str, ...]] = (
    "kills",
    "mixed",
    "crash_points",
    "power_loss",
    "disk_full",
    "recovery",
    "stolen",
    "malformed",
    "joins",
    "push",
    "pressure",
    "storm",
    "bots",
    "browsers",
)
"""Modules of this package, in the order of `docs/GUARANTEES.md`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one scenario; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(metavar="SCENARIO", required=True)
    for name in SCENARIOS:
        scenario = importlib.import_module(f"tests.faults.{name}")
        sentence = (scenario.__doc__ or "").splitlines()[0]
        command = commands.add_parser(name.replace("_", "-"), help=sentence, description=sentence)
        scenario.add_arguments(command)
        command.set_defaults(run=scenario.run)
    given = parser.parse_args(arguments)
    status: int = given.run(given)
    return status


if __name__ == "__main__":
    sys.exit(main())

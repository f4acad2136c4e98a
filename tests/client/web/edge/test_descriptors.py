"""Connections and the system's bound on descriptors, in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.generated import ROOT
from tests.support import unmeasured

SCRIPT = """
import resource
from client.web.edge.descriptors import connections_within
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(connections_within({wanted}), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "said"),
    [
        (256, 1_000, 500, "500 628 1000"),  # raised as far as needed
        (256, 1_000, 5_000, "872 1000 1000"),  # raised as far as allowed
        (800, 1_000, 100, "100 800 1000"),  # enough
        (100, 100, 5_000, "1 100 100"),  # hopeless, and still one
    ],
)
def test_as_many_connections_as_the_system_gives(soft: int, hard: int, wanted: int, said: str) -> None:
    command = [sys.executable, "-c", SCRIPT.format(soft=soft, hard=hard, wanted=wanted)]
    done = subprocess.run(command, cwd=ROOT, env=unmeasured.environment(), capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (said, "")

"""The browser's modules that need no page, run in Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from client.web.facts import facts

HERE = Path(__file__).parent
NODE = shutil.which("node")


def test_the_browsers_modules_that_need_no_page() -> None:
    if NODE is None:
        pytest.skip("node is not installed")
    tests = sorted(str(path) for path in (HERE / "unit").glob("*.test.mjs"))
    environment = os.environ | {"COMMANDS": json.dumps(facts("en")["commands"])}
    ran = subprocess.run([NODE, "--test", *tests], capture_output=True, text=True, timeout=300, env=environment)
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]

"""Each example is loaded from its file as whoever runs it does, anew for each test: its state is its module's."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

BOTS = Path(__file__).parents[2] / "docs" / "examples" / "bots"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Load `docs/examples/bots/NAME.py`; what stands beside it can be imported by it."""
    before = set(sys.modules)

    def load(name: str) -> ModuleType:
        path = BOTS / f"{name}.py"
        monkeypatch.syspath_prepend(str(path.parent))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, path.stem, module)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in set(sys.modules) - before:
        if str(BOTS) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]


@pytest.fixture(params=[False, True], ids=["in memory", "on a broker"])
def real(request: pytest.FixtureRequest) -> bool:
    """Whether a bot is tested on a real broker: the same tests hold for both."""
    return bool(request.param)

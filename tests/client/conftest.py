"""What the client's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from client import language


@pytest.fixture
def spanish() -> Iterator[None]:
    """The client speaks Spanish within the test."""
    language.use("es")
    yield
    language.use("en")

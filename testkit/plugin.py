"""The pytest plugin: the fixture `bot_test`, and the option by which the same tests run on a real broker.

    async def test_a_roll(bot_test):
        async with bot_test(bot) as t:
            ana = await t.person("ana")

Loads the kit only when a test asks for it. Must not know what a test does with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from testkit.kit import BotTest

REAL = "--tertulia-real"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("tertulia").addoption(
        REAL, action="store_true", help="run tests of bots against a real broker on loopback, not in memory"
    )


@pytest.fixture
def bot_test(pytestconfig: pytest.Config) -> Callable[..., BotTest]:
    """`async with bot_test(bot) as t`: a `testkit.BotTest`, on a real broker if the command line says so."""
    from testkit.kit import BotTest

    def made(bot: Any, **options: Any) -> BotTest:
        options.setdefault("real", pytestconfig.getoption(REAL))
        return BotTest(bot, **options)

    return made

"""A Chromium, a broker and a gateway for each of pytest's workers; browsers of people for each test.

All tests here run in one event loop, since the one Chromium belongs to it. A test that kills a server has its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.browser.app import App
from tests.browser.chromium import PHONE, executable, launched, opened
from tests.support.gateway import Broker, Served

HERE = Path(__file__).parent
Opener = Callable[..., Awaitable[App]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Any]:
    """The one Chromium of this worker."""
    pytest.importorskip("playwright", exc_type=ImportError)
    if executable() is None:
        pytest.skip("chromium is not installed")
    async with launched() as browser:
        yield browser


class Servers:
    """A broker and the gateway in front of it; each can be killed and started again where it was."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.broker = Broker(directory / "broker")
        try:
            self.gateway = Served(directory / "gateway.log", self.broker)
        except BaseException:
            self.broker.end()
            raise

    @property
    def url(self) -> str:
        """Where people go."""
        return self.gateway.url

    async def restart_broker(self) -> None:
        """`kill -9`, and start again on the same data."""
        await asyncio.to_thread(self.broker.end, 9)
        self.broker = await asyncio.to_thread(self.broker.again)

    def end(self) -> None:
        """End both."""
        try:
            self.gateway.end()
        finally:
            self.broker.end()


@pytest.fixture(scope="session")
def shared(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers for tests that harm none: they use people and rooms of their own."""
    servers = Servers(tmp_path_factory.mktemp("shared"))
    yield servers
    servers.end()


@pytest.fixture
def own(chromium: Any, tmp_path: Path) -> Iterator[Servers]:
    """Servers to be killed."""
    servers = Servers(tmp_path)
    yield servers
    servers.end()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium: Any, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """`await visit(servers, **options of the context)`: another person's browser, a phone unless said otherwise.

    When the test is over, no page may have done what none should do. If it failed, there are pictures of them all.
    """
    async with AsyncExitStack() as stack:
        apps: list[App] = []

        async def visit_(servers: Servers, *also: str, **options: Any) -> App:
            watched = await stack.enter_async_context(opened(chromium, servers.url, *also, **(options or PHONE)))
            apps.append(App(watched, servers.url))
            return apps[-1]

        yield visit_
        if request.node.stash.get(FAILED, False):
            for number, app in enumerate(apps):
                picture = tmp_path / f"page{number}.png"
                await app.page.screenshot(path=picture)
                print(f"{picture}: {app.page.url}")
        assert [fault for app in apps for fault in app.watched.faults] == []

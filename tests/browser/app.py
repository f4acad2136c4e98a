"""What people do in the app, by what they see: one place that knows its labels and roles. Must not know its insides."""

from __future__ import annotations

from tests.browser.chromium import Watched


class App:
    """One person's browser."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.context = watched.context
        self.page = watched.page

    async def go(self, path: str = "/") -> None:
        """Open the app."""
        await self.page.goto(path)

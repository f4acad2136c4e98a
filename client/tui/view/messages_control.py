"""The list of messages as a control that draws only what is seen.

It walks from an anchor, a record and a row in it, and wraps until the window is full, so a frame costs the
same with a hundred records and with a hundred thousand. Without an anchor it stands at the end and stays
there. Rows are kept per record, revision, width and what stands above. What is seen and how one moves in it belong
together, hence the length. Must not know rooms or the broker.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout.controls import UIContent, UIControl
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

from client.tui.model.records import Record, Scrollback
from client.tui.text import links
from client.tui.text.wrap import Row
from client.tui.view import render
from client.tui.view.hyperlinks import linked

CACHE: Final = 1_000
"""Records whose rows are kept."""

MARGIN_FROM: Final = 50
"""Cells of the window from which on the last one stays empty."""


@dataclass(frozen=True)
class Anchor:
    """What stands on the window's first row."""

    record: int
    """The record's id."""
    row: int
    index: int
    """Where the record was last found: a hint."""


class Source(NamedTuple):
    """What to show. `unread` of the messages, from the record `unread_from` on, are new to the reader."""

    records: Scrollback
    unread_from: int = 0
    unread: int = 0
    me: str = ""
    """The reader's login."""
    selected: int = 0
    """The id of the record that is selected."""


class MessagesControl(UIControl):
    """Shows a `Source`; remembers for each scrollback where the reader stood."""

    def __init__(self, source: Callable[[], Source], wants_older: Callable[[], None]) -> None:
        self._source = source
        self._wants_older = wants_older
        self._anchors: WeakKeyDictionary[Scrollback, Anchor] = WeakKeyDictionary()
        self._left: WeakKeyDictionary[Scrollback, Anchor] = WeakKeyDictionary()
        self._links: WeakKeyDictionary[Scrollback, links.Numbers] = WeakKeyDictionary()
        self._cache: dict[tuple[int, int, render.Above], list[Row]] = {}
        self._me = ""
        self._width = 80
        self._height = 20
        self._below = 0
        self._shown: list[Row] = []

    @property
    def at_end(self) -> bool:
        """Whether the newest message is in view, and will stay so."""
        return self._source().records not in self._anchors

    @property
    def below(self) -> int:
        """How many records lie below the window."""
        return 0 if self.at_end else self._below

    @property
    def new(self) -> int:
        """How many records came since the reader left the end."""
        records = self._source().records
        left = self._left.get(records)
        if self.at_end or left is None:
            return 0
        index = records.find(left.record, left.index)
        if index is None:
            return 0
        self._left[records] = replace(left, index=index)
        return len(records) - 1 - index

    @property
    def links(self) -> links.Numbers:
        """The links of the conversation that were on the screen, by their numbers."""
        records = self._source().records
        numbers = self._links.get(records)
        if numbers is None:
            numbers = self._links[records] = links.Numbers()
        return numbers

    @property
    def links_in_view(self) -> list[tuple[int, str]]:
        """The links on the screen with their numbers, the lowest first."""
        found = re.findall(r"class:link-(\d+)", " ".join(style for row in self._shown for style, _ in row))
        numbers = dict.fromkeys(int(number) for number in reversed(found))
        return [(number, link) for number in numbers if (link := self.links.link(number)) is not None]

    def is_focusable(self) -> bool:
        return False

    def create_content(self, width: int, height: int) -> UIContent:
        source = self._source()
        width = max(4, width if width < MARGIN_FROM else width - 1)
        if width != self._width or source.me != self._me:
            self._cache.clear()
        self._width, self._height, self._me = width, height, source.me
        self._shown = self._visible()
        above = height - len(self._shown)
        numbers = self.links

        def line(index: int) -> StyleAndTextTuples:
            return linked(self._shown[index - above], numbers) if index >= above else []

        return UIContent(get_line=line, line_count=height, show_cursor=False)

    def mouse_handler(self, mouse_event: MouseEvent) -> None:
        if mouse_event.event_type == MouseEventType.SCROLL_UP:
            self.scroll(-3)
        elif mouse_event.event_type == MouseEventType.SCROLL_DOWN:
            self.scroll(3)

    def get_key_bindings(self) -> KeyBindings | None:
        return None

    def page(self, direction: int) -> None:
        """Scroll by a window's height, less two rows to read on from; -1 is up."""
        self.scroll(direction * max(1, self._height - 2))

    def scroll(self, by: int) -> None:
        """Move the window over the records, upwards if `by` is negative. Asks for older ones at the top."""
        records = self._source().records
        top = self._top()
        if top is None:
            return
        index, row = top
        row += by
        while row < 0 and index > 0:
            index -= 1
            row += len(self._rows(index))
        if row <= 0 and index == 0:
            row = 0
            if by < 0:
                self._wants_older()
        while row >= (size := len(self._rows(index))) and index < len(records) - 1:
            row -= size
            index += 1
        self._set(index, row)

    def to_end(self) -> None:
        """Show the newest message, and stay there."""
        self._anchors.pop(self._source().records, None)

    def to_start(self) -> None:
        """Show the oldest message held, and ask for older ones."""
        if len(self._source().records):
            self._set(0, 0)
            self._wants_older()

    def to(self, record: int) -> None:
        """Bring a record to the top of the window."""
        index = self._source().records.find(record)
        if index is not None:
            self._set(index, 0)

    def show(self, record: int) -> None:
        """Bring a record into view, moving the window as little as that takes."""
        index, top = self._source().records.find(record), self._top()
        if index is None or top is None:
            return
        if index < top[0] or (index == top[0] and top[1]):
            self._set(index, 0)
            return
        first, missing = index + 1, self._height
        while first > 0 and missing > 0:
            first -= 1
            missing -= len(self._rows(first))
        if (first, max(0, -missing)) > top:
            self._set(*((index, 0) if first == index else (first, max(0, -missing))))

    def _set(self, index: int, row: int) -> None:
        """Anchor there, or stand at the end if what follows does not fill the window."""
        records = self._source().records
        filled = -row
        for following in range(index, len(records)):
            filled += len(self._rows(following))
            if filled > self._height:
                if self.at_end:
                    self._left[records] = Anchor(records[len(records) - 1].id, 0, len(records) - 1)
                self._anchors[records] = Anchor(records[index].id, row, index)
                return
        self.to_end()

    def _top(self) -> tuple[int, int] | None:
        """The record's index and the row in it that stand first in the window; None if there is nothing."""
        records = self._source().records
        if not len(records):
            return None
        anchor = self._anchors.get(records)
        if anchor is not None:
            index = records.find(anchor.record, anchor.index)
            if index is not None:
                if index != anchor.index:
                    self._anchors[records] = replace(anchor, index=index)
                return index, min(anchor.row, len(self._rows(index)) - 1)
            # The record was let go of: the oldest one takes its place.
            self._anchors[records] = Anchor(records[0].id, 0, 0)
            return 0, 0
        index, missing = len(records), self._height
        while index > 0 and missing > 0:
            index -= 1
            missing -= len(self._rows(index))
        return index, max(0, -missing)

    def _visible(self) -> list[Row]:
        top = self._top()
        if top is None:
            return []
        index, row = top
        records = self._source().records
        shown: list[Row] = list(self._marked(index, self._named(index))[row:]) if index < len(records) else []
        index += 1
        while index < len(records) and len(shown) < self._height:
            shown.extend(self._marked(index, self._rows(index)))
            index += 1
        if len(shown) < self._height and not self.at_end:
            self.to_end()  # the window has grown beyond what follows the anchor
            return self._visible()
        self._below = len(records) - index + (len(shown) > self._height)
        return shown[: self._height]

    def _named(self, index: int) -> list[Row]:
        """The rows of the record that stands first in the window: they say who speaks, if that changes no row."""
        rows, named = self._rows(index), self._rows(index, first=True)
        return named if len(named) == len(rows) else rows

    def _marked(self, index: int, rows: list[Row]) -> list[Row]:
        """The rows of a record, marked if it is the one that is selected."""
        source = self._source()
        if source.selected != source.records[index].id:
            return rows
        return [[(f"{style} class:selected", text) for style, text in row] for row in rows]

    def _rows(self, index: int, first: bool = False) -> list[Row]:
        source = self._source()
        records = source.records
        record = records[index]
        before: Record | None = records[index - 1] if index else None
        unread = source.unread if record.id == source.unread_from else 0
        answered = records.said_at(record.reply_to) if record.reply_to else None
        above = render.above(record, before, unread, answered)
        if first:
            above = above._replace(grouped=False, minute=False)
        key = (record.id, record.revision, above)
        rows = self._cache.get(key)
        if rows is None:
            rows = render.rows(record, self._width, above, render.Pen(self._me, self.links.number))
            self._cache[key] = rows
            if len(self._cache) > CACHE:
                del self._cache[next(iter(self._cache))]
        return rows

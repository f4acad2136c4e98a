"""What the terminal is sent: links that end where they end, and signs that push nothing aside."""

from __future__ import annotations

import io

from prompt_toolkit.data_structures import Size
from prompt_toolkit.output.vt100 import Vt100_Output

from client.tui.text import links
from client.tui.view import hyperlinks


class Terminal:
    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.inner = Vt100_Output(self.stream, lambda: Size(24, 80), term="xterm")
        self.output = hyperlinks.careful(self.inner)

    def written(self) -> str:
        self.inner.flush()
        return self.stream.getvalue()


OPEN = links.opening("https://x.org", 1)
OTHER = links.opening("https://y.org", 2)


def test_a_link_is_opened_once_and_closed_when_the_pen_is_lifted() -> None:
    for lift in (
        lambda output: output.cursor_forward(3),
        lambda output: output.cursor_backward(3),
        lambda output: output.cursor_up(1),
        lambda output: output.reset_attributes(),
        lambda output: output.write("\r\n"),
        lambda output: output.flush(),
    ):
        terminal = Terminal()
        for character in "ab":
            terminal.output.write_raw(OPEN)
            terminal.output.write(character)
        lift(terminal.output)
        assert terminal.written().startswith(OPEN + "ab" + links.CLOSING)


def test_links_follow_upon_each_other() -> None:
    terminal = Terminal()
    for data in (OPEN, links.CLOSING + OTHER, links.CLOSING):
        terminal.output.write_raw(data)
        terminal.output.write("x")
    assert terminal.written() == f"{OPEN}x{links.CLOSING}{OTHER}x{links.CLOSING}x"


def test_other_sequences_pass_and_the_rest_is_the_terminals() -> None:
    terminal = Terminal()
    terminal.output.write_raw("\x1b]9;hello\x07")
    assert terminal.written() == "\x1b]9;hello\x07"
    assert terminal.output.get_size() == Size(24, 80)


def test_the_cursor_is_where_it_should_be_after_a_sign_of_doubtful_width() -> None:
    terminal = Terminal()
    for sign in ("a", "é", "你", "🎉", "z\u0301"):
        terminal.output.write(sign)
    assert terminal.written() == "aé你\x1b7  \x1b8\x1b7🎉\x1b8\x1b[2C\x1b7 \x1b8\x1b7z\u0301\x1b8\x1b[1C"


def test_a_mark_in_a_cell_of_its_own_is_a_space() -> None:
    terminal = Terminal()
    terminal.output.write("\u0301")
    assert terminal.written() == " "


def test_rows_without_links_are_as_they_were() -> None:
    numbers = links.Numbers()
    assert hyperlinks.linked([("class:text", "hi")], numbers) == [("class:text", "hi")]
    number = numbers.number("https://x.org")
    drawn = hyperlinks.linked([("class:link class:link-1", "ab"), ("", "c")], numbers)
    opening = ("[ZeroWidthEscape]", links.opening("https://x.org", number))
    style = "class:link class:link-1"
    assert drawn == [opening, (style, "a"), opening, (style, "b"), ("[ZeroWidthEscape]", links.CLOSING), ("", "c")]
    assert hyperlinks.linked([("class:link class:link-9", "ab")], numbers) == [("class:link class:link-9", "ab")]
